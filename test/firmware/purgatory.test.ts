import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { PURGATORY, purgatoryPage, runPurgatory } from '../../src/firmware/purgatory.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { CPU_MODELS } from '../../src/machine/cpu/cpu-models.js';
import type { CpuModel } from '../../src/machine/cpu/cpuid.js';
import { Machine } from '../../src/machine/machine.js';
import { nobleCipher } from '../../src/machine/memory/noble-cipher.js';
import { pa, va } from '../../src/machine/address.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const CODE = Uint8Array.from({ length: PURGATORY.codeSize }, (_, i) => (i * 5 + 1) & 0xff);
const AT = 0x10_0000;
const SEGMENT = { mem: 0x20_0000, memsz: 0x2000 };
const KERNEL = Uint8Array.from({ length: SEGMENT.memsz }, (_, i) => (i * 3) & 0xff);

/** A machine on an identity map of 1 GiB with purgatory and a segment in memory. */
function machine(): Machine {
  const made = new Machine({
    model: CPU_MODELS['zen-1'] as CpuModel,
    cpus: 1,
    ram: [{ base: 0, size: 64 * 2 ** 20 }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 64 * 1024, ways: 8 },
    engine: { mode: 'XEX', seed: 'purgatory', cipher: nobleCipher, lazy: true },
    syscfgMemEncrypt: false,
  });
  const tables = new BigUint64Array(1024);
  tables[0] = 0x2003n;
  tables[512] = 0x83n;
  made.dmaWrite(pa(0x1000), new Uint8Array(tables.buffer));
  made.dmaWrite(pa(SEGMENT.mem), KERNEL);
  made.dmaWrite(
    pa(AT),
    purgatoryPage(CODE, {
      rip: 0x20_0040,
      rsi: 0x9000,
      digest: sha256(KERNEL),
      segments: [SEGMENT],
    }),
  );
  made.cpus[0].enterLongMode(0x1000n);
  made.cpus[0].rip = va(AT);
  return made;
}

describe('purgatory', () => {
  test('its fields do not overlap and end in its page', () => {
    const { code, codeSize, rip, rsi, digest, count, segments, size } = PURGATORY;
    const fields = [code + codeSize, rip, rip + 8, rsi, rsi + 8, digest, digest + 32, count];
    const order = [...fields, count + 8, segments, segments + 16 * 16, size];
    expect([...order].sort((a, b) => a - b)).toEqual(order);
  });

  test('enters the kernel with the zero page in RSI if the digest matches', () => {
    const { cpus } = machine();
    expect(runPurgatory(cpus[0], CODE, sha256)).toBeNull();
    expect([cpus[0].rip, cpus[0].rsi]).toEqual([0x20_0040, 0x9000]);
  });

  test.each([0, SEGMENT.memsz - 1])('loops forever if byte %i of the kernel differs', (at) => {
    const made = machine();
    made.dmaWrite(pa(SEGMENT.mem + at), Uint8Array.of((KERNEL[at] ?? 0) ^ 1));
    expect(runPurgatory(made.cpus[0], CODE, sha256)).toBe('digest');
  });

  test('does not check bytes after the last segment', () => {
    const made = machine();
    made.dmaWrite(pa(SEGMENT.mem + SEGMENT.memsz), Uint8Array.of(0xff));
    expect(runPurgatory(made.cpus[0], CODE, sha256)).toBeNull();
  });

  test('raises #UD if its code was overwritten', () => {
    const made = machine();
    made.dmaWrite(pa(AT + 3), Uint8Array.of(0xff));
    expect(runPurgatory(made.cpus[0], CODE, sha256)).toMatchObject({ vector: 6 });
  });

  test('faults if it is not mapped', () => {
    const made = machine();
    made.cpus[0].rip = va(2 ** 30);
    expect(runPurgatory(made.cpus[0], CODE, sha256)).toMatchObject({ vector: 14 });
  });
});

/** A load of bytes that never change. */
import { expect, test } from '@jest/globals';
import { KEY_HOST, pa, va } from '../../src/machine/address.js';
import { ZEN1 } from '../../src/machine/cpu/cpu-models.js';
import { Machine } from '../../src/machine/machine.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { nodeCipher } from '../../src/node/node-cipher.js';

const machine = (): Machine =>
  new Machine({
    model: ZEN1,
    cpus: 1,
    ram: [{ base: 0, size: 0x400_0000 }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 32 * 1024, ways: 8 },
    engine: { mode: 'XEX', seed: 'machine', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: false,
  });

test('a load of constant bytes is a write without a CPU, and no write changes the bytes', () => {
  const constant = Uint8Array.from({ length: 3 * 4096 }, (_, i) => (i * 7) & 0xff);
  const before = constant.slice();
  const [loaded, written] = [machine(), machine()];
  const events = [loaded, written].map((m) => {
    const seen: unknown[] = [];
    m.probes.dma.listen((...args) => seen.push(args));
    return seen;
  });
  // A dirty line, which the bytes replace.
  for (const m of [loaded, written]) m.cpus[0].storeU64(va(0x3000), 5n);
  loaded.dmaLoad(pa(0x2800), constant);
  written.dmaWrite(pa(0x2800), constant);
  for (const m of [loaded, written]) {
    expect(m.dmaRead(pa(0x2800), constant.length)).toEqual(before);
    m.cpus[0].storeU64(va(0x3008), 6n);
    m.cpus[0].wbinvd();
    m.dmaWrite(pa(0x4000), Uint8Array.of(9), KEY_HOST);
  }
  expect(loaded.dram.peek(pa(0x2000), 0x4000)).toEqual(written.dram.peek(pa(0x2000), 0x4000));
  expect(constant).toEqual(before);
  expect(events[0]).toEqual(events[1]);
  expect(events[0]).toHaveLength(3);
});

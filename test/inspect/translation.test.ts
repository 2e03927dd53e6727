import { describe, expect, test } from '@jest/globals';
import { cachedLines } from '../../src/inspect/cached.js';
import { keysInUse } from '../../src/inspect/keys.js';
import { bytesOf } from '../../src/inspect/memory.js';
import { physicalRanges } from '../../src/inspect/place.js';
import { mappedRanges } from '../../src/inspect/tables.js';
import { tlbOf } from '../../src/inspect/tlb.js';
import { translationOf } from '../../src/inspect/translation.js';
import { walkOf } from '../../src/inspect/walk.js';
import { walkEnd } from '../../src/inspect/walk-text.js';
import { PMD_SIZE, va } from '../../src/machine/address.js';
import { isFault } from '../../src/machine/cpu/cpu.js';
import { CR0, CR4, EFER } from '../../src/machine/cpu/registers.js';
import { MEMTYPE } from '../../src/machine/types.js';
import type { Boot } from '../../src/sequencer/boot.js';
import { firstOf } from '../cases.js';
import { boot, scenario, sha256 } from '../helpers.js';
import { PTE, setEntry, smallMachine, touch } from './small-machine.js';

describe('the translation of the next read', () => {
  test("is the TLB's, also where the tables have changed since", () => {
    const m = smallMachine();
    const [cpu] = m.cpus;
    const at = va(PMD_SIZE + 5);
    expect(translationOf(m, cpu, at)).toEqual({ pa: PMD_SIZE + 5, c: 1, type: MEMTYPE.WB });
    touch(m, PMD_SIZE);
    setEntry(m, PTE, 0, 0n);
    expect(translationOf(m, cpu, at)).toEqual({ pa: PMD_SIZE + 5, c: 1, type: MEMTYPE.WB });
    expect(walkOf(m, cpu, at)).toMatchObject({ pa: '0x200005', stale: true });
    cpu.invlpg(at);
    expect(isFault(translationOf(m, cpu, at))).toBe(true);
  });

  test('is the address itself while paging is off', () => {
    const m = smallMachine(undefined, 2);
    const [, second] = m.cpus;
    if (second === undefined) throw new Error('one CPU');
    expect(translationOf(m, second, va(0x1234))).toEqual({ pa: 0x1234, c: 0, type: MEMTYPE.WB });
    expect(isFault(translationOf(m, second, va(-1)))).toBe(true);
    const walk = walkOf(m, second, va(0x1234));
    expect(walk).toMatchObject({ levels: [], paging: false });
    expect(walkEnd(walk)).toBe('physical 0x1234, C=0, WB (paging is off)');
    expect(mappedRanges(m, second)).toEqual([]);
  });

  test('of legacy paging is not modelled', () => {
    const m = smallMachine(undefined, 2);
    const [, second] = m.cpus;
    second?.loadControl(CR0.PE | CR0.PG, 0n, CR4.PAE, BigInt(EFER.NXE));
    expect(() => second && mappedRanges(m, second)).toThrow(/E_UNMODELLED.*legacy paging/);
  });
});

test('a virtual range that is not contiguous in memory is several physical ones', () => {
  const b = boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB') });
  const { machine } = b;
  const { devices } = machine.snapshot();
  machine.restore({ ...smallMachine().snapshot(), devices });
  setEntry(machine, PTE, 1, 0x7000n | 0x23n);
  const place = { space: 'va', address: va(PMD_SIZE + 0xff0) } as const;
  expect(physicalRanges(b, place, 0x20, 'x')).toEqual([
    { base: PMD_SIZE + 0xff0, size: 0x10 },
    { base: 0x7000, size: 0x10 },
  ]);
  expect(physicalRanges(b, place, 0x10, 'x')).toHaveLength(1);
  expect(() => physicalRanges(b, place, 0x1011, 'x')).toThrow(/E_NOT_MAPPED.*0x202000/);
});

const digestOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  sha256(new Uint8Array(buffer, byteOffset, byteLength));

/** Everything that reports read of a boot. */
function report(b: Boot): void {
  const { machine } = b;
  keysInUse(machine);
  for (const cpu of machine.cpus) {
    tlbOf(machine, cpu);
    mappedRanges(machine, cpu);
    walkOf(machine, cpu, va(-0x7f00_0000));
  }
  // The boot parameters and their copy, the video memory, tables.
  const ranges = [
    { base: 0x9_0000, size: 0x1000 },
    { base: 0xb_8000, size: 0x1000 },
    { base: 0x1b0_0000, size: 0x5000 },
    { base: 0x1e0_1000, size: 0x1000 },
  ];
  cachedLines(b, ranges);
  for (const view of ['dram', 'c0', 'c1'] as const) bytesOf(machine, ranges, view);
}

test.each(
  firstOf(1, [
    ['with HwEnfCacheCoh', 'zen-3'],
    ['without it', 'zen-1'],
  ]),
)('reports between steps change no boot, %s', (_name, cpu) => {
  const settings = ['machine.ram=64MiB', `machine.cpu=${cpu}`, 'machine.vga=true'];
  const [told, quiet] = [true, false].map((reports) => {
    const b = boot({ scenario: scenario('bios-minimal', ...settings) });
    // Page tables are long; a step between reports would show what one has changed.
    for (let steps = 0; b.step(); steps++) if (reports && steps % 6 === 1) report(b);
    const { cpus, cache } = b.machine.view();
    const lines = [cache.data, cache.tags.low, cache.tags.high, cache.tags.written].map(digestOf);
    return { cpus: structuredClone(cpus), lines, trace: b.finish() };
  });
  expect(told).toEqual(quiet);
});

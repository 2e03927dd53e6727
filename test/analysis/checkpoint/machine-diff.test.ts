import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, va, type KeyId } from '../../../src/machine/address.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import { Machine, type MachineSnapshot } from '../../../src/machine/machine.js';
import { pageIn } from '../../../src/machine/memory/page-map.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { diffMachines, applyDiff } from '../../../src/analysis/checkpoint/machine-diff.js';

const WAYS = 2;
const LINE = 64;

function machine(): Machine {
  return new Machine({
    model: ZEN1,
    cpus: 1,
    ram: [{ base: 0, size: 0x10_0000 }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 16 * LINE, ways: WAYS },
    engine: { mode: 'XEX', seed: 'apart', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
}
const put = (m: Machine, line: number, value: number, origin = 1, key: KeyId = KEY_HOST): void =>
  m.cache.write(0, pa(line * LINE), key, MEMTYPE.WB, Uint8Array.of(value), 0, 1, origin);
const read = (m: Machine, line: number): void =>
  m.cache.read(0, pa(line * LINE), KEY_HOST, MEMTYPE.WB, new Uint8Array(1), 0, 1, 1);

/** The difference of two machines after common accesses and then different ones. */
function differenceOf(one: (m: Machine) => void, two: (m: Machine) => void) {
  const machines = [machine(), machine()] as const;
  for (const m of machines) for (const line of [0, 8, 3, 70]) put(m, line, 1);
  one(machines[0]);
  two(machines[1]);
  return diffMachines(machines[0].view(), machines[1].view(), WAYS, machines[0].engine);
}
const nothing = { inMemory: [], inSlots: [], lines: [], pat: [] };

describe('two machines', () => {
  test('do not differ after the same accesses by different functions', () => {
    const same = (origin: number) => (m: Machine) => put(m, 3, 7, origin);
    expect(differenceOf(same(1), same(2))).toEqual(nothing);
  });

  test('differ in a cache line, and in memory after its eviction', () => {
    const write = (value: number, then?: (m: Machine) => void) => (m: Machine) => {
      put(m, 70, value);
      then?.(m);
    };
    expect(differenceOf(write(7), write(8))).toMatchObject({ inMemory: [], lines: [70] });
    const leave = (m: Machine): void => m.cache.clflush(pa(70 * LINE), KEY_HOST);
    const left = { inMemory: [70], inSlots: [], lines: [70], pat: [] };
    expect(differenceOf(write(7, leave), write(8, leave))).toEqual(left);
    // Back in the cache, it differs in both.
    const again = (m: Machine): void => {
      leave(m);
      read(m, 70);
    };
    const both = differenceOf(write(7, again), write(8, again));
    expect(both).toMatchObject({ inMemory: [70], lines: [70, 70] });
  });

  test('are not comparable if they used lines in another order, even with equal bytes', () => {
    const use =
      (...lines: number[]) =>
      (m: Machine): void => {
        for (const line of lines) read(m, line);
      };
    // Lines 0 and 8 are in one set, 3 in another.
    expect(differenceOf(use(0, 8), use(8, 0))).toBeUndefined();
    expect(differenceOf(use(0, 3, 8), use(3, 0, 8))).toEqual(nothing);
    expect(differenceOf(use(0, 8), use(0, 8, 0, 8))).toEqual(nothing);
  });

  test('differ in slots of the PAT', () => {
    const wrpat = (value: bigint) => (m: Machine) => void m.cpus[0].msrs.set('PAT', value);
    const found = differenceOf(wrpat(0x0007_0406_0007_0406n), wrpat(0x0507_0406_0007_0106n));
    expect(found).toEqual({
      ...nothing,
      pat: [
        { cpu: 0, slot: 1 },
        { cpu: 0, slot: 7 },
      ],
    });
  });

  test.each<[string, (m: Machine) => void]>([
    ['another register of the machine', (m) => m.cpus[0].msrs.set('STAR', 1n)],
    ['a register', (m) => void (m.cpus[0].rip = va(m.cpus[0].rip + 1))],
    ['an additional line in the cache', (m) => read(m, 200)],
    ['a line that is newer than memory', (m) => m.cache.wbinvd('all')],
    ['a page that was touched', (m) => m.dmaWrite(pa(0x8000), Uint8Array.of(1))],
    ['a key in the cache', (m) => put(m, 70, 1, 1, KEY_PLAIN)],
  ])('are not comparable if they differ in %s', (_what, change) => {
    expect(differenceOf(change, () => undefined)).toBeUndefined();
  });

  test('differ in the key that a line of memory was written with, even if it reads the same', () => {
    const write = (key: KeyId) => (m: Machine) => {
      m.cache.wbinvd('all');
      m.dmaWrite(pa(70 * LINE), new Uint8Array(LINE), key);
    };
    expect(differenceOf(write(KEY_HOST), write(KEY_PLAIN))?.inMemory).toEqual([70]);
  });

  test('not in a line that only one has encrypted yet for a reader of the bus', () => {
    const write = (value: number, then?: (m: Machine) => void) => (m: Machine) => {
      m.dmaWrite(pa(70 * LINE), new Uint8Array(LINE).fill(value), KEY_HOST);
      then?.(m);
    };
    const encrypt = (m: Machine): void => {
      m.dmaRead(pa(70 * LINE), LINE, KEY_PLAIN);
    };
    const [one, two] = [machine(), machine()];
    write(7, encrypt)(one);
    write(7)(two);
    const pending = [one, two].map((m) => pageIn(m.view().dram.pages, 1)?.pending[6]);
    expect(pending).toEqual([KEY_PLAIN, KEY_HOST]);
    expect(differenceOf(write(7, encrypt), write(7))).toEqual(nothing);
    expect(differenceOf(write(7), write(7, encrypt))).toEqual(nothing);
    expect(differenceOf(write(7, encrypt), write(8))?.inMemory).toEqual([70]);
  });
});

describe('applyDiff copies the lines of another machine', () => {
  test('in memory and in the cache, with translated origin numbers', () => {
    const [one, two] = [machine(), machine()];
    for (const [i, m] of [one, two].entries()) {
      put(m, 3, i, 10);
      put(m, 70, i, 11);
      m.cache.clflush(pa(70 * LINE), KEY_HOST);
    }
    const lines = diffMachines(one.view(), two.view(), WAYS, one.engine);
    if (lines === undefined) throw new Error('they differ in more');
    // Meanwhile the other machine accesses other lines.
    put(two, 8, 5);
    const before = structuredClone(two.snapshot());
    const onto: MachineSnapshot = two.snapshot();
    const made = applyDiff(onto, one.view(), lines, (origin) => origin + 100);
    expect(onto).toEqual(before);
    two.restore(made);
    put(one, 8, 5);
    expect(diffMachines(one.view(), two.view(), WAYS, one.engine)).toEqual(nothing);
    expect([two.lastWrite(pa(3 * LINE))?.origin, two.lastWrite(pa(70 * LINE))?.origin]).toEqual([
      110, 111,
    ]);
  });

  test('and the differing slots of its PAT only', () => {
    const [one, two] = [machine(), machine()];
    one.cpus[0].msrs.set('PAT', 0x0007_0406_0007_0506n);
    const places = diffMachines(one.view(), two.view(), WAYS, one.engine);
    if (places === undefined) throw new Error('they differ in more');
    two.cpus[0].msrs.set('PAT', 0x0607_0406_0007_0406n);
    two.restore(applyDiff(two.snapshot(), one.view(), places, (origin) => origin));
    expect(two.cpus[0].msrs.get('PAT')).toBe(0x0607_0406_0007_0506n);
  });

  test('but not one that was evicted since, whose bytes are in memory', () => {
    const [one, two] = [machine(), machine()];
    for (const [i, m] of [one, two].entries()) {
      put(m, 3, i);
      m.cache.wbinvd('all');
      read(m, 3);
    }
    const lines = diffMachines(one.view(), two.view(), WAYS, one.engine);
    if (lines === undefined) throw new Error('they differ in more');
    for (const m of [one, two]) for (const line of [11, 19]) read(m, line);
    const from = one.snapshot();
    two.restore(applyDiff(two.snapshot(), from, lines, (origin) => origin));
    expect(diffMachines(one.view(), two.view(), WAYS, one.engine)).toEqual(nothing);
  });
});

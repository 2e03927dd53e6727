import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeDte,
  encodedSize,
  walkTables,
  type Dte,
  type Walk,
} from '../../../src/machine/iommu/amd-iommu-walk.js';

const P = 1n;
const IR = 1n << 61n;
const IW = 1n << 62n;
const level = (n: number): bigint => BigInt(n) << 9n;
const ROOT = 0x10_0000n;
const TARGET = 0x1234_5000n;
const PR = 1 << 4;
const RZ = 1 << 7;

const dte = (levels: number, flags = IR | IW): Dte =>
  decodeDte(ROOT | level(levels) | flags | 3n, 0n);
/** Memory as a map of entries; others are 0. */
const from =
  (entries: Readonly<Record<string, bigint>>) =>
  (at: bigint): bigint =>
    entries[`0x${at.toString(16)}`] ?? 0n;
const key = (at: bigint): string => `0x${at.toString(16)}`;
const flags = (walk: Walk): number | string => (walk.kind === 'fault' ? walk.flags : walk.kind);

/** One page of 4 KiB at `iova` in tables of `levels` levels, built from the definition of the indices. */
function tables(levels: number, iova: bigint, leaf = TARGET | IR | IW | P): Record<string, bigint> {
  const out: Record<string, bigint> = {};
  let table = ROOT;
  for (let n = levels; n > 1; n--) {
    const index = (iova / 2n ** BigInt(12 + 9 * (n - 1))) % 512n;
    out[key(table + index * 8n)] = (table + 0x1000n) | level(n - 1) | IR | IW | P;
    table += 0x1000n;
  }
  out[key(table + ((iova / 4096n) % 512n) * 8n)] = leaf;
  return out;
}

describe('walkTables', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'with %i levels translates the first and the last page and no address beyond',
    (n) => {
      const reach = n === 6 ? 2n ** 64n : 2n ** BigInt(12 + 9 * n);
      for (const iova of [0n, reach - 0x1000n]) {
        const walk = walkTables(dte(n), iova + 0xfffn, from(tables(n, iova)));
        expect(walk).toEqual({
          kind: 'translation',
          translation: { iova, address: TARGET, size: 0x1000n, read: true, write: true },
        });
      }
      if (n < 6) expect(flags(walkTables(dte(n), reach, from(tables(n, 0n))))).toBe(0);
    },
  );

  test('finds any page in any tables', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.bigInt(0n, 2n ** 52n - 1n), (n, page) => {
        const bits = BigInt(Math.min(9 * n, 52));
        const iova = (page & ((1n << bits) - 1n)) * 4096n;
        const walk = walkTables(dte(n), iova, from(tables(n, iova)));
        expect(walk).toMatchObject({ kind: 'translation', translation: { iova, address: TARGET } });
      }),
    );
  });

  test.each([
    ['the entry', IR, IR | IW, IR | IW, true, false],
    ['the pointer', IR | IW, IW, IR | IW, false, true],
    ['the leaf', IR | IW, IR | IW, 0n, false, false],
  ])(
    'requires the permissions in %s as well as in the others',
    (_what, top, middle, leaf, r, w) => {
      const memory = {
        [key(ROOT)]: (ROOT + 0x1000n) | level(1) | middle | P,
        [key(ROOT + 0x1000n)]: TARGET | leaf | P,
      };
      expect(walkTables(dte(2, top), 0n, from(memory))).toMatchObject({
        translation: { read: r, write: w },
      });
    },
  );

  test.each([2, 3, 4, 5])(
    'returns a page of the size of level %i for a leaf at that level',
    (n) => {
      const size = 2n ** BigInt(12 + 9 * (n - 1));
      const leaf = size | IR | IW | P;
      const walk = walkTables(dte(n), size * 3n + 0x123n, from({ [key(ROOT + 24n)]: leaf }));
      expect(walk).toMatchObject({ translation: { iova: size * 3n, address: size, size } });
    },
  );

  test.each([
    [1, 13, 'translation'],
    [1, 20, 'translation'],
    [1, 21, 'fault'],
    [2, 21, 'fault'],
    [2, 22, 'translation'],
    [2, 29, 'translation'],
    [2, 30, 'fault'],
  ])('at level %i reads a size of 2^%i from the address: %s', (n, bits, kind) => {
    // The address has ones from bit 12 up to the one below its size's half.
    const ones = 2n ** BigInt(bits - 1) - 0x1000n;
    const base = 2n ** 32n;
    const memory = from({ [key(ROOT)]: base | ones | level(7) | IR | P });
    const walk = walkTables(dte(n), 0x800n, memory);
    expect(walk.kind).toBe(kind);
    if (walk.kind === 'translation') {
      expect(walk.translation).toMatchObject({ address: base, size: 2n ** BigInt(bits) });
    }
  });

  test.each([
    ['not present', 0n, 0],
    ['a leaf with bit 52', TARGET | (1n << 52n) | IR | P, PR | RZ],
    ['a leaf with bit 58', TARGET | (1n << 58n) | IR | P, PR | RZ],
    ['a pointer with bit 59', ROOT | (1n << 59n) | level(1) | IR | P, PR | RZ],
    ['a pointer to its own level', ROOT | level(3) | IR | P, PR],
    ['a pointer to a higher level', ROOT | level(4) | IR | P, PR],
  ])('faults at %s', (_what, entry, expected) => {
    expect(flags(walkTables(dte(3), 0n, from({ [key(ROOT)]: entry })))).toBe(expected);
  });

  test.each([
    ['U and FC', (1n << 59n) | (1n << 60n)],
    ['ignored low bits', 0x1en],
  ])('ignores %s in a leaf', (_what, more) => {
    const memory = from({ [key(ROOT)]: TARGET | more | IR | P });
    expect(walkTables(dte(1), 0n, memory).kind).toBe('translation');
  });

  test('allows skipped levels only if their address bits are zero', () => {
    const memory = from({
      [key(ROOT + 8n)]: (ROOT + 0x1000n) | level(1) | IR | P,
      [key(ROOT + 0x1000n + 16n)]: TARGET | IR | P,
    });
    const top = 1n << 39n;
    expect(walkTables(dte(4), top | 0x2000n, memory).kind).toBe('translation');
    expect(flags(walkTables(dte(4), top | 0x2000n | (1n << 21n), memory))).toBe(PR);
    expect(flags(walkTables(dte(4), top | 0x2000n | (1n << 38n), memory))).toBe(PR);
  });

  test('passes bit 47 of every table and page address unchanged', () => {
    const C = 1n << 47n;
    const seen: bigint[] = [];
    const walk = walkTables(decodeDte(ROOT | C | level(2) | IR | 3n, 0n), 0n, (at) => {
      seen.push(at);
      return at === (ROOT | C) ? (ROOT + 0x1000n) | C | level(1) | IR | P : TARGET | C | IR | P;
    });
    expect(seen).toEqual([ROOT | C, (ROOT + 0x1000n) | C]);
    expect(walk).toMatchObject({ translation: { address: TARGET | C } });
  });

  test('reports the address of an entry that cannot be read', () => {
    expect(walkTables(dte(1), 0x3000n, () => undefined)).toEqual({
      kind: 'unreadable',
      at: ROOT + 24n,
    });
  });
});

test('encodedSize counts the ones from bit 12 up', () => {
  expect(encodedSize(0n)).toBe(0x2000n);
  expect(encodedSize(0x1000n)).toBe(0x4000n);
  expect(encodedSize(0x7fff_ffff_ffff_f000n)).toBe(2n ** 64n);
});

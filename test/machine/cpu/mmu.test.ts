/** The walker against hand-made tables: each reserved bit and each right of APM chapter 5, by table. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  KEY_HOST,
  KEY_PLAIN,
  PAGE_SIZE,
  pa,
  PMD_SIZE,
  PUD_SIZE,
  va,
  type KeyId,
  type Pa,
} from '../../../src/machine/address.js';
import { isFault } from '../../../src/machine/cpu/fault.js';
import { patTypes } from '../../../src/machine/cpu/memory-types.js';
import {
  bitNumbers,
  cr3Reserved,
  decodeEntry,
  entryFormat,
  rootOf,
  traceWalk,
  walk,
  type PagingContext,
} from '../../../src/machine/cpu/mmu.js';
import { ProbePoint } from '../../../src/machine/probes.js';
import { MEMTYPE, type TableReader } from '../../../src/machine/types.js';

const P = 1n;
const RW = 2n;
const US = 4n;
const A = 0x20n;
const D = 0x40n;
const PS = 0x80n;
const G = 0x100n;
const NX = 1n << 63n;
const ALL = P | RW | US | A | D;
const sme = { cBit: 47, reduction: 5, key: KEY_HOST };

/** Tables as a map by address and key: an entry is not found under another key, as if it were ciphertext. */
class Tables implements TableReader {
  high = 0;
  answers = (_at: Pa): boolean => true;
  readonly set: string[] = [];
  private readonly entries = new Map<string, bigint>();

  put(at: number, value: bigint, key: KeyId = KEY_PLAIN): this {
    this.entries.set(`${key}:${at}`, value);
    return this;
  }
  readEntry(at: Pa, key: KeyId): number {
    const value = this.entries.get(`${key}:${at}`) ?? 0n;
    this.high = Number(BigInt.asIntN(32, value >> 32n));
    return Number(BigInt.asIntN(32, value));
  }
  setBits(at: Pa, key: KeyId, bits: number): void {
    this.set.push(`${at.toString(16)} k${key} ${bits.toString(16)}`);
  }
}

function context(
  more: Partial<PagingContext> = {},
  encryption: typeof sme | null = sme,
): PagingContext {
  return {
    root: pa(0x1000),
    rootKey: KEY_PLAIN,
    format: entryFormat(48, encryption),
    wp: true,
    nxe: true,
    pge: true,
    gbPages: true,
    bit8Mbz: true,
    pat: patTypes(0x0007_0506_0007_0106n) ?? [],
    mtrr: () => MEMTYPE.WB,
    ...more,
  };
}

/** PGD at 0x1000, PUD at 0x2000, PMD at 0x3000, PTE at 0x4000; `change` ORs bits into the entries for address 0. */
function tables(change: Partial<Record<'PGD' | 'PUD' | 'PMD' | 'PTE', bigint>> = {}): Tables {
  const t = new Tables();
  t.put(0x1000, 0x2000n | ALL | (change.PGD ?? 0n));
  t.put(0x2000, 0x3000n | ALL | (change.PUD ?? 0n));
  t.put(0x3000, 0x4000n | ALL | (change.PMD ?? 0n));
  t.put(0x4000, 0x5000n | ALL | (change.PTE ?? 0n));
  return t;
}
const READ = { write: false, user: false, fetch: false };
const errorOf = (t: Tables, c = context(), access = READ): number | null => {
  const result = walk(t, c, va(0), access);
  return isFault(result) ? result.error : null;
};

describe('reserved bits (error code 9)', () => {
  const bit = (n: number): bigint => 1n << BigInt(n);
  test.each([
    ['PGD bit 7', { PGD: PS }],
    ['PGD bit 8', { PGD: G }],
    ['PUD bit 8 of a table pointer', { PUD: G }],
    ['PUD 1 GiB leaf, bit 13', { PUD: PS | bit(13) }],
    ['PUD 1 GiB leaf, bit 29', { PUD: PS | bit(29) }],
    ['PMD 2 MiB leaf, bit 13', { PMD: PS | bit(13) }],
    ['PMD 2 MiB leaf, bit 20', { PMD: PS | bit(20) }],
    ...(['PGD', 'PUD', 'PMD', 'PTE'] as const).flatMap((level): [string, object][] => [
      [`${level} bit 43, the first lost to the reduction`, { [level]: bit(43) }],
      [`${level} bit 46`, { [level]: bit(46) }],
      [`${level} bit 48`, { [level]: bit(48) }],
      [`${level} bit 51`, { [level]: bit(51) }],
    ]),
  ])('%s', (_what, change) => {
    // A leaf's own address bits are cleared, so that only the bit in question is wrong.
    const t = tables(change);
    if ('PUD' in change && (change.PUD as bigint) & PS) t.put(0x2000, ALL | (change.PUD as bigint));
    if ('PMD' in change && (change.PMD as bigint) & PS) t.put(0x3000, ALL | (change.PMD as bigint));
    expect(errorOf(t)).toBe(9);
  });

  test('do not include bit 42, bits 62:52 and the bits available to software', () => {
    const t = tables({ PTE: (0x7ffn << 52n) | 0xe00n | (1n << 42n) });
    expect(walk(t, context(), va(0), READ)).toMatchObject({ pa: 0x5000 + 2 ** 42 });
  });

  test('do not include bit 8 of a pointer on Intel', () => {
    expect(errorOf(tables({ PGD: G, PUD: G }), context({ bit8Mbz: false }))).toBeNull();
  });

  test('include PS of a PDPE if CPUID reports no 1 GiB pages', () => {
    const t = tables().put(0x2000, PS | ALL);
    expect(errorOf(t, context({ gbPages: false }))).toBe(9);
    expect(errorOf(t)).toBeNull();
  });

  test('include NX with EFER.NXE clear, at each level', () => {
    for (const level of ['PGD', 'PUD', 'PMD', 'PTE'] as const) {
      expect(errorOf(tables({ [level]: NX }), context({ nxe: false }))).toBe(9);
      expect(errorOf(tables({ [level]: NX }))).toBeNull();
    }
  });

  test('without encryption do not include bits 46:43, nor the C-bit below MAXPHYADDR', () => {
    const c = context({}, null);
    expect(walk(tables({ PTE: 1n << 47n }), c, va(0), READ)).toMatchObject({
      pa: 0x5000 + 2 ** 47,
      key: KEY_PLAIN,
    });
    expect(errorOf(tables({ PTE: 1n << 48n }), c)).toBe(9);
  });
});

describe('page permissions (APM 5.6)', () => {
  const WRITE = { ...READ, write: true };
  const USER = { ...READ, user: true };
  const FETCH = { ...READ, fetch: true };
  const without = (level: 'PGD' | 'PUD' | 'PMD' | 'PTE', bit: bigint): Tables => {
    const at = { PGD: 0x1000, PUD: 0x2000, PMD: 0x3000, PTE: 0x4000 }[level];
    return tables().put(at, BigInt(at + 0x1000) | (ALL & ~bit));
  };

  test.each(['PGD', 'PUD', 'PMD', 'PTE'] as const)(
    'are the intersection over all levels: %s',
    (level) => {
      expect(errorOf(without(level, P))).toBe(0);
      expect(errorOf(without(level, RW), context(), WRITE)).toBe(3);
      expect(errorOf(without(level, RW), context({ wp: false }), WRITE)).toBeNull();
      const userWrite = { ...WRITE, user: true };
      expect(errorOf(without(level, RW), context({ wp: false }), userWrite)).toBe(7);
      expect(errorOf(without(level, US), context(), USER)).toBe(5);
      expect(errorOf(tables({ [level]: NX }), context(), FETCH)).toBe(17);
      expect(errorOf(tables({ [level]: NX }))).toBeNull();
    },
  );
});

describe('accessed and dirty bits', () => {
  test('are set where missing after a successful walk, and not with commit false', () => {
    const bare = tables();
    [0x1000, 0x2000, 0x3000, 0x4000].forEach((at) => bare.put(at, BigInt(at + 0x1000) | P | RW));
    expect(isFault(walk(bare, context(), va(0), READ, false))).toBe(false);
    expect(bare.set).toEqual([]);
    walk(bare, context(), va(0), { ...READ, write: true });
    expect(bare.set).toEqual(['1000 k0 20', '2000 k0 20', '3000 k0 20', '4000 k0 60']);
    const readOnly = tables().put(0x4000, 0x5000n | P);
    expect(errorOf(readOnly, context(), { ...READ, write: true })).toBe(3);
    expect(readOnly.set).toEqual([]);
  });

  // APM 5.4.2: the dirty bit is set by the first write to the page, and only in the leaf.
  test.each([
    ['a read', READ, [0n, 0n, 0n, 0n], ['20', '20', '20', '20'], false],
    ['a fetch', { ...READ, fetch: true }, [0n, 0n, 0n, 0n], ['20', '20', '20', '20'], false],
    ['a write', { ...READ, write: true }, [0n, 0n, 0n, 0n], ['20', '20', '20', '60'], true],
    ['a write', { ...READ, write: true }, [A, A, A, A], ['', '', '', '60'], true],
    ['a write', { ...READ, write: true }, [A, A, A, D], ['', '', '', '60'], true],
    ['a write', { ...READ, write: true }, [A, A, A, A | D], ['', '', '', ''], true],
    ['a read', READ, [A, 0n, A, A | D], ['', '20', '', ''], true],
  ])('%s, access by access: %#', (_what, access, bits, set, dirty) => {
    const t = new Tables();
    bits.forEach((flags, i) => t.put((i + 1) * 0x1000, BigInt((i + 2) * 0x1000) | P | RW | flags));
    expect(walk(t, context(), va(0), access)).toMatchObject({ dirty });
    const expected = set.flatMap((flags, i) => (flags === '' ? [] : `${i + 1}000 k0 ${flags}`));
    expect(t.set).toEqual(expected);
  });

  test('are set under the key that the entry was read with', () => {
    const C = 1n << 47n;
    const t = new Tables()
      .put(0x1000, 0x2000n | P | C)
      .put(0x2000, 0x3000n | P, KEY_HOST)
      .put(0x3000, 0x4000n | P)
      .put(0x4000, 0x5000n | P);
    walk(t, context(), va(0), READ);
    expect(t.set).toEqual(['1000 k0 20', '2000 k1 20', '3000 k0 20', '4000 k0 20']);
  });
});

describe('the translation', () => {
  // APM 5.5.1: with CR4.PGE clear the G bit has no effect, and a write to CR3 invalidates the translation.
  test.each([
    [true, G, true],
    [true, 0n, false],
    [false, G, false],
  ])('is global only with CR4.PGE (%s) and G in the leaf (%s): %s', (pge, bits, global) => {
    expect(walk(tables({ PTE: bits }), context({ pge }), va(0), READ)).toMatchObject({ global });
  });

  // APM 5.6: a page is writable, or a user's, if it is so at each level; it is NX if any level says so.
  test.each([
    ['none', {}, { rw: true, us: true, nx: false }],
    ['NX', { PMD: NX }, { rw: true, us: true, nx: true }],
  ])('has the permissions of all levels: %s', (_what, change, expected) => {
    expect(walk(tables(change), context(), va(0), READ)).toMatchObject(expected);
  });
  test.each([
    ['RW', RW, { rw: false, us: true }],
    ['US', US, { rw: true, us: false }],
  ])('has no %s if one level lacks it', (_what, bit, expected) => {
    [0x1000, 0x2000, 0x3000, 0x4000].forEach((at) => {
      const t = tables().put(at, BigInt(at + 0x1000) | (ALL & ~bit));
      expect(walk(t, context(), va(0), READ)).toMatchObject(expected);
    });
  });

  // APM figures 5-17 to 5-19: each level is indexed by nine bits of the address; the rest is the offset in the page.
  test.each([
    ['4 KiB', PAGE_SIZE, 0x7654_3210_f000n],
    ['2 MiB', PMD_SIZE, 0x7654_3200_0000n],
    ['1 GiB', PUD_SIZE, 0x7654_0000_0000n],
  ])(
    'of a %s page is of the page’s first address, wherever in it the access is',
    (_n, size, to) => {
      const c = context({}, null);
      const at = -(2 ** 47) + 3 * 2 ** 39 + 5 * 2 ** 30 + 7 * 2 ** 21 + 9 * 2 ** 12;
      const leaf = to | ALL | (size === PAGE_SIZE ? 0n : PS);
      const t = new Tables()
        .put(0x1000 + (256 + 3) * 8, 0x2000n | ALL)
        .put(0x2000 + 5 * 8, size === PUD_SIZE ? leaf : 0x3000n | ALL)
        .put(0x3000 + 7 * 8, size === PMD_SIZE ? leaf : 0x4000n | ALL)
        .put(0x4000 + 9 * 8, leaf);
      const start = Math.floor(at / size) * size;
      for (const address of [start, start + 5, start + size - 1]) {
        // The rest of the address is that of `at`, as far as the levels above the page go.
        expect(
          walk(t, c, va(address === start + size - 1 ? address : Math.max(at, address)), READ),
        ).toMatchObject({ va: start, pa: Number(to), size, pageSize: size });
      }
    },
  );
});

describe('large pages and memory types', () => {
  test.each([
    ['4 KiB, slot 0', 'PTE', 0n, MEMTYPE.WB],
    ['4 KiB, PAT·PWT is slot 5, WP', 'PTE', 0x88n, MEMTYPE.WP],
    ['4 KiB, PWT is slot 1, WC here', 'PTE', 8n, MEMTYPE.WC],
    ['2 MiB, bit 7 is the size: PWT is slot 1', 'PMD', PS | 8n, MEMTYPE.WC],
    ['2 MiB, bit 12 is PAT: slot 5, WP', 'PMD', PS | 0x1008n, MEMTYPE.WP],
    ['1 GiB, bit 12 is PAT: slot 5, WP', 'PUD', PS | 0x1008n, MEMTYPE.WP],
  ] as const)('%s', (_what, level, bits, type) => {
    const at = { PUD: 0x2000, PMD: 0x3000, PTE: 0x4000 }[level];
    const result = walk(tables().put(at, ALL | bits), context(), va(0), READ);
    expect(result).toMatchObject({ type });
  });

  test('a page with several MTRR types is translated in the largest part of one type', () => {
    const c = context({ mtrr: (_at, size) => (size > PAGE_SIZE ? undefined : MEMTYPE.UC) });
    const t = tables().put(0x3000, PS | ALL | 0x20_0000n);
    expect(walk(t, c, va(0x3123), READ)).toMatchObject({
      va: 0x3000,
      pa: 0x20_3000,
      size: PAGE_SIZE,
      pageSize: 0x20_0000,
      type: MEMTYPE.UC,
    });
    const nothing = context({ mtrr: () => undefined });
    expect(walk(t, nothing, va(0), READ)).toMatchObject({ type: MEMTYPE.UC, size: PAGE_SIZE });
    // Memory may end within a page: the translation of that page is right all the same.
    expect(walk(t, nothing, va(0x5678), READ)).toMatchObject({ va: 0x5000, pa: 0x20_5000 });
    t.put(0x3008, PS | ALL | 0x60_0000n);
    expect(walk(t, nothing, va(0x20_5678), READ)).toMatchObject({ va: 0x20_5000, pa: 0x60_5000 });
  });

  test('the parts of a 1 GiB page are of 2 MiB where those have one type', () => {
    const asked: [number, number][] = [];
    const c = context({
      mtrr: (at, size) => {
        asked.push([at, size]);
        return size > PMD_SIZE ? undefined : MEMTYPE.WB;
      },
    });
    const t = tables().put(0x2000, PS | ALL | 0x4000_0000n);
    expect(walk(t, c, va(5 * PMD_SIZE + 3), READ)).toMatchObject({
      va: 5 * PMD_SIZE,
      pa: 0x4000_0000 + 5 * PMD_SIZE,
      size: PMD_SIZE,
      pageSize: PUD_SIZE,
      type: MEMTYPE.WB,
    });
    expect(asked).toEqual([
      [0x4000_0000, PUD_SIZE],
      [0x4000_0000 + 5 * PMD_SIZE, PMD_SIZE],
    ]);
  });

  // APM 7.8.3, table 7-9: PAT, PCD and PWT of the leaf are the slot's number.
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('PAT slot %i is selected and reported', (slot) => {
    const flags = (slot & 1 ? 8n : 0n) | (slot & 2 ? 0x10n : 0n) | (slot & 4 ? 0x80n : 0n);
    const seen: number[] = [];
    const pat = Array.from({ length: 8 }, (_, i) => (i === slot ? MEMTYPE.WT : MEMTYPE.WB));
    const patSlotUsed = new ProbePoint<[slot: number]>();
    patSlotUsed.listen((s) => seen.push(s));
    const c = context({ pat, patSlotUsed });
    expect(walk(tables({ PTE: flags }), c, va(0), READ)).toMatchObject({ type: MEMTYPE.WT });
    expect(seen).toEqual([slot]);
    expect(walk(tables(), context({ pat: [] }), va(0), READ)).toMatchObject({ type: MEMTYPE.UC });
  });
});

test('the C-bit of a pointer selects the key that the next table is read under', () => {
  const C = 1n << 47n;
  const t = new Tables()
    .put(0x1000, 0x2000n | ALL | C)
    .put(0x2000, 0x3000n | ALL, KEY_HOST)
    .put(0x3000, 0x4000n | ALL | C)
    .put(0x4000, 0x5000n | ALL | C, KEY_HOST);
  expect(walk(t, context(), va(0), READ)).toMatchObject({ pa: 0x5000, key: KEY_HOST });
  expect(traceWalk(t, context(), va(0)).map(({ key, c }) => [key, c])).toEqual([
    [KEY_PLAIN, 1],
    [KEY_HOST, 0],
    [KEY_PLAIN, 1],
    [KEY_HOST, 1],
  ]);
});

describe('a C-bit within the address bits:', () => {
  const low = (cBit: number): PagingContext => context({}, { cBit, reduction: 5, key: KEY_HOST });
  const at = (cBit: number): bigint => 1n << BigInt(cBit);

  test.each([12, 15, 20, 21, 30, 31, 32, 42])(
    'bit %i selects the key and is not part of the address',
    (cBit) => {
      // Tables at addresses that have none of the bits in question.
      const [pgd, pud, pmd, pte] = [0x2_0000, 0x4_0000, 0x6_0000, 0x8_0000] as const;
      const t = new Tables()
        .put(pgd, BigInt(pud) | ALL)
        .put(pud, BigInt(pmd) | ALL)
        .put(pmd, BigInt(pte) | ALL)
        .put(pte, 0x40_2000n | ALL | at(cBit));
      const c = { ...low(cBit), root: pa(pgd) };
      expect(walk(t, c, va(0), READ)).toMatchObject({ pa: 0x40_2000, key: KEY_HOST });
      expect(decodeEntry(c, 0x40_2001n | at(cBit), PAGE_SIZE)).toMatchObject({
        pa: 0x40_2000,
        c: 1,
      });
    },
  );

  test.each([13, 20])('bit %i need not be zero in a 2 MiB leaf, adjacent bits must', (cBit) => {
    const leaf = 0x20_0000n | PS | ALL;
    const walked = (bits: bigint): unknown =>
      walk(
        new Tables()
          .put(0x1000, 0x4_0000n | ALL)
          .put(0x4_0000, 0x8_0000n | ALL)
          .put(0x8_0000, leaf | bits),
        low(cBit),
        va(0),
        READ,
      );
    expect(walked(at(cBit))).toMatchObject({ pa: 0x20_0000, key: KEY_HOST });
    expect(walked(at(16))).toMatchObject({ error: 9 });
    // A fault names the invalid bit and not the adjacent C-bit.
    expect(walked(at(16) | at(cBit))).toMatchObject({ error: 9, read: { reserved: at(16) } });
  });

  test('bit 12 is not the PAT bit of a large leaf', () => {
    const leaf = 0x20_1008n | PS | ALL;
    const plain = { ...low(12), root: pa(0x2000) };
    const t = new Tables()
      .put(0x2000, 0x4000n | ALL)
      .put(0x4000, 0x6000n | ALL)
      .put(0x6000, leaf);
    expect(walk(t, plain, va(0), READ)).toMatchObject({ type: MEMTYPE.WC, key: KEY_HOST });
  });

  test.each([12, 21, 31])('bit %i selects the key in CR3 too', (cBit) => {
    const { format } = low(cBit);
    expect(rootOf(format, 0x60_4000n | at(cBit))).toEqual({
      root: Number(0x60_4000n & ~at(cBit)),
      rootKey: KEY_HOST,
    });
    expect(cr3Reserved(format, at(cBit))).toBe(false);
  });

  test('without encryption its position decides its meaning', () => {
    const c = context({}, null);
    expect(walk(tables({ PTE: at(21) }), c, va(0), READ)).toMatchObject({
      pa: 0x20_5000,
      key: KEY_PLAIN,
    });
  });
});

test('CR3 has a C-bit and reserved bits', () => {
  const { format } = context();
  expect(rootOf(format, 0x5000n | (1n << 47n))).toEqual({ root: 0x5000, rootKey: KEY_HOST });
  expect(cr3Reserved(format, 1n << 47n)).toBe(false);
  expect(cr3Reserved(format, 1n << 43n)).toBe(true);
  expect(cr3Reserved(context({}, null).format, 1n << 43n)).toBe(false);
});

describe('the entry that a page fault reports', () => {
  const faultOf = (t: Tables, c = context(), access = READ) => {
    const result = walk(t, c, va(0), access);
    return isFault(result) ? result.read : undefined;
  };

  test('has the address and the key of the walk’s read', () => {
    const C = 1n << 47n;
    const t = tables({ PGD: C }).put(0x2000, 0n, KEY_HOST);
    expect(faultOf(t)).toEqual({
      ...{ level: 'PUD', at: 0x2000, key: KEY_HOST, value: 0n, reserved: 0n, absent: false },
    });
  });

  test('has its reserved bits, those of the low half too', () => {
    const t = tables().put(0x3000, ALL | PS | (1n << 13n) | (1n << 43n) | (1n << 51n));
    const read = faultOf(t);
    expect(read).toMatchObject({ level: 'PMD', at: 0x3000, absent: false });
    expect(bitNumbers(read?.reserved ?? 0n)).toBe('51, 43, 13');
    expect(bitNumbers(faultOf(tables({ PTE: NX }), context({ nxe: false }))?.reserved ?? 0n)).toBe(
      '63',
    );
    expect(
      bitNumbers(faultOf(tables({ PUD: PS }), context({ gbPages: false }))?.reserved ?? 0n),
    ).toBe('7');
  });

  // With SYSCFG[23] clear the C-bit is an address bit: the walk goes where nothing is, which is no reserved bit of the entry that led there.
  test('is absent if nothing answers at its address', () => {
    const t = tables({ PGD: 1n << 47n });
    t.answers = (at) => at < 2 ** 40;
    t.put(2 ** 47 + 0x2000, 2n ** 64n - 1n);
    expect(faultOf(t, context({}, null))).toMatchObject({
      ...{ level: 'PUD', at: 2 ** 47 + 0x2000, absent: true },
    });
    expect(faultOf(tables({ PGD: 1n << 48n }), context({}, null))).toMatchObject({
      ...{ level: 'PGD', at: 0x1000, absent: false, reserved: 1n << 48n },
    });
  });

  test('is not absent for a reader that does not know what answers', () => {
    const t = tables().put(0x4000, 0n);
    const reader = {
      high: 0,
      readEntry(at: Pa, key: KeyId): number {
        const low = t.readEntry(at, key);
        reader.high = t.high;
        return low;
      },
      setBits: () => undefined,
    };
    expect(traceWalk(reader, context(), va(0)).at(-1)).toMatchObject({ absent: false });
  });

  test('is the leaf if the page’s permissions refuse the access', () => {
    const t = tables().put(0x4000, 0x5000n | P | US | A);
    expect(faultOf(t, context(), { ...READ, write: true })).toMatchObject({
      ...{ level: 'PTE', at: 0x4000, value: 0x5000n | P | US | A, reserved: 0n },
    });
  });

  test('has reserved bits exactly if the cause is reserved', () => {
    const levels = ['PGD', 'PUD', 'PMD', 'PTE'] as const;
    const contexts = [
      ...[context(), context({}, null), context({ nxe: false }), context({ gbPages: false })],
      context({ bit8Mbz: false }),
    ];
    // Of 64 random bits a high one is always reserved: most entries have a few bits besides P.
    const few = fc
      .array(fc.nat(63), { maxLength: 3 })
      .map((numbers) => numbers.reduce((sum, n) => sum | (1n << BigInt(n)), P));
    const low = fc.nat(0x1fff).map((value) => BigInt(value) | P);
    fc.assert(
      fc.property(
        fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), few, low),
        fc.constantFrom(...levels),
        fc.constantFrom(...contexts),
        (bits, level, c) => {
          const at = { PGD: 0x1000, PUD: 0x2000, PMD: 0x3000, PTE: 0x4000 }[level];
          const steps = traceWalk(tables().put(at, bits), c, va(0));
          const step = steps.find((each) => each.level === level);
          expect(step?.kind === 'reserved').toBe(step?.reserved !== 0n);
          const span = { PGD: 2 ** 39, PUD: 2 ** 30, PMD: 2 ** 21, PTE: 2 ** 12 }[level];
          expect(decodeEntry(c, bits, span).reserved).toBe(step?.reserved);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test.each([
  [0n, ''],
  [1n, '0'],
  [2n, '1'],
  [0b1111n << 48n, '51..48'],
  [0b1011n, '3, 1..0'],
  [1n << 63n, '63'],
  [2n ** 64n - 1n, '63..0'],
])('bitNumbers(%s) is %p', (mask, text) => {
  expect(bitNumbers(mask)).toBe(text);
});

test('decodeEntry reports an address above the physical size unmasked, with its reserved bits', () => {
  const entry = (1n << 46n) | (1n << 43n) | 0x20_0000n | (1n << 47n) | P | RW | PS;
  expect(decodeEntry(context(), entry, 0x20_0000)).toMatchObject({
    pa: 2 ** 46 + 2 ** 43 + 0x20_0000,
    c: 1,
    reserved: (1n << 46n) | (1n << 43n),
  });
  // With encryption off the physical size is 48 bits, and the C-bit one of them.
  expect(decodeEntry(context({}, null), entry, 0x20_0000)).toMatchObject({
    pa: 2 ** 47 + 2 ** 46 + 2 ** 43 + 0x20_0000,
    c: 0,
    reserved: 0n,
  });
});

describe('traceWalk', () => {
  test('has each table, index, entry and target down to the leaf', () => {
    const c = context({}, null);
    const at = va(3 * 2 ** 39 + 5 * 2 ** 30 + 7 * 2 ** 21 + 9 * 2 ** 12);
    const t = new Tables()
      .put(0x1000 + 3 * 8, 0x2000n | ALL)
      .put(0x2000 + 5 * 8, 0x3000n | ALL)
      .put(0x3000 + 7 * 8, 0x4000n | ALL)
      .put(0x4000 + 9 * 8, 0x5000n | ALL | NX);
    expect(
      traceWalk(t, c, at).map(({ level, table, index, kind, target }) => ({
        ...{ level, table, index, kind, target },
      })),
    ).toEqual([
      { level: 'PGD', table: 0x1000, index: 3, kind: 'table', target: 0x2000 },
      { level: 'PUD', table: 0x2000, index: 5, kind: 'table', target: 0x3000 },
      { level: 'PMD', table: 0x3000, index: 7, kind: 'table', target: 0x4000 },
      { level: 'PTE', table: 0x4000, index: 9, kind: 'leaf', target: 0x5000 },
    ]);
    expect(traceWalk(t, c, at).at(-1)?.entry).toBe(0x5000n | ALL | NX);
    expect(t.set).toEqual([]);
  });

  test('stops at a large leaf, whose target lacks the bits below the page', () => {
    const t = tables().put(0x3000, 0x20_0000n | ALL | PS | 0x1000n);
    const steps = traceWalk(t, context(), va(0x1234));
    expect(steps.map(({ level }) => level)).toEqual(['PGD', 'PUD', 'PMD']);
    expect(steps.at(-1)).toMatchObject({ kind: 'leaf', target: 0x20_0000 });
  });

  test.each([
    ['not-present', 0n],
    ['reserved', 0x4000n | ALL | (1n << 51n)],
  ])('stops at an entry that is %s, which has no target', (kind, entry) => {
    const steps = traceWalk(tables().put(0x3000, entry), context(), va(0));
    expect(steps.length).toBe(3);
    expect(steps[2]).toMatchObject({ kind, entry });
    expect(steps[2]).not.toHaveProperty('target');
  });
});

test.each([
  ['a table pointer', 0x4000n | ALL, PMD_SIZE, false],
  ['a 2 MiB leaf', 0x20_0000n | ALL | PS, PMD_SIZE, true],
  ['a 1 GiB leaf', 0x4000_0000n | ALL | PS, PUD_SIZE, true],
  ['a 4 KiB entry without PAT', 0x5000n | ALL, PAGE_SIZE, true],
  ['a 4 KiB entry with PAT', 0x5000n | ALL | PS, PAGE_SIZE, true],
  // A PGD entry has no leaf: PS is a bit that must be zero.
  ['a PGD entry with PS', 0x4000n | ALL | PS, 2 ** 39, false],
] as const)('decodeEntry of %s', (_what, entry, span, leaf) => {
  const address = Number(entry & ~0xfffn);
  expect(decodeEntry(context(), entry, span)).toMatchObject({ leaf, pa: address });
});

test('decodeEntry reports the memory type of a leaf under PAT and MTRRs', () => {
  const asked: number[] = [];
  const mtrr = (_at: number, size: number) => {
    asked.push(size);
    return size > PAGE_SIZE ? undefined : MEMTYPE.UC;
  };
  // With several types in the page, that of its first 4 KiB.
  const split = context({ mtrr });
  expect(decodeEntry(split, 0x4000_0000n | ALL | PS, PUD_SIZE)).toMatchObject({ type: 'UC' });
  expect(asked).toEqual([PUD_SIZE, PAGE_SIZE]);
  // The PAT bit is bit 7 of a 4 KiB entry and bit 12 of a larger leaf: slot 5 is WP here, slot 1 WC.
  expect(decodeEntry(context(), 0x4088n | ALL, PAGE_SIZE)).toMatchObject({ type: 'WP' });
  expect(decodeEntry(context(), 0x20_1008n | ALL | PS, PMD_SIZE)).toMatchObject({
    ...{ type: 'WP', pa: 0x20_0000, flags: 'RW|US|A|D' },
  });
  expect(decodeEntry(context(), 0x20_0008n | ALL | PS, PMD_SIZE)).toMatchObject({ type: 'WC' });
  // No table spans more than 512 GiB: MTRRs are asked for at most 1 GiB.
  asked.length = 0;
  decodeEntry(split, 0x4000n | ALL, 2 ** 39);
  expect(asked).toEqual([PUD_SIZE, PAGE_SIZE]);
});

test('decodeEntry of a span that no level has reports no reserved bits', () => {
  const entry = 0x5000n | ALL | (1n << 51n);
  expect(decodeEntry(context(), entry, 2 ** 15)).toMatchObject({
    ...{ leaf: false, reserved: 0n, pa: 0x5000 + 2 ** 51 },
  });
});

test.each([
  ['a write to a page that is read-only', { ...READ, write: true }, P | US | A, 'write'],
  ['a user access', { ...READ, user: true }, P | RW | A, 'user'],
  ['a fetch', { ...READ, fetch: true }, ALL | NX, 'fetch'],
  ['an absent page', READ, 0n, 'not-present'],
  ['a reserved bit', READ, ALL | (1n << 51n), 'reserved'],
])('a page fault says why: %s', (_what, access, leaf, why) => {
  const result = walk(tables().put(0x4000, 0x5000n | leaf), context(), va(0x123), access);
  expect(result).toMatchObject({ vector: 14, address: 0x123, why });
});

// APM 8.4.2: the fetch bit of the error code is undefined without NX; it is reported as clear then.
test('a page fault of a fetch has its bit in the error code only with EFER.NXE', () => {
  const FETCH = { ...READ, fetch: true };
  const absent = tables().put(0x4000, 0n);
  expect(errorOf(absent, context(), FETCH)).toBe(0x10);
  expect(errorOf(absent, context({ nxe: false }), FETCH)).toBe(0);
  expect(errorOf(absent, context(), { ...READ, write: true, user: true })).toBe(6);
});

test('decodeEntry reports address, C-bit, flags and type', () => {
  const value = 0x20_0000n | P | RW | A | D | PS | G | NX | (1n << 47n);
  expect(decodeEntry(context(), value, 0x20_0000)).toEqual({
    pa: 0x20_0000,
    c: 1,
    leaf: true,
    flags: 'RW|A|D|G|NX',
    type: 'WB',
    reserved: 0n,
  });
});

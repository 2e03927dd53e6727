import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changesOf, type RangeFact } from '../../src/inspect/difference.js';

const facts = (values: Record<string, string | number>) => ({
  facts: Object.entries(values).map(([name, value]) => ({ name, value })),
});

describe('values by name', () => {
  test('that changed, went and came are listed in their order', () => {
    const before = facts({ rax: 1, rbx: 2, rcx: 3, rdi: 9 });
    const after = facts({ rax: 1, rcx: 4, rdx: 5, rdi: 9 });
    expect(changesOf(before, after)).toEqual([
      { what: 'rbx', before: 2 },
      { what: 'rcx', before: 3, after: 4 },
      { what: 'rdx', after: 5 },
    ]);
  });

  test('that are equal are no difference', () => {
    expect(changesOf(facts({ a: 0 }), facts({ a: 0 }))).toEqual([]);
    expect(changesOf(facts({ a: 0 }), facts({ a: '0' }))).toHaveLength(1);
  });
});

const range = (start: number, bytes: number, value: string, target?: number, space?: string) => ({
  start,
  bytes,
  value,
  ...(target !== undefined && { target }),
  ...(space !== undefined && { space }),
});

describe('ranges of addresses', () => {
  test('are split where one of the states changes, and merged where both go on', () => {
    const before = { ranges: [range(0, 0x8000, 'RW', 0x1000)] };
    const after = {
      ranges: [
        range(0, 0x2000, 'RW', 0x1000),
        range(0x2000, 0x1000, 'RW', 0x9000),
        range(0x3000, 0x1000, 'RW', 0xa000),
        range(0x5000, 0x3000, 'RW', 0x6000),
      ],
    };
    expect(changesOf(before, after)).toEqual([
      { what: '0x2000..0x3fff', before: '0x3000 RW', after: '0x9000 RW' },
      { what: '0x4000..0x4fff', before: '0x5000 RW' },
    ]);
  });

  test('of the kernel follow those of the low half', () => {
    const after = {
      ranges: [range(-0x1000, 0x1000, 'x'), range(-0x8000_0000, 64, 'y'), range(0, 1, 'z')],
    };
    expect(changesOf({}, after).map(({ what }) => what)).toEqual([
      '0x0..0x0',
      '0xffffffff80000000..0xffffffff8000003f',
      '0xfffffffffffff000..0xffffffffffffffff',
    ]);
  });

  test('are compared within their space', () => {
    const before = { ranges: [range(0, 64, 'dirty', undefined, 'C=1')] };
    const after = { ranges: [range(0, 64, 'dirty', undefined, 'C=0')] };
    expect(changesOf(before, after)).toEqual([
      { what: '0x0..0x3f C=0', after: 'dirty' },
      { what: '0x0..0x3f C=1', before: 'dirty' },
    ]);
  });

  test('differ at exactly the addresses whose values differ', () => {
    const SIZE = 64;
    const state = fc.array(fc.constantFrom('', 'a', 'b'), { minLength: SIZE, maxLength: SIZE });
    /** The values of addresses as ranges: runs, some of them cut in two. */
    const rangesOf = (values: readonly string[]): RangeFact[] =>
      values.flatMap((value, start) => (value === '' ? [] : [range(start, 1, value)]));
    const merged = (ranges: readonly RangeFact[]): RangeFact[] => {
      const out: { start: number; bytes: number; value: string }[] = [];
      for (const { start, value } of ranges) {
        const last = out.at(-1);
        if (last?.value === value && last.start + last.bytes === start && start % 7 !== 0)
          last.bytes++;
        else out.push({ start, bytes: 1, value });
      }
      return out;
    };
    fc.assert(
      fc.property(state, state, (a, b) => {
        const found = changesOf({ ranges: rangesOf(a) }, { ranges: merged(rangesOf(b)) });
        const at = new Map<number, readonly [unknown, unknown]>();
        for (const { what, before, after } of found) {
          const [first = 0, last = 0] = what.split('..').map(Number);
          for (let i = first; i <= last; i++) at.set(i, [before, after]);
        }
        for (let i = 0; i < SIZE; i++) {
          const expected =
            a[i] === b[i]
              ? undefined
              : [a[i] === '' ? undefined : a[i], b[i] === '' ? undefined : b[i]];
          expect(at.get(i)).toEqual(expected);
        }
      }),
    );
  });
});

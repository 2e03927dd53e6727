import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  compare,
  isSame,
  similarity,
  type Difference,
  type EventDifference,
  type FieldDifference,
} from '../../src/check/compare.js';
import type { Trace, TraceEvent } from '../../src/trace/trace.js';
import { anyTrace, smallTrace, traceWith } from '../trace/helpers.js';

const map = (va: string, C: 0 | 1): TraceEvent => ({ map: va, pa: '0x0', C, in: 'f' });

function mirrored(difference: Difference): Difference {
  const turn = { gone: 'added', added: 'gone', changed: 'changed' } as const;
  const fields = (list: readonly FieldDifference[]): FieldDifference[] =>
    list.map(({ field, expected, found }) => ({ field, expected: found, found: expected }));
  const event = (each: EventDifference): EventDifference =>
    each.change === 'changed'
      ? { ...each, expected: each.found, found: each.expected, fields: fields(each.fields) }
      : { ...each, change: turn[each.change] };
  return {
    header: fields(difference.header),
    steps: difference.steps.map(({ label, change, events }) => ({
      label,
      change: turn[change],
      events: events.map(event),
    })),
    consumed: fields(difference.consumed),
    final: fields(difference.final),
    outcome: fields(difference.outcome),
    reports: difference.reports.map((each) =>
      each.change === 'changed'
        ? { ...each, expected: each.found, found: each.expected, fields: fields(each.fields) }
        : { ...each, change: turn[each.change] },
    ),
  };
}

/** A difference with its lists sorted: the order of the two sides within a gap is not specified. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, each]) => [key, sorted(each)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

describe('a trace', () => {
  test('is the same as itself', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        expect(isSame(compare(trace, trace))).toBe(true);
        expect(isSame(compare(trace, structuredClone(trace)))).toBe(true);
      }),
    );
  });

  test('is the same for any order of the keys of an event', () => {
    const one = traceWith({ a: [{ map: '0x0', C: 1 }] });
    const other = traceWith({ a: [{ C: 1, map: '0x0' }] });
    expect(isSame(compare(one, other))).toBe(true);
  });

  test('differs from another as the other from it, with sides swapped', () => {
    fc.assert(
      fc.property(anyTrace, anyTrace, (a, b) => {
        expect(sorted(compare(b, a))).toEqual(sorted(mirrored(compare(a, b))));
      }),
    );
  });

  test('differs from every other trace', () => {
    fc.assert(
      fc.property(anyTrace, anyTrace, (a, b) => {
        const equal = JSON.stringify(sorted(a.steps)) === JSON.stringify(sorted(b.steps));
        if (!equal) expect(isSame(compare(a, b))).toBe(false);
      }),
    );
  });
});

describe('the difference of two traces', () => {
  const before = traceWith({ a: [map('0x0', 1), { console: 'x' }], b: [{ console: 'y' }] });

  test('has the fields of an event that changed', () => {
    const after = traceWith({ a: [map('0x0', 0), { console: 'x' }], b: [{ console: 'y' }] });
    expect(compare(before, after).steps).toEqual([
      {
        label: 'a',
        change: 'changed',
        events: [
          {
            change: 'changed',
            expected: map('0x0', 1),
            found: map('0x0', 0),
            fields: [{ field: 'C', expected: 1, found: 0 }],
          },
        ],
      },
    ]);
  });

  test('has events that are missing and extra', () => {
    const after = traceWith({ a: [map('0x0', 1)], b: [{ console: 'y' }, { panic: 'z' }] });
    expect(compare(before, after).steps).toEqual([
      { label: 'a', change: 'changed', events: [{ change: 'gone', event: { console: 'x' } }] },
      { label: 'b', change: 'changed', events: [{ change: 'added', event: { panic: 'z' } }] },
    ]);
  });

  test('has a boot step that was never reached', () => {
    const after = traceWith({ a: [map('0x0', 1), { console: 'x' }] });
    expect(compare(before, after).steps).toEqual([
      { label: 'b', change: 'gone', events: [{ change: 'gone', event: { console: 'y' } }] },
    ]);
    expect(compare(after, before).steps).toMatchObject([{ label: 'b', change: 'added' }]);
  });

  test('has header, final state, consumed and outcome in separate sections', () => {
    const one = smallTrace();
    const other = {
      ...one,
      header: { ...one.header, stage: 9, overlay: [] },
      consumed: [
        { name: 'command line', by: 'x', intact: true },
        ...one.consumed.map(({ name, by }) => ({ name, by, intact: true })),
      ],
      final: { regions: [] },
      outcome: { kind: 'booted' as const },
    };
    const difference = compare(one, other);
    expect(difference.header).toEqual([
      { field: 'stage', expected: 8, found: 9 },
      { field: 'overlay[sme_me_mask]', expected: 'sme_me_mask', found: undefined },
      { field: 'overlay', expected: undefined, found: '[]' },
    ]);
    expect(difference.consumed).toEqual(
      expect.arrayContaining([
        { field: 'initrd by unpack_to_rootfs.intact', expected: false, found: true },
        { field: 'command line by x.intact', expected: undefined, found: true },
      ]),
    );
    expect(difference.final).toContainEqual({
      field: 'initrd.state',
      expected: 'ciphertext',
      found: undefined,
    });
    expect(difference.outcome).toContainEqual({
      field: 'kind',
      expected: 'panic',
      found: 'booted',
    });
    expect(isSame(difference)).toBe(false);
  });

  test('may ignore the header', () => {
    const one = smallTrace();
    const difference = compare(one, { ...one, header: { ...one.header, stage: 9 } });
    expect(isSame(difference)).toBe(false);
    expect(isSame(difference, { header: false })).toBe(true);
  });

  test('does not compare the version of the program that wrote a trace', () => {
    const one = smallTrace();
    const difference = compare(one, { ...one, header: { ...one.header, version: '9.9.9' } });
    expect(isSame(difference)).toBe(true);
  });

  test('numbers regions that have the same name', () => {
    const one = smallTrace();
    const regions = [...one.final.regions, ...one.final.regions];
    expect(compare(one, { ...one, final: { regions } }).final).toContainEqual({
      field: 'initrd (2).state',
      expected: undefined,
      found: 'ciphertext',
    });
  });
});

test('similarity of events of different kinds is 0', () => {
  expect(similarity({ map: '0x0', in: 'f' }, { unmap: '0x0', in: 'f' })).toBe(0);
  expect(similarity({ map: '0x0', in: 'f' }, { map: '0x0', in: 'g' })).toBe(0.5);
});

test('a line of the screen that differs is named by its number', () => {
  const one = smallTrace();
  const withScreen = (screen: string[]): Trace => ({ ...one, final: { ...one.final, screen } });
  expect(compare(withScreen(['a', 'b']), withScreen(['a', 'c'])).final).toEqual([
    { field: 'screen.1', expected: 'b', found: 'c' },
  ]);
  expect(compare(one, withScreen(['a'])).final).toEqual([
    { field: 'screen.0', expected: undefined, found: 'a' },
  ]);
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Coalescer, MERGE_WINDOW } from '../../src/trace/coalesce.js';
import {
  isSpan,
  type EventFields,
  type EventInput,
  type FieldsOf,
  type Span,
} from '../../src/trace/event.js';
import type { TraceKind } from '../../src/trace/vocabulary.js';
import { by, PAGE, pa, va } from './helpers.js';

const map = (page: number, C: 0 | 1 = 1): EventInput<'map'> => ({
  kind: 'map',
  fields: { va: va(page * PAGE), pa: pa(page * PAGE), C },
});
const event = <K extends TraceKind>(kind: K, fields: FieldsOf<K>): EventInput<K> => ({
  kind,
  fields,
});

function runsOf(events: readonly EventInput[], path: (index: number) => number = () => 0) {
  const coalescer = new Coalescer();
  events.forEach((each, index) => coalescer.add(each, by('f'), path(index)));
  return coalescer.runs.map(({ kind, fields, at }) => ({ kind, fields, n: at.length }));
}

describe('adjacent events', () => {
  test('of consecutive pages become one range', () => {
    expect(runsOf([map(0), map(1), map(2)])).toEqual([
      { kind: 'map', fields: { va: va(0, 3 * PAGE), pa: pa(0, 3 * PAGE), C: 1 }, n: 3 },
    ]);
  });

  test('with one address become one range as well', () => {
    const at = [0, 1, 2].map((page) => event('fill', { at: pa(page * PAGE) }));
    expect(runsOf(at)).toEqual([{ kind: 'fill', fields: { at: pa(0, 3 * PAGE) }, n: 3 }]);
  });

  test.each([
    ['before the end', { ...pa(PAGE - 1) }],
    ['past the end', { ...pa(PAGE + 1) }],
  ])('are not merged if the second begins one byte %s of the first', (_where, second) => {
    expect(runsOf([event('fill', { at: pa(0) }), event('fill', { at: second })])).toHaveLength(2);
  });

  test('are not merged if the C-bit differs', () => {
    expect(runsOf([map(0, 0), map(1, 1)])).toHaveLength(2);
  });

  test('are not merged if one has an additional field', () => {
    const more = event('map', { ...map(1).fields, type: 'WP' });
    expect(runsOf([map(0), more])).toHaveLength(2);
    expect(runsOf([more, map(2)])).toHaveLength(2);
  });

  test('are not merged if the call path or the origin differs', () => {
    expect(runsOf([map(0), map(1)], (index) => index)).toHaveLength(2);
    const coalescer = new Coalescer();
    coalescer.add(map(0), by('f'), 0);
    coalescer.add(map(1), { ...by('f'), patch: 9 }, 0);
    expect(coalescer.runs).toHaveLength(2);
  });

  test('are not merged if an address is virtual in one and physical in the other', () => {
    const at = [event('fill', { at: pa(0) }), event('fill', { at: va(PAGE) })];
    expect(runsOf(at)).toHaveLength(2);
  });

  test('that are equal are merged and counted', () => {
    expect(
      runsOf([event('cache-flush', { how: 'wbinvd' }), event('cache-flush', { how: 'wbinvd' })]),
    ).toEqual([{ kind: 'cache-flush', fields: { how: 'wbinvd' }, n: 2 }]);
  });
});

describe('pages in descending order', () => {
  test('become one range if they are cleared', () => {
    const cleared = (page: number): EventInput =>
      event('fill', { at: va(page * PAGE), pa: pa((page + 100) * PAGE), C: 1 });
    expect(runsOf([cleared(3), cleared(2), cleared(1)])).toEqual([
      {
        ...cleared(1),
        fields: { at: va(PAGE, 3 * PAGE), pa: pa(101 * PAGE, 3 * PAGE), C: 1 },
        n: 3,
      },
    ]);
    // Not merged: first up, then down; nor one address up and the other down.
    expect(runsOf([cleared(2), cleared(3), cleared(1)])).toHaveLength(2);
    expect(
      runsOf([
        event('fill', { at: va(2 * PAGE), pa: pa(5 * PAGE) }),
        event('fill', { at: va(PAGE), pa: pa(6 * PAGE) }),
      ]),
    ).toHaveLength(2);
  });

  test('are not merged if they are mapped: the address of each page would be lost', () => {
    const mapped = (page: number): EventInput =>
      event('map', { va: va(page * PAGE), pa: pa(page * PAGE), C: 1 });
    expect(runsOf([mapped(2), mapped(1)])).toHaveLength(2);
  });
});

describe('lines of the log', () => {
  const printed = (text: string): EventInput => event('console', { text });
  const drawn = event('fill', { at: va(0), C: 1 });

  test('do not separate repetitions around them, and merge with an equal line', () => {
    const runs = runsOf([printed('a'), drawn, printed('b'), drawn, printed('b'), drawn]);
    expect(runs.map(({ kind, n }) => [kind, n])).toEqual([
      ['console', 1],
      ['fill', 3],
      ['console', 2],
    ]);
  });

  test('stay in their order', () => {
    expect(runsOf([printed('a'), printed('b'), printed('a')])).toHaveLength(3);
  });
});

describe('a loop over pages', () => {
  const body = (page: number, length = PAGE): EventInput[] => [
    event('map', { va: va(-PAGE), pa: pa(page * PAGE), C: 0 }),
    event('map', { va: va(-2 * PAGE), pa: pa(page * PAGE), C: 1 }),
    event('copy', {
      from: va(-PAGE, length),
      to: va(0x5000, length),
      fromPa: pa(page * PAGE, length),
    }),
    event('unmap', { va: va(-PAGE) }),
    event('unmap', { va: va(-2 * PAGE) }),
  ];

  test('becomes a line for each operation, for any number of iterations', () => {
    const pages = Array.from({ length: 100 }, (_, page) => page);
    expect(runsOf(pages.flatMap((page) => body(page))).map(({ kind, n }) => [kind, n])).toEqual([
      ['map', 100],
      ['map', 100],
      ['copy', 100],
      ['unmap', 100],
      ['unmap', 100],
    ]);
  });

  test('merges a shorter last pass over the same buffer', () => {
    const [, , copy] = runsOf([...body(0), ...body(1), ...body(2, 100)]);
    expect(copy).toEqual({
      kind: 'copy',
      fields: { from: va(-PAGE), to: va(0x5000), fromPa: pa(0, 2 * PAGE + 100) },
      n: 3,
    });
  });

  test('does not merge a shorter fill of the same address if no range continues', () => {
    const fills = [event('fill', { at: pa(0) }), event('fill', { at: pa(0, 100) })];
    expect(runsOf(fills)).toHaveLength(2);
  });

  test('does not grow a field that was constant before', () => {
    const copy = (from: number, to: number): EventInput =>
      event('copy', { from: pa(from * PAGE), to: pa(to * PAGE) });
    expect(runsOf([copy(0, 8), copy(1, 8), copy(2, 9)])).toHaveLength(2);
  });

  test('continues its line although its functions emit many events between', () => {
    const noise = (turn: number): EventInput[] =>
      Array.from({ length: 2 * MERGE_WINDOW }, (_, each) =>
        event('read', { what: `${turn}.${each}` }),
      );
    const coalescer = new Coalescer();
    for (const turn of [0, 1]) {
      coalescer.add(map(turn), by('f'), 1);
      for (const each of noise(turn)) coalescer.add(each, by('g'), 2);
    }
    expect(coalescer.runs.filter(({ kind }) => kind === 'map')).toHaveLength(1);
  });
});

describe('a repetition', () => {
  const flush = event('tlb-flush', { how: 'cr3' });
  const others = (count: number): EventInput[] =>
    Array.from({ length: count }, (_, index) => event('read', { what: `${index}` }));

  test.each([
    [MERGE_WINDOW - 1, 1],
    [MERGE_WINDOW, 2],
  ])('with %d lines in between gives %d lines', (between, lines) => {
    const coalescer = new Coalescer();
    coalescer.add(flush, by('f'), 1);
    for (const each of others(between)) coalescer.add(each, by('g'), 2);
    coalescer.add(flush, by('f'), 1);
    expect(coalescer.runs.filter(({ kind }) => kind === 'tlb-flush')).toHaveLength(lines);
  });

  test('is not merged across a write to CR4: the second WBINVD stays after it', () => {
    const wbinvd = event('cache-flush', { how: 'wbinvd' });
    const cr4 = event('cr', { reg: 'CR4', value: '0x20' });
    const kinds = runsOf([wbinvd, cr4, wbinvd, wbinvd]).map(({ kind, n }) => [kind, n]);
    expect(kinds).toEqual([
      ['cache-flush', 1],
      ['cr', 1],
      ['cache-flush', 2],
    ]);
  });

  test('is not merged across a write to CR4, unlike a range that continues', () => {
    const cr4 = event('cr', { reg: 'CR4', value: '0x20' });
    expect(runsOf([map(0), cr4, map(1)])).toHaveLength(2);
    expect(runsOf([map(0), cr4, map(0)])).toHaveLength(3);
  });

  test('of a CPU state change stays in order: CR4 is cleared and set again', () => {
    const cr4 = (value: string): EventInput => event('cr', { reg: 'CR4', value });
    expect(runsOf([cr4('0x20'), cr4('0xa0'), cr4('0x20')])).toHaveLength(3);
    expect(runsOf([cr4('0x20'), cr4('0x20')])).toHaveLength(1);
  });
});

describe('any list of fills', () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 3 }))
    .map(([start, length]) => pa(start * 8, length * 8));
  const anyFill = fc.record({ at: span, C: fc.constantFrom(0, 1) });
  const covered = (list: readonly EventFields[], C: number): Set<number> => {
    const out = new Set<number>();
    for (const fields of list) {
      if (fields.C !== C || !isSpan(fields.at)) continue;
      const { start, length }: Span = fields.at;
      for (let at = start; at < start + length; at++) out.add(at);
    }
    return out;
  };

  test('is merged into runs that cover exactly its addresses and count all events', () => {
    fc.assert(
      fc.property(fc.array(anyFill, { maxLength: 40 }), (fills) => {
        const runs = runsOf(fills.map((fields) => event('fill', fields)));
        for (const C of [0, 1]) {
          const after = covered(
            runs.map(({ fields }) => fields),
            C,
          );
          expect(after).toEqual(covered(fills, C));
        }
        expect(runs.reduce((sum, { n }) => sum + n, 0)).toBe(fills.length);
      }),
    );
  });
});

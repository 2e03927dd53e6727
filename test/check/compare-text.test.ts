import { expect, test } from '@jest/globals';
import { compare } from '../../src/check/compare.js';
import {
  differenceBlocks,
  differenceText,
  fieldText,
  firstOfBlock,
} from '../../src/check/compare-text.js';
import { smallTrace, traceWith } from '../trace/helpers.js';

const before = traceWith({ a: [{ map: '0x0', C: 1 }, { console: 'x' }], b: [{ console: 'y' }] });
const after = {
  ...traceWith({ a: [{ map: '0x0', C: 0 }, { panic: 'z' }] }),
  outcome: { kind: 'booted' as const },
};

test('a difference has a line for each event that is missing, extra or changed', () => {
  expect(differenceText(compare(before, after))).toBe(`a:
  ~ {map: 0x0, C: 0}
      C: expected 1, found 0
  - {console: x}
  + {panic: z}
b: (missing)
  - {console: y}
outcome:
  kind: expected panic, found booted
  where: expected panic, found (none)
  message: expected VFS: Unable to mount root fs, found (none)
`);
});

test('no difference is an empty text', () => {
  expect(differenceText(compare(smallTrace(), smallTrace()))).toBe('');
});

test('a difference is coloured with the given painter', () => {
  const paint = {
    heading: (text: string) => `H${text}`,
    gone: (text: string) => `G${text}`,
    added: (text: string) => `A${text}`,
    changed: (text: string) => `C${text}`,
  };
  const marks = differenceText(compare(before, after), paint)
    .split('\n')
    .map((line) => line.slice(0, 1));
  expect(marks.join('')).toBe('HCCGAHGHCCC');
});

test('a field that one side lacks is printed as (none)', () => {
  expect(fieldText({ field: 'hunk', expected: undefined, found: '08/enc' })).toBe(
    'hunk: expected (none), found 08/enc',
  );
});

test('with the wording `before` a field is printed as before → after', () => {
  expect(fieldText({ field: 'C', expected: 0, found: 1 }, 'before')).toBe('C: 0 → 1');
});

test('each section has its title, the header first and the outcome last', () => {
  const trace = smallTrace();
  const other = {
    ...trace,
    header: { ...trace.header, stage: 3 },
    consumed: [{ name: 'initrd', by: 'unpack_to_rootfs', intact: true }],
    final: { ...trace.final, regions: [] },
    outcome: { kind: 'hung' as const },
  };
  const blocks = differenceBlocks(compare(trace, other));
  expect(blocks.map(({ section, heading }) => [section, heading])).toEqual([
    ['header', 'header:'],
    ['consumed', 'consumed:'],
    ['final', 'final state:'],
    ['outcome', 'outcome:'],
  ]);
  expect(blocks.every(({ fields, lines }) => fields.length === lines.length)).toBe(true);
  expect(blocks[0] && firstOfBlock(blocks[0])).toMatch(/^stage: expected .*, found 3$/);
});

test('a step that only the second trace has is extra, one that both have is marked by its events', () => {
  const [block] = differenceBlocks(compare(traceWith({}), traceWith({ b: [{ console: 'y' }] })));
  expect(block).toMatchObject({
    ...{ section: 'steps', heading: 'b: (extra)', fields: [], lines: ['  + {console: y}'] },
  });
});

test('the first difference of a step is one line: the event, and its first field if it changed', () => {
  const blocks = differenceBlocks(compare(before, after));
  expect(blocks.map((block) => firstOfBlock(block))).toEqual([
    '~ {map: 0x0, C: 0} C: expected 1, found 0',
    '- {console: y}',
    'kind: expected panic, found booted',
  ]);
  const [first] = blocks;
  expect(first && firstOfBlock(first, 'before')).toBe('~ {map: 0x0, C: 0} C: 1 → 0');
});

test('of an event with several changed fields only the first is in the line', () => {
  const of = (C: 0 | 1, pa: string) =>
    traceWith({ a: [{ map: '0x0', pa, C, in: 'f', flags: 'RW', level: 'PTE', file: 'x.c' }] });
  const [block] = differenceBlocks(compare(of(1, '0x1000'), of(0, '0x2000')));
  expect(block?.lines.length).toBe(3);
  expect(block && firstOfBlock(block)).toMatch(
    /^~ \{map: 0x0, .*\} pa: expected 0x1000, found 0x2000$/,
  );
});

test('a block without differences has no first one', () => {
  const empty = { section: 'steps', fields: [], heading: 'x:', lines: [] } as const;
  expect(firstOfBlock(empty)).toBe('');
  const step = { label: 'x', change: 'gone', events: [] } as const;
  expect(firstOfBlock({ ...empty, step })).toBe('');
});

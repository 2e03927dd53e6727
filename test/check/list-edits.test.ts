import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EQUAL } from '../../src/base/align.js';
import { applyEdits, findEdits, hasFields, type Edit } from '../../src/check/list-edits.js';

interface Item {
  readonly name: string;
  readonly place: number;
  readonly value: number;
}
type Key = Partial<Item>;
type ItemEdit = Edit<Key, Key, Item>;

const finding = {
  key: (item: Item) => JSON.stringify([item.name, item.place, item.value]),
  similar: (a: Item, b: Item) => (a.name === b.name ? EQUAL / 2 : 0),
  matches: (item: Item, key: Key) => hasFields({ ...item }, { ...key }),
  keys: ({ name, place }: Item): [Key, Key] => [{ name }, { name, place }],
  changes: (from: Item, to: Item): Key | undefined => {
    const place = from.place === to.place ? {} : { place: to.place };
    const value = from.value === to.value ? {} : { value: to.value };
    const fields = { ...place, ...value };
    return Object.keys(fields).length === 0 ? undefined : fields;
  },
};

const item = (name: string, place = 0, value = 0): Item => ({ name, place, value });

function apply(base: readonly Item[], edits: readonly ItemEdit[], misfits: number[] = []): Item[] {
  return applyEdits(base, edits, {
    matches: finding.matches,
    change: (each, to) => ({ ...each, ...to }),
    misfit: (index) => misfits.push(index),
  });
}

describe('edits of a list', () => {
  const base = [item('a'), item('b'), item('a', 1), item('c'), item('d')];

  test('copy elements that none of them names', () => {
    expect(apply(base, [])).toEqual(base);
  });

  test('are applied in order, each from where the one before it ended', () => {
    const edits: ItemEdit[] = [
      { add: item('new') },
      { after: { name: 'b' } },
      { change: { name: 'a' }, to: { value: 7 } },
      { drop: { name: 'c' } },
      { add: item('e') },
    ];
    expect(apply(base, edits).map(({ name, value }) => `${name}${String(value)}`)).toEqual([
      'new0',
      'a0',
      'b0',
      'a7',
      'e0',
      'd0',
    ]);
  });

  test('may name the nth element that matches, and all the rest', () => {
    expect(apply(base, [{ drop: { name: 'a' }, nth: 2 }, { 'drop-rest': true }])).toEqual([
      item('a'),
      item('b'),
    ]);
  });

  test('whose element is absent or before them are skipped and reported', () => {
    const misfits: number[] = [];
    const edits: ItemEdit[] = [
      { drop: { name: 'z' } },
      { drop: { name: 'c' } },
      { drop: { name: 'b' } },
      { drop: { name: 'a' }, nth: 3 },
    ];
    expect(apply(base, edits, misfits)).toEqual([...base.slice(0, 3), item('d')]);
    expect(misfits).toEqual([0, 2, 3]);
  });
});

describe('the edits between two lists', () => {
  const edits = (from: readonly Item[], to: readonly Item[]): ItemEdit[] =>
    findEdits(from, to, finding);

  test('are none for equal lists', () => {
    expect(edits([item('a'), item('b')], [item('a'), item('b')])).toEqual([]);
  });

  test('name an element by the shortest key that finds it first', () => {
    const base = [item('a', 1), item('a', 2), item('b')];
    expect(edits(base, [item('a', 1), item('b')])).toEqual([{ drop: { name: 'a', place: 2 } }]);
  });

  test('name a preceding element where no key finds it first', () => {
    const base = [item('a'), item('b'), item('a')];
    expect(edits(base, [item('a'), item('b'), item('a', 0, 5)])).toEqual([
      { after: { name: 'b' } },
      { change: { name: 'a' }, to: { value: 5 } },
    ]);
  });

  test('use nth where no key and no preceding element is unique', () => {
    const base = [item('a'), item('a'), item('a')];
    expect(edits(base, [item('a'), item('a'), item('a'), item('b')])).toEqual([
      { after: { name: 'a' }, nth: 3 },
      { add: item('b') },
    ]);
  });

  test('drop the rest in one edit', () => {
    const base = [item('a'), item('b'), item('c'), item('d')];
    expect(edits(base, [item('a'), item('x')])).toEqual([
      { after: { name: 'a' } },
      { 'drop-rest': true },
      { add: item('x') },
    ]);
    expect(edits(base, [])).toEqual([{ 'drop-rest': true }]);
  });

  test('turn the one into the other, for any lists', () => {
    const anyItem = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      place: fc.nat(2),
      value: fc.nat(1),
    });
    const list = fc.array(anyItem, { maxLength: 14 });
    fc.assert(
      fc.property(list, list, (from, to) => {
        const misfits: number[] = [];
        expect(apply(from, edits(from, to), misfits)).toEqual(to);
        expect(misfits).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('apply to a base that differs where no edit is', () => {
    const base = [item('a'), item('b'), item('c'), item('d')];
    const found = edits(base, [item('a'), item('b'), item('new'), item('c', 3), item('d')]);
    const other = [item('first'), item('a', 0, 9), item('b', 4), item('c'), item('d'), item('e')];
    expect(apply(other, found).map(({ name }) => name)).toEqual([
      'first',
      'a',
      'b',
      'new',
      'c',
      'd',
      'e',
    ]);
  });
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  PageMap,
  pageIn,
  withPages,
  type PageBlocks,
} from '../../../src/machine/memory/page-map.js';

const NUMBERS = [0, 1, 63, 64, 65, 127, 128, 2 ** 35];

test('PageMap holds pages as a Map does; frozen pages do not change', () => {
  const step = fc.record({
    what: fc.constantFrom('set', 'set', 'delete', 'freeze', 'thaw'),
    number: fc.constantFrom(...NUMBERS),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let pages = new PageMap<number>();
      let model = new Map<number, number>();
      const frozen: [PageBlocks<number>, Map<number, number>][] = [];
      for (const [i, { what, number }] of steps.entries()) {
        if (what === 'set') {
          pages.set(number, i);
          model.set(number, i);
        } else if (what === 'delete') {
          expect(pages.delete(number)).toBe(model.delete(number));
        } else if (what === 'freeze') {
          frozen.push([pages.freeze(), new Map(model)]);
        } else {
          const [blocks, then] = frozen[number % Math.max(1, frozen.length)] ?? [
            new Map(),
            new Map(),
          ];
          pages = new PageMap(blocks);
          model = new Map<number, number>(then);
        }
        expect(new Map(pages.all())).toEqual(model);
        for (const each of NUMBERS) expect(pages.get(each)).toBe(model.get(each));
      }
      for (const [blocks, then] of frozen) {
        for (const each of NUMBERS) expect(pageIn(blocks, each)).toBe(then.get(each));
      }
    }),
  );
});

test('withPages does not change the frozen pages', () => {
  const pages = new PageMap<string>();
  pages.set(1, 'a');
  pages.set(64, 'b');
  const before = pages.freeze();
  const after = withPages(before, new Map([[1, 'c']]));
  expect([pageIn(before, 1), pageIn(after, 1), pageIn(after, 64)]).toEqual(['a', 'c', 'b']);
  expect(after.get(1)).toBe(before.get(1));
});

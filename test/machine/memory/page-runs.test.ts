import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PageRuns } from '../../../src/machine/memory/page-runs.js';

describe('PageRuns', () => {
  test('returns for each number the page of the last run that covers it', () => {
    const put = fc.record({ first: fc.nat(60), length: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(
        fc.array(put, { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        (puts, pages) => {
          const model = new Map<number, number>();
          let runs = new PageRuns<number>();
          for (const [index, { first, length }] of puts.entries()) {
            const page = index % pages;
            const before = runs.all;
            const copy = structuredClone(before);
            runs = runs.with({ first, last: first + length, page });
            expect(before).toEqual(copy);
            for (let number = first; number < first + length; number++) model.set(number, page);
          }
          for (let number = -1; number < 110; number++) {
            expect(runs.get(number)).toBe(model.get(number));
          }
          const covered = runs.all.reduce((sum, { first, last }) => sum + last - first, 0);
          expect(covered).toBe(model.size);
        },
      ),
    );
  });

  test('merges adjacent runs of the same page', () => {
    const runs = new PageRuns<string>()
      .with({ first: 4, last: 6, page: 'a' })
      .with({ first: 8, last: 9, page: 'a' })
      .with({ first: 6, last: 8, page: 'a' })
      .with({ first: 9, last: 10, page: 'b' });
    expect(runs.all).toEqual([
      { first: 4, last: 9, page: 'a' },
      { first: 9, last: 10, page: 'b' },
    ]);
  });

  test('does not include `last`', () => {
    const runs = new PageRuns<string>().with({ first: 4, last: 6, page: 'a' });
    expect([3, 4, 5, 6].map((number) => runs.get(number))).toEqual([
      undefined,
      'a',
      'a',
      undefined,
    ]);
  });
});

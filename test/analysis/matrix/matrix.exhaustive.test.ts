/** The rows of all hunks; matrix.test.ts has one of each kind. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Matrix } from '../../../src/analysis/matrix/matrix.js';
import { allHunks } from '../../../src/series/patches.js';
import { holds, optionsOf, whole, type Whole } from './whole-boots.js';

describe('on bios-minimal', () => {
  let matrix: Matrix;
  let series: Whole;
  beforeAll(() => {
    const options = optionsOf('bios-minimal');
    matrix = new Matrix(options);
    series = whole(options);
  }, 60_000);

  test.each(allHunks().map(({ id }) => id))(
    'the row of %s equals that of a complete boot without it',
    (id) => {
      expect(holds(matrix, series, id).hunk).toBe(id);
    },
    60_000,
  );

  test('rows do not depend on their order or on earlier rows', () => {
    const rows = matrix.hunks.map((each) => matrix.row(each));
    const again = [...matrix.hunks].reverse().map((each) => matrix.row(each));
    expect(again.reverse()).toEqual(rows);
    expect(matrix.hunks.map((each) => matrix.row(each))).toEqual(rows);
  }, 300_000);
});

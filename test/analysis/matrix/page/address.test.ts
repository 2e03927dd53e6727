/** The address of a matrix's page. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { addressOf, fragmentOf } from '../../../../src/analysis/matrix/page/address.js';
import { wholeSeries, report, row } from '../reports.js';

const { rows } = wholeSeries();
const NONE = { text: '', scenario: '', outcome: '', patch: '' };

describe('the address of a page', () => {
  test('without anything is the rows that differ, if any does', () => {
    expect(addressOf('', rows)).toEqual({ filter: { ...NONE, differing: true } });
    expect(addressOf('', report([row()]).rows)).toEqual({ filter: { ...NONE, differing: false } });
  });

  test('of a cell is its row, among all', () => {
    expect(addressOf('row-3', rows)).toEqual({ filter: { ...NONE, differing: false }, row: 3 });
  });

  test('opens the same filters and row again', () => {
    const some = fc.record({
      text: fc.string(),
      scenario: fc.string(),
      outcome: fc.string(),
      patch: fc.string(),
      differing: fc.boolean(),
    });
    fc.assert(
      fc.property(some, fc.option(fc.nat(rows.length - 1)), (filter, index) => {
        const open = index === null ? undefined : rows[index];
        const again = addressOf(fragmentOf({ filter, row: open }), rows);
        expect(again).toEqual({ filter, ...(index !== null && { row: index }) });
      }),
    );
  });

  test('of a row that the report does not have opens none', () => {
    expect(addressOf('show=all&row=nope', rows)).toEqual({ filter: { ...NONE, differing: false } });
  });
});

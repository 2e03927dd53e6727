import { describe, expect, test } from '@jest/globals';
import {
  matches,
  nextDirection,
  sortedBy,
  type Filter,
} from '../../../../src/analysis/matrix/page/select.js';
import { initrdRow, row } from '../reports.js';

const ALL: Filter = { text: '', scenario: '', outcome: '', patch: '', differing: false };
const ROWS = [
  row({ scenario: 'epyc-efi' }),
  initrdRow(),
  row({ hunk: '10/efi', outcome: { kind: 'triple-fault' }, same: false }),
  row({ hunk: '10/esrt', outcome: { kind: 'booted' }, same: false, gained: ['option ROM'] }),
];

/** The rows that a filter matches. */
const shown = (filter: Partial<Filter>): number[] =>
  [...ROWS.keys()].filter((index) => matches(ROWS[index]!, { ...ALL, ...filter }));

describe('a filter', () => {
  test.each<[string, Partial<Filter>, number[]]>([
    ['nothing', {}, [0, 1, 2, 3]],
    ['a scenario', { scenario: 'epyc-efi' }, [0]],
    ['an outcome', { outcome: 'booted' }, [0, 3]],
    ['a patch', { patch: '10' }, [2, 3]],
    ['what differs', { differing: true }, [1, 2, 3]],
    ['a word in any case', { text: 'INITRD' }, [1]],
    ['words that are all there, in different columns', { text: ' unpack_to_rootfs  panic ' }, [1]],
    ['words that are not all there', { text: 'panic nowhere' }, []],
    ['a word of the details', { text: 'kernel/setup.c' }, [1]],
    ['all of it', { patch: '10', differing: true, outcome: 'booted', text: 'rom' }, [3]],
  ])('matches %s', (_, filter, expected) => {
    expect(shown(filter)).toEqual(expected);
  });
});

describe('an order', () => {
  test('of outcomes is by severity, rows equal to the whole series first', () => {
    expect(sortedBy(ROWS, 'outcome', 'ascending')).toEqual([0, 3, 1, 2]);
    expect(sortedBy(ROWS, 'outcome', 'descending')).toEqual([2, 1, 3, 0]);
  });

  test('of a text leaves equal rows in their order and empty cells at the end', () => {
    expect(sortedBy(ROWS, 'scenario', 'ascending')).toEqual([1, 2, 3, 0]);
    expect(sortedBy(ROWS, 'scenario', 'descending')).toEqual([0, 1, 2, 3]);
    expect(sortedBy(ROWS, 'wrong', 'ascending')).toEqual([1, 0, 2, 3]);
    expect(sortedBy(ROWS, 'wrong', 'descending')).toEqual([1, 0, 2, 3]);
  });

  test('is ascending, then descending, then the report’s', () => {
    expect(nextDirection(undefined)).toBe('ascending');
    expect(nextDirection('ascending')).toBe('descending');
    expect(nextDirection('descending')).toBeUndefined();
  });
});

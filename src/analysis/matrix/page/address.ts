/** The filters and the open row of a matrix's page as the fragment of its address. Uses no DOM. */
import { rowId } from '../grid.js';
import type { MatrixRow } from '../report.js';
import type { Filter } from './select.js';

/** What the page shows. */
export interface Shown {
  readonly filter: Filter;
  /** The row that is open. */
  readonly row?: Pick<MatrixRow, 'scenario' | 'hunk'> | undefined;
}

/** The fragment without `#`. */
export function fragmentOf({ filter, row }: Shown): string {
  const out = new URLSearchParams({ show: filter.differing ? 'differing' : 'all' });
  for (const name of ['text', 'scenario', 'outcome', 'patch'] as const) {
    if (filter[name] !== '') out.set(name, filter[name]);
  }
  if (row !== undefined) out.set('row', `${row.scenario} ${row.hunk}`);
  return out.toString();
}

/**
 * What a fragment states: filters, and the index of the open row. Without one, the rows that differ, if any does; `row-3` of
 * a cell of the grid is that row among all.
 */
export function addressOf(
  fragment: string,
  rows: readonly MatrixRow[],
): { readonly filter: Filter; readonly row?: number | undefined } {
  const given = new URLSearchParams(fragment);
  const text = (name: string): string => given.get(name) ?? '';
  const cell = rows.findIndex((_, index) => rowId(index) === fragment);
  const wanted = given.get('row');
  const named = rows.findIndex(({ scenario, hunk }) => `${scenario} ${hunk}` === wanted);
  const differing = fragment === '' ? rows.some(({ same }) => !same) : text('show') === 'differing';
  const row = cell >= 0 ? cell : named;
  return {
    filter: {
      text: text('text'),
      scenario: text('scenario'),
      outcome: text('outcome'),
      patch: text('patch'),
      differing,
    },
    ...(row >= 0 && { row }),
  };
}

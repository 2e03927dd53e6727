/** Filters and sorts the rows of a matrix page. Uses no DOM. */
import type { MatrixRow } from '../report.js';
import {
  causeAndReads,
  oneLine,
  OUTCOME_ORDER,
  outcomeText,
  patchText,
  readerText,
  writerText,
  wrongName,
} from '../words.js';

/** The columns. */
export type ColumnKey =
  'scenario' | 'hunk' | 'how' | 'outcome' | 'wrong' | 'writer' | 'reader' | 'cause';

export type Direction = 'ascending' | 'descending';

/** The values of the filters; '' is no filter. */
export interface Filter {
  /** Words, all of which a row must contain. */
  readonly text: string;
  /** As printed on the page, on one line. */
  readonly scenario: string;
  readonly outcome: string;
  /** `09`. */
  readonly patch: string;
  /** Only what differs from the whole series. */
  readonly differing: boolean;
}

/** The text in which a filter's words are searched: the columns and the row's details. */
function textOf(row: MatrixRow): string {
  const { scenario, hunk, how, file, what, firstUse, lost, gained, wrong } = row;
  const columns = [
    scenario,
    hunk,
    how,
    outcomeText(row.outcome),
    wrongName(row),
    causeAndReads(row),
  ];
  const accesses = [writerText(row), readerText(row)];
  const details = [file, what, firstUse ?? '', wrong?.pa ?? '', ...lost, ...gained];
  return [...columns, ...accesses, ...details].join('\n').toLowerCase();
}

/** Whether a row is shown. */
export function matches(row: MatrixRow, filter: Filter): boolean {
  if (filter.scenario !== '' && oneLine(row.scenario) !== filter.scenario) return false;
  if (filter.outcome !== '' && row.outcome.kind !== filter.outcome) return false;
  if (filter.patch !== '' && patchText(row) !== filter.patch) return false;
  if (filter.differing && row.same) return false;
  const words = filter.text.toLowerCase().split(/\s+/);
  const text = textOf(row);
  return words.every((word) => text.includes(word));
}

/** The texts of the columns that are sorted alphabetically. */
const TEXTS: Readonly<Record<Exclude<ColumnKey, 'outcome'>, (row: MatrixRow) => string>> = {
  scenario: (row) => row.scenario,
  hunk: (row) => row.hunk,
  how: (row) => row.how,
  wrong: wrongName,
  writer: writerText,
  reader: readerText,
  cause: causeAndReads,
};

/** Negative if `a` sorts first: outcomes by severity, other columns alphabetically. */
function compare(a: MatrixRow, b: MatrixRow, key: ColumnKey): number {
  if (key === 'outcome') {
    const byKind = OUTCOME_ORDER[a.outcome.kind] - OUTCOME_ORDER[b.outcome.kind];
    return byKind || Number(b.same) - Number(a.same);
  }
  const [one, other] = [TEXTS[key](a), TEXTS[key](b)];
  return one < other ? -1 : Number(one > other);
}

/** Indices of the rows sorted by a column; equal ones stay in the report's order, empty ones are last. */
export function sortedBy(
  rows: readonly MatrixRow[],
  key: ColumnKey,
  direction: Direction,
): number[] {
  const sign = direction === 'ascending' ? 1 : -1;
  const isEmpty = (row: MatrixRow): number => Number(key !== 'outcome' && TEXTS[key](row) === '');
  return rows
    .map((row, index) => ({ row, index }))
    .sort(
      (a, b) =>
        isEmpty(a.row) - isEmpty(b.row) || sign * compare(a.row, b.row, key) || a.index - b.index,
    )
    .map(({ index }) => index);
}

/** The direction after a click on a column's heading: ascending, descending, then the report's order (undefined). */
export function nextDirection(before: Direction | undefined): Direction | undefined {
  if (before === undefined) return 'ascending';
  return before === 'ascending' ? 'descending' : undefined;
}

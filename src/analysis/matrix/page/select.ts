/** Which rows of a matrix a page shows, and in which order. Nothing of a document is needed here. */
import type { MatrixRow } from '../report.js';
import {
  oneLine,
  OUTCOME_ORDER,
  outcomeText,
  patchText,
  readerText,
  writerText,
  wrongText,
} from '../words.js';

/** The columns, as the heads name them. */
export type ColumnKey =
  'scenario' | 'hunk' | 'how' | 'outcome' | 'wrong' | 'writer' | 'reader' | 'cause';

export type Direction = 'ascending' | 'descending';

/** What a person asked for; '' asks for nothing. */
export interface Filter {
  /** Words that a row must all have somewhere. */
  readonly text: string;
  /** As the page writes it, on one line. */
  readonly scenario: string;
  readonly outcome: string;
  /** `09`. */
  readonly patch: string;
  /** Only what differs from the whole series. */
  readonly differing: boolean;
}

/** All that the words of a filter are looked for in: the columns, and what a row's details say. */
function textOf(row: MatrixRow): string {
  const { scenario, hunk, how, cause, file, what, firstUse, lost, gained, wrong } = row;
  const columns = [scenario, hunk, how, outcomeText(row.outcome), wrongText(row), cause];
  const people = [writerText(row), readerText(row)];
  const details = [file, what, firstUse ?? '', wrong?.pa ?? '', ...lost, ...gained];
  return [...columns, ...people, ...details].join('\n').toLowerCase();
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

/** The values of the columns that sort by their text. */
const TEXTS: Readonly<Record<Exclude<ColumnKey, 'outcome'>, (row: MatrixRow) => string>> = {
  scenario: (row) => row.scenario,
  hunk: (row) => row.hunk,
  how: (row) => row.how,
  wrong: wrongText,
  writer: writerText,
  reader: readerText,
  cause: (row) => row.cause,
};

/** Below 0 if `a` comes first: outcomes by how bad they are, the rest by their text. */
function compare(a: MatrixRow, b: MatrixRow, key: ColumnKey): number {
  if (key === 'outcome') {
    const byKind = OUTCOME_ORDER[a.outcome.kind] - OUTCOME_ORDER[b.outcome.kind];
    return byKind || Number(b.same) - Number(a.same);
  }
  const [one, other] = [TEXTS[key](a), TEXTS[key](b)];
  return one < other ? -1 : Number(one > other);
}

/** Indices of the rows in the order of a column; alike ones stay in the report's order, empty ones come last. */
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

/** What a click on a column's head asks for next: up, down, then the report's own order. */
export function nextDirection(before: Direction | undefined): Direction | undefined {
  if (before === undefined) return 'ascending';
  return before === 'ascending' ? 'descending' : undefined;
}

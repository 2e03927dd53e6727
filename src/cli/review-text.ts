/** A review as text: a table of counts by patch, then the claims that failed. */
import type { ChalkInstance } from 'chalk';
import { printable, printableLines } from '../base/printable.js';
import { counts, isFailed, type Row, type State } from '../review/result.js';
import {
  countsText,
  groups,
  placeText,
  type RecordLine,
  type Review,
  rowText,
  statesOf,
  type Subjects,
} from '../review/report.js';
import { table } from './columns.js';

/** Heads of columns: short, so that all fit 76 columns. */
const HEADS: Readonly<Record<State, string>> = {
  agrees: 'agree',
  moved: 'moved',
  gone: 'gone',
  'not in this release': 'later',
  'not modelled': 'unmodelled',
  'not checked': 'unchecked',
  differs: 'differ',
  missing: 'missing',
  'not recorded': 'unrecorded',
};

export interface ReviewTextOptions {
  readonly paint: ChalkInstance;
  readonly columns: number | undefined;
  readonly subjects: Subjects;
  readonly recordLine: RecordLine;
  /** All claims, with their places. */
  readonly all: boolean;
}

const numberText = (patch: number | undefined, rest: string): string =>
  patch === undefined ? rest : String(patch).padStart(2, '0');

/** The rows of the table: a patch, its counts, its subject. */
function countRows({ rows, rest }: Review, subjects: Subjects): string[][] {
  const states = statesOf(rows);
  const line = (name: string, of: readonly Row[], subject: string): string[] => {
    const count = counts(of);
    const cells = states.map((state) => {
      const text = count[state] === undefined ? '' : String(count[state]);
      return text.padStart(HEADS[state].length);
    });
    return [name, ...cells, subject];
  };
  return [
    ['patch', ...states.map((state) => HEADS[state]), ''],
    ...groups(rows).map(({ patch, rows: of }) =>
      line(
        numberText(patch, rest === undefined ? 'base' : '-'),
        of,
        patch === undefined
          ? (rest ?? 'the model of the base kernel')
          : (subjects.get(patch) ?? ''),
      ),
    ),
  ];
}

function rowLines(row: Row, rest: string, options: ReviewTextOptions): string[] {
  const { paint, recordLine } = options;
  const claim = printable(`${numberText(row.patch, rest)} ${row.claim}`);
  const head = isFailed(row) ? paint.red(claim) : claim;
  const source = row.source === undefined ? '' : ` at ${placeText(row.source)}`;
  return [
    `${head}: ${printable(rowText(row))}${printable(source)}`,
    ...(isFailed(row) ? [`    ${placeText(recordLine(row))}`] : []),
  ];
}

/** The text of a review. */
export function reviewText(review: Review, options: ReviewTextOptions): string {
  const { rows, title, remarks, rest, tables = [] } = review;
  const shown = options.all ? rows : rows.filter(isFailed);
  const lines = shown.flatMap((row) => rowLines(row, rest === undefined ? 'base' : '-', options));
  return [
    `${options.paint.bold(printable(title))}\n`,
    ...remarks.map((remark) => `${printable(remark)}\n`),
    '\n',
    ...tables.map((each) => `${printableLines(table(each, options.columns))}\n`),
    table(countRows(review, options.subjects), options.columns),
    ...(lines.length === 0 ? [] : ['\n', ...lines.map((line) => `${line}\n`)]),
    '\n',
    `${countsText(rows)}\n`,
  ].join('');
}

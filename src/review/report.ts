/** A whole review, as the reports take it. */
import { counts, isFailed, type Row, type SourceLine, STATES, type State } from './result.js';

export interface Review {
  /** What was reviewed: `Linux 6.1.192`, `a posted series`. */
  readonly title: string;
  /** What is to be known beside the rows, in sentences. */
  readonly remarks: readonly string[];
  readonly rows: readonly Row[];
  /** What the rows without a patch are about; absent: the model of the base kernel. */
  readonly rest?: string;
  /** The sources are mails, not files of a kernel tree. */
  readonly isMail?: boolean;
  /** Tables of text, each with its heads first: how much of the source the records cover. */
  readonly tables?: readonly (readonly (readonly string[])[])[];
  /** What programs may want besides the rows. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A line of a record in the project, for a report. */
export type RecordLine = (row: Row) => SourceLine;

/** `file:line`, or the file. */
export const placeText = ({ file, line }: SourceLine): string =>
  line === undefined ? file : `${file}:${line}`;

/** The names of the patches, by number. */
export type Subjects = ReadonlyMap<number, string>;

/** What a row says, after its claim: `missing; expected sme_enable in a.S; found no such file`. */
export function rowText({ state, expected, found, note }: Row): string {
  return [
    state,
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(found === undefined ? [] : [`found ${found}`]),
    ...(note === undefined ? [] : [note]),
  ].join('; ');
}

/** The groups of a review: each patch, then the model. */
export function groups(rows: readonly Row[]): { patch: number | undefined; rows: Row[] }[] {
  const found: { patch: number | undefined; rows: Row[] }[] = [];
  for (const row of rows) {
    const group = found.find(({ patch }) => patch === row.patch);
    if (group === undefined) found.push({ patch: row.patch, rows: [row] });
    else group.rows.push(row);
  }
  return found;
}

/** The states that any row has, in order. */
export const statesOf = (rows: readonly Row[]): State[] => {
  const count = counts(rows);
  return (Object.keys(STATES) as State[]).filter((state) => count[state] !== undefined);
};

/** `214 claims: 90 agree, 1 is missing` as one line. */
export function countsText(rows: readonly Row[]): string {
  const count = counts(rows);
  const parts = statesOf(rows).map((state) => `${count[state] ?? 0} ${state}`);
  const failed = rows.filter(isFailed).length;
  return `${rows.length} claims: ${parts.join(', ')}; ${failed === 0 ? 'none' : failed} failed`;
}

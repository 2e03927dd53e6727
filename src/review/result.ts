/** The rows of a review: claims of the records, and what the source has for them. */

/** How a claim stands against the source, in the order in which reports count them. */
export const STATES = {
  agrees: 'as the record has it',
  moved: 'found under its recorded later name or file',
  gone: 'not there; the record says that it is gone',
  'not in this release': 'not there; the record says that it came later',
  'not modelled': 'there, and recorded as not modelled',
  'not checked': 'the source does not show it',
  differs: 'there, and not as recorded',
  missing: 'not there, against the record',
  'not recorded': 'there, and not in the record',
} as const;
export type State = keyof typeof STATES;

/** The states that make a review fail. */
export const FAILED: ReadonlySet<State> = new Set(['differs', 'missing', 'not recorded']);

/** A line of a file that was reviewed. */
export interface SourceLine {
  readonly file: string;
  /** From 1; absent for a whole file. */
  readonly line?: number;
}

/** One claim and what was found. */
export interface Row {
  /** The number of the patch; absent for the base kernel's model. */
  readonly patch?: number;
  /** What kind of claim it is. */
  readonly about: 'mail' | 'file' | 'name' | 'value' | 'order' | 'model' | 'trace';
  /** The claim in short: a name, a file, an order. */
  readonly claim: string;
  /** The record, or the trace, and the path of the claim in it. */
  readonly record: { readonly file: string; readonly path: string };
  readonly state: State;
  /** Where it was found. */
  readonly source?: SourceLine;
  readonly expected?: string;
  readonly found?: string;
  readonly note?: string;
}

export const isFailed = ({ state }: Row): boolean => FAILED.has(state);

/** How many rows have each state, for those that any has. */
export function counts(rows: readonly Row[]): Partial<Record<State, number>> {
  const found: Partial<Record<State, number>> = {};
  for (const state of Object.keys(STATES) as State[]) {
    const count = rows.filter((row) => row.state === state).length;
    if (count > 0) found[state] = count;
  }
  return found;
}

/** The result of a check of one file, and what all formats of reports say of it. */
import type { Place } from '../base/errors.js';
import { oneLine } from '../base/printable.js';

/** One thing in a file that is not as expected. */
export interface Failure {
  /** Where the expectation is stated; empty if it is not known. */
  readonly place: Place;
  /** What is wrong, in one line, without the place. */
  readonly headline: string;
  /** The whole description, the first line with the place. */
  readonly lines: readonly string[];
}

/**
 * The result of one check. `invalid`: the file cannot be read or booted; `updated`: it was rewritten; `skipped`: it was
 * not run.
 */
export type Status = 'ok' | 'failed' | 'invalid' | 'updated' | 'skipped';

/** The result of one file. */
export interface Result {
  readonly name: string;
  readonly status: Status;
  /** The scenario and the stage that it boots, outermost first: the subtests of KTAP. */
  readonly group: readonly string[];
  /** For `failed` and `invalid`: what is wrong, in the order of the file. */
  readonly failures: readonly Failure[];
  /** All lines of the description, of what passed as well; printed if it failed. */
  readonly lines: readonly string[];
  /** The command that repeats the boot, if there is one. */
  readonly rerun?: string;
  /** For `updated` what changed, for `skipped` why: in one line. */
  readonly note?: string;
}

/** Writes the results in a format. */
export type Reporter = (results: readonly Result[]) => string;

/** Whether a result is neither a failure nor an invalid file. */
export const isFine = ({ status }: Result): boolean => status !== 'failed' && status !== 'invalid';

/** Each line with its end. */
export const withEnds = (lines: readonly string[]): string =>
  lines.map((line) => `${line}\n`).join('');

/** The failures' lines and the command to run again: what failed, without what passed. */
export const failedLines = ({ failures, rerun }: Result): string[] => [
  ...failures.flatMap(({ lines }) => lines),
  ...(rerun === undefined ? [] : [`rerun: ${rerun}`]),
];

/** A place before a text, as compilers print it: `m.yaml:7:5: `; empty if no file is known. */
export function placePrefix({ file, line, column }: Place): string {
  if (file === undefined) return '';
  const parts = [file, line, line === undefined ? undefined : column];
  return `${parts.filter((part) => part !== undefined).join(':')}: `;
}

/** The first failure with its place: `m.yaml:7:5: match[2] expect {…}: not found`. */
export function headlineOf({ failures: [first] }: Result): string {
  return first === undefined ? 'failed' : oneLine(`${placePrefix(first.place)}${first.headline}`);
}

/** The number of results of each outcome: `3 passed, 1 failed`. */
export function countsText(results: readonly Result[]): string {
  const count = (...statuses: Status[]): number =>
    results.filter(({ status }) => statuses.includes(status)).length;
  const others = [
    [count('invalid'), 'invalid'],
    [count('updated'), 'updated'],
    [count('skipped'), 'not run'],
  ] as const;
  return [
    `${count('ok', 'updated')} passed`,
    `${count('failed', 'invalid')} failed`,
    ...others.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`),
  ].join(', ');
}

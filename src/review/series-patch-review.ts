/** The review of one patch of a posted series. */
import type { Row } from './result.js';
import type { PatchMail } from './series-mails.js';
import type { Match } from './series-match.js';

/** A patch of a series: a record and its mail, or one of them. */
export interface PatchReview {
  /** The record's number; undefined: the mail is of no record. */
  readonly number: number | undefined;
  readonly title: string;
  readonly mail: PatchMail | undefined;
  /** How the mail was found for the record. */
  readonly by: Match['by'];
  /** The diff's names by how the record has them. */
  readonly coverage: {
    readonly modelled: number;
    readonly notModelled: number;
    readonly unrecorded: number;
  };
  readonly rows: readonly Row[];
}

/** `05/20`, or `a patch` without a number. */
export function numbered({ mail: { subject } }: PatchMail): string {
  const { number, count } = subject;
  if (number === undefined || count === undefined) return 'a patch without number';
  return `${String(number).padStart(String(count).length, '0')}/${count}`;
}

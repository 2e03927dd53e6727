/** In another revision: names that one patch drops and another one has are moved, not dropped and added. */
import type { Row } from './result.js';
import type { PatchMail } from './series-mails.js';
import { numbered, type PatchReview } from './series-patch-review.js';

/** The name that a row is about: `NAME: kind added in FILE`. */
const nameOf = ({ about, claim }: Row): string | undefined =>
  about === 'name' ? /^(\S+): [a-z, ]+ added in /.exec(claim)?.[1] : undefined;

/** The reviews of a revision, with moved names told. `of`: the number of the record of each mail. */
export function withMoves(
  reviews: readonly PatchReview[],
  of: ReadonlyMap<PatchMail | undefined, number>,
): PatchReview[] {
  const homes = new Map<string, { mail: PatchMail; record: number | undefined }[]>();
  for (const { mail } of reviews) {
    if (mail === undefined) continue;
    for (const { name, defined, slight } of mail.names) {
      if (!defined || slight) continue;
      const known = homes.get(name) ?? [];
      homes.set(name, [...known, { mail, record: of.get(mail) }]);
    }
  }
  const recorded = new Map<string, number[]>();
  for (const { number, rows } of reviews) {
    for (const row of rows) {
      const name = nameOf(row);
      if (number === undefined || name === undefined || row.record.path === '') continue;
      recorded.set(name, [...(recorded.get(name) ?? []), number]);
    }
  }
  return reviews.map((review) => ({
    ...review,
    rows: review.rows.map((row): Row => {
      const name = nameOf(row);
      if (name === undefined) return row;
      const home = homes.get(name)?.find(({ mail }) => mail !== review.mail);
      if (row.state === 'missing' && home !== undefined) {
        return { ...row, state: 'differs', note: `now in ${numbered(home.mail)}` };
      }
      const from = recorded.get(name)?.find((number) => number !== review.number);
      if (row.state === 'not recorded' && from !== undefined) {
        return { ...row, note: `recorded for patch ${String(from).padStart(2, '0')}` };
      }
      return row;
    }),
  }));
}

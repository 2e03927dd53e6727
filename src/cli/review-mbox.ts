/** Reads the mails of a file or a folder for `sme-boot review --mbox`, and reviews them. */
import { InputError } from '../base/errors.js';
import { interruptible } from '../node/interrupt.js';
import { readMails } from '../node/mail-files.js';
import { mailReport } from '../review/series-report.js';
import type { Mail } from '../review/mail-message.js';
import type { Row } from '../review/result.js';
import { reviewMails } from '../review/series-review.js';
import type { WrittenReview } from './review-out.js';
import type { ReviewedRecords } from './records.js';

/** Lines of an excerpt: those before the row's, and from it on (our choice). */
const BEFORE = 3;
const AFTER = 8;

/** The lines of a mail around a row's, if the mail is in its file as it is. */
function excerptOf(mails: readonly Mail[]): WrittenReview['excerpt'] {
  return ({ source }: Row) => {
    const line = source?.line;
    if (line === undefined) return undefined;
    for (const { file, firstLine, lines } of mails) {
      if (file !== source?.file || firstLine === undefined) continue;
      const at = line - firstLine;
      if (at < 0 || at >= lines.length) continue;
      const start = Math.max(0, at - BEFORE);
      return { first: firstLine + start, lines: lines.slice(start, at + AFTER) };
    }
    return undefined;
  };
}

/** The review of a posted series. Rejects with E_NO_SERIES if the mails have no series of the records. */
export async function mailReview(
  path: string,
  { patches }: ReviewedRecords,
): Promise<WrittenReview> {
  const { mails, ignored } = await readMails(path);
  const review = interruptible(() => reviewMails(patches, mails));
  if (review.series.length === 0) {
    const foreign = review.others.filter(({ subject }) => subject.isPatch).length;
    const found = `${mails.length} ${mails.length === 1 ? 'mail' : 'mails'}`;
    throw new InputError({
      code: 'E_NO_SERIES',
      place: { file: path },
      expected: 'patches of the series, as a mailbox or mails',
      found: foreign === 0 ? `${found}, no patch` : `${found}, patches of something else`,
    });
  }
  return {
    ...mailReport(review, ignored),
    excerpt: excerptOf(mails),
    traceName: '',
    traceLines: () => new Map(),
  };
}

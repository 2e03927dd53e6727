/** Writes a review in each of its formats. */
import { VERSION } from '../base/version.js';
import type { Review } from '../review/report.js';
import { reviewGithub } from '../review/report-github.js';
import { type PageParts, reviewHtml } from '../review/report-html.js';
import { reviewJson } from '../review/report-json.js';
import { reviewSarif } from '../review/report-sarif.js';
import { isFailed } from '../review/result.js';
import { EXIT } from './exit-codes.js';
import type { Io } from './io.js';
import { openResult } from './output.js';
import { recordLineOf, type ReviewedRecords } from './records.js';
import { reviewText } from './review-text.js';

export const REVIEW_FORMS = ['text', 'json', 'sarif', 'html', 'github'] as const;
export type ReviewForm = (typeof REVIEW_FORMS)[number];

/** A review with what its page shows beside the claims. */
export interface WrittenReview extends Review, Pick<PageParts, 'excerpt' | 'traceName'> {
  traceLines(): PageParts['traceLines'];
}

interface Options {
  readonly form: ReviewForm;
  /** All claims in the text, not only those that failed. */
  readonly all: boolean;
  readonly output: string | undefined;
  readonly records: ReviewedRecords;
}

/** Writes the review; the exit status is that of a mismatch if a claim failed. */
export function writeReview(io: Io, review: WrittenReview, options: Options): void {
  const { form, all, output, records } = options;
  const recordLine = recordLineOf(records);
  const sources = records.patches;
  const out = openResult(io, output);
  const texts: Readonly<Record<Exclude<ReviewForm, 'text'>, () => string>> = {
    json: () => reviewJson(review, recordLine),
    sarif: () => reviewSarif(review, { version: VERSION, recordLine }),
    github: () => reviewGithub(review, recordLine),
    html: () =>
      reviewHtml(review, {
        version: VERSION,
        recordLine,
        patches: new Map(sources.map(({ record }) => [record.number, record])),
        excerpt: review.excerpt,
        traceLines: review.traceLines(),
        traceName: review.traceName,
      }),
  };
  if (form === 'text') {
    const subjects = new Map(sources.map(({ record }) => [record.number, record.subject]));
    const { paint, columns } = out;
    out.print(reviewText(review, { paint, columns, subjects, recordLine, all }));
  } else out.write(texts[form]());
  out.end();
  if (review.rows.some(isFailed)) io.exitCode = EXIT.mismatch;
}

/** The review of posted series, in the form of all reviews. */
import type { Review } from './report.js';
import type { Mail } from './mail-message.js';
import { isFailed } from './result.js';
import { numbered, type PatchReview } from './series-patch-review.js';
import type { MailReview, SeriesReview } from './series-review.js';

/** A file that was not read, and why. */
interface Ignored {
  readonly file: string;
  readonly reason: string;
}

const HEAD = ['mail', 'record', 'names', 'modelled', 'not', 'unrecorded', 'subject'];

function coverageRow({ number, title, mail, coverage, rows }: PatchReview): string[] {
  const { modelled, notModelled, unrecorded } = coverage;
  const names = modelled + notModelled + unrecorded;
  const cell = (count: number): string => (mail === undefined ? '-' : String(count));
  return [
    mail === undefined ? 'missing' : numbered(mail),
    number === undefined ? 'none' : String(number).padStart(2, '0'),
    cell(names),
    cell(modelled),
    cell(notModelled),
    cell(unrecorded),
    `${title}${rows.some(isFailed) ? '' : ' (agrees)'}`,
  ];
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function titleOf({ version, count, recorded }: SeriesReview): string {
  const of = count === undefined ? 'without numbers' : `of ${count}`;
  return recorded
    ? `the series as recorded, version ${version} ${of}`
    : `another revision, version ${version} ${of}, against the records`;
}

function remarksOf(series: SeriesReview): string[] {
  const mails = series.patches.filter(({ mail }) => mail !== undefined);
  const read = mails.length;
  const total = series.patches.reduce(
    (sum, { coverage: { modelled, notModelled, unrecorded } }) => ({
      modelled: sum.modelled + modelled,
      notModelled: sum.notModelled + notModelled,
      unrecorded: sum.unrecorded + unrecorded,
    }),
    { modelled: 0, notModelled: 0, unrecorded: 0 },
  );
  const missing = series.patches.filter(({ mail }) => mail === undefined);
  const by = (how: PatchReview['by']): number =>
    series.patches.filter((each) => each.by === how).length;
  return [
    `${plural(read, 'patch').replace('patchs', 'patches')} read: ${by('message-id')} found by Message-ID, ` +
      `${by('subject')} by subject, ${by('names')} by names; ${missing.length} missing.`,
    `Names in the diffs: ${total.modelled} modelled, ${total.notModelled} not modelled as recorded, ` +
      `${total.unrecorded} not in the records.`,
  ];
}

const mailForm = ({ file, line, subject, messageId }: Mail): object => ({
  file,
  line,
  title: subject.title,
  ...(messageId !== undefined && { messageId }),
});

function seriesForm(series: SeriesReview): object {
  return {
    version: series.version,
    count: series.count ?? null,
    recorded: series.recorded,
    cover: series.cover === undefined ? null : mailForm(series.cover),
    patches: series.patches.map(({ number, title, mail, by, coverage }) => ({
      record: number ?? null,
      title,
      mail: mail === undefined ? null : { number: numbered(mail), ...mailForm(mail.mail) },
      foundBy: by ?? null,
      coverage,
    })),
  };
}

/** The report of a review of mails. `ignored`: files of the folder that were not read. */
export function mailReport(review: MailReview, ignored: readonly Ignored[]): Review {
  const { series, replies, others } = review;
  const aside = [
    ...(replies.length === 0 ? [] : [plural(replies.length, 'reply').replace('replys', 'replies')]),
    ...(others.length === 0 ? [] : [plural(others.length, 'other mail')]),
  ];
  return {
    title: series.map(titleOf).join('; '),
    remarks: [
      ...series.flatMap(remarksOf),
      ...(aside.length === 0 ? [] : [`Not compared: ${aside.join(', ')}.`]),
      ...others.map(
        ({ file, line, subject }) => `Not of the series: ${file}:${line} "${subject.title}".`,
      ),
      ...ignored.map(({ file, reason }) => `Not read: ${file}, ${reason}.`),
    ],
    rest: 'Patches of no record',
    isMail: true,
    rows: series.flatMap(({ patches }) => patches.flatMap(({ rows }) => rows)),
    tables: series.map(({ patches }) => [HEAD, ...patches.map(coverageRow)]),
    details: {
      series: series.map(seriesForm),
      replies: replies.map(mailForm),
      others: others.map(mailForm),
      ignored,
    },
  };
}

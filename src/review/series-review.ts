/** Compares posted series with the patch records: the posting that the records describe, and other revisions. */
import { lookupIn } from './series-patch-names.js';
import type { Mail } from './mail-message.js';
import type { Row } from './result.js';
import { numbered, type PatchReview } from './series-patch-review.js';
import { diffText, sortMails, type PatchMail, type Posting } from './series-mails.js';
import {
  isRecordedForm,
  matchedCount,
  matchMails,
  type Match,
  type RecordFile,
} from './series-match.js';
import { comparePatch, mailPlace, PatchContext, readInNote } from './series-patch.js';
import { withMoves } from './series-moves.js';

export interface SeriesReview {
  readonly version: number;
  readonly count: number | undefined;
  /** It is the posting that the records describe. */
  readonly recorded: boolean;
  readonly cover: Mail | undefined;
  readonly patches: readonly PatchReview[];
}

export interface MailReview {
  readonly series: readonly SeriesReview[];
  readonly replies: readonly Mail[];
  /** Mails and patches that are of none of the series. */
  readonly others: readonly Mail[];
}

const NO_NAMES = { modelled: 0, notModelled: 0, unrecorded: 0 };

/** The definitions of constants in a posting, those of a later patch last. */
function definitionsOf(patches: readonly PatchMail[]): Map<string, string> {
  const definitions = new Map<string, string>();
  for (const { names } of patches) {
    for (const { name, texts } of names) {
      const [only] = texts;
      if (texts.length === 1 && only !== undefined) definitions.set(name, only);
    }
  }
  return definitions;
}

const valuesOf = (records: readonly RecordFile[]): Map<string, bigint> =>
  new Map(
    records.flatMap(({ record }) =>
      [...record.adds, ...record.changes].flatMap(({ name, value }): [string, bigint][] =>
        value === undefined ? [] : [[name, BigInt(value)]],
      ),
    ),
  );

/** Rows for a patch that was sent more than once. */
function resends(match: Match): Row[] {
  const [used, ...more] = match.mails;
  if (used === undefined) return [];
  return more.map((mail): Row => {
    const same = diffText(mail.diff) === diffText(used.diff);
    return {
      about: 'mail',
      patch: match.record.record.number,
      claim: `${numbered(used)} is there once`,
      state: same ? 'agrees' : 'differs',
      record: { file: match.record.file, path: '' },
      source: mailPlace(mail),
      note: same
        ? 'sent twice, with the same diff'
        : `sent twice with different diffs; compared: line ${used.mail.line} of ${used.mail.file}`,
    };
  });
}

/** Whether two patches of a posting have the same number and are not the same patch. */
function sharedNumbers(patches: readonly PatchMail[]): ReadonlySet<PatchMail> {
  const seen = new Map<number, PatchMail>();
  const shared = new Set<PatchMail>();
  for (const patch of patches) {
    const { number, title } = patch.mail.subject;
    if (number === undefined) continue;
    const first = seen.get(number);
    if (first === undefined) seen.set(number, patch);
    else if (first.mail.subject.title !== title) shared.add(patch);
  }
  return shared;
}

class Reviewer {
  private readonly values: ReadonlyMap<string, bigint>;

  constructor(
    private readonly records: readonly RecordFile[],
    private readonly posting: Posting,
    private readonly recorded: boolean,
  ) {
    this.values = valuesOf(records);
  }

  review(): SeriesReview {
    const { version, count, cover, patches } = this.posting;
    const { matches, extra } = matchMails(this.records, patches);
    const of = new Map(matches.map((match) => [match.mails[0], match.record.record.number]));
    const compared = [
      ...matches.map((match) => this.match(match)),
      ...extra.map((patch) => this.extra(patch)),
      ...this.absent(),
    ];
    const reviews = this.recorded ? compared : withMoves(compared, of);
    return { version, count, recorded: this.recorded, cover, patches: reviews };
  }

  private match(match: Match): PatchReview {
    const { record } = match.record;
    const [patch] = match.mails;
    const base = { number: record.number, title: record.subject, by: match.by };
    if (patch === undefined) {
      return { ...base, mail: undefined, coverage: NO_NAMES, rows: [this.missing(match.record)] };
    }
    const isForm =
      this.recorded ||
      (record.readInForm !== undefined && patch.mail.messageId === record.readInForm);
    const own = definitionsOf([...this.posting.patches, patch]);
    const context = new PatchContext(match.record, patch, isForm, lookupIn(own, this.values));
    const { rows, coverage } = comparePatch(context);
    const all = [...rows, ...this.numberRow(match, patch), ...resends(match)];
    return { ...base, mail: patch, coverage, rows: isForm ? noted(all, match.record, patch) : all };
  }

  /** In the recorded posting, a patch has its record's number. */
  private numberRow({ record }: Match, patch: PatchMail): Row[] {
    const { number, count } = patch.mail.subject;
    if (!this.recorded || number === undefined || count !== this.posting.count) return [];
    const same = number === record.record.number;
    const row: Row = {
      about: 'mail',
      patch: record.record.number,
      claim: `number ${record.record.number}`,
      state: same ? 'agrees' : 'differs',
      record: { file: record.file, path: 'number' },
      source: mailPlace(patch),
      ...(!same && { expected: String(record.record.number), found: String(number) }),
    };
    return [row];
  }

  private missing(record: RecordFile): Row {
    const note = readInNote(record);
    return {
      about: 'mail',
      patch: record.record.number,
      claim: `a mail of "${record.record.subject}"`,
      state: 'missing',
      record: { file: record.file, path: '' },
      ...(note !== undefined && this.recorded && { note }),
    };
  }

  private extra(patch: PatchMail): PatchReview {
    const { title } = patch.mail.subject;
    const defined = patch.names.filter((name) => name.defined && !name.slight);
    const names = [...new Set(defined.map(({ name }) => name))];
    const twice = sharedNumbers(this.posting.patches).has(patch);
    const row: Row = {
      about: 'mail',
      claim: `${numbered(patch)} "${title}"`,
      state: 'not recorded',
      record: { file: 'patches', path: '' },
      source: mailPlace(patch),
      note: [
        ...(twice ? ['another patch has its number'] : []),
        names.length === 0 ? 'defines no name' : `defines ${names.join(', ')}`,
      ].join('; '),
    };
    const coverage = { ...NO_NAMES, unrecorded: names.length };
    return { number: undefined, title, mail: patch, by: undefined, coverage, rows: [row] };
  }

  /** Numbers of the posting that no mail has, beyond those of missing records. */
  private absent(): PatchReview[] {
    const { count = 0, patches } = this.posting;
    if (this.recorded || patches.length === 0) return [];
    const seen = new Set(patches.map(({ mail }) => mail.subject.number));
    const width = String(count).length;
    const numbers = Array.from({ length: count }, (_, i) => i + 1)
      .filter((number) => !seen.has(number))
      .map((number) => String(number).padStart(width, '0'));
    if (numbers.length === 0) return [];
    const title = `${numbers.join(', ')} of ${count}`;
    const row: Row = {
      about: 'mail',
      claim: `mails of ${title}`,
      state: 'missing',
      record: { file: 'patches', path: '' },
    };
    const none = { number: undefined, mail: undefined, by: undefined };
    return [{ ...none, title, coverage: NO_NAMES, rows: [row] }];
  }
}

/** Rows of a record that was read in another form: those that fail say so. */
function noted(rows: readonly Row[], record: RecordFile, patch: PatchMail): readonly Row[] {
  const note = readInNote(record);
  if (note === undefined || patch.mail.messageId === record.record.readInForm) return rows;
  return rows.map((row) =>
    row.state === 'agrees' || row.note !== undefined ? row : { ...row, note },
  );
}

/** Mails in whose form a record was read, put into the recorded posting where it has no mail of the patch. */
function withReadForms(
  records: readonly RecordFile[],
  posting: Posting,
  all: readonly Posting[],
): Posting {
  const { matches } = matchMails(records, posting.patches);
  const taken = matches.flatMap(({ record: { record }, mails }) => {
    if (mails.length > 0 || record.readInForm === undefined) return [];
    return (
      all
        .flatMap(({ patches }) => patches)
        .find(({ mail }) => mail.messageId === record.readInForm) ?? []
    );
  });
  return taken.length === 0 ? posting : { ...posting, patches: [...posting.patches, ...taken] };
}

/** Postings of other revisions have at least this share of the records, or two of them (our choice). */
const LEAST_SHARE = 0.25;

/**
 * Compares all series in mails with the records. A posting in which hardly a record is recognised is among the others, so
 * `series` may be empty: then the mails have no series of the records.
 */
export function reviewMails(records: readonly RecordFile[], mails: readonly Mail[]): MailReview {
  const { postings, replies, others } = sortMails(mails);
  const recorded = postings.filter((posting) => isRecordedForm(records, posting));
  const completed = recorded.map((posting) => withReadForms(records, posting, postings));
  const used = new Set(completed.flatMap(({ patches }) => patches));
  const rest = postings.filter((posting) => !recorded.includes(posting));
  const isRevision = (posting: Posting): boolean => {
    const left = posting.patches.filter((patch) => !used.has(patch));
    if (left.length === 0) return false;
    const found = matchedCount(records, { ...posting, patches: left });
    return found >= Math.min(2, posting.patches.length) && found >= left.length * LEAST_SHARE;
  };
  const revisions = rest.filter(isRevision);
  const series = [
    ...completed.map((posting) => new Reviewer(records, posting, true).review()),
    ...revisions.map((posting) => new Reviewer(records, posting, false).review()),
  ];
  const apart = rest.filter((posting) => !revisions.includes(posting));
  const unused = apart.flatMap(({ cover, patches }) => [
    ...(cover === undefined ? [] : [cover]),
    ...patches.filter((patch) => !used.has(patch)).map(({ mail }) => mail),
  ]);
  return { series, replies, others: [...others, ...unused] };
}

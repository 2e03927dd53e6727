/** Assigns the mails of a posting to records: by Message-ID, by subject, by names. */
import type { PatchRecord } from '../series/record.js';
import { likeness } from './mail-subject.js';
import type { PatchMail, Posting } from './series-mails.js';

/** A record with the name of its file. */
export interface RecordFile {
  /** `patches/0004-cpu-feature.yaml`. */
  readonly file: string;
  readonly record: PatchRecord;
}

export interface Match {
  readonly record: RecordFile;
  /** All mails of the patch; the one to compare is the first. Empty: none. */
  readonly mails: readonly PatchMail[];
  /** How the mail was found. */
  readonly by: 'message-id' | 'subject' | 'names' | undefined;
}

/** Titles at least this alike are those of one patch (our choice). */
const ALIKE = 0.55;
/** Share of a record's names that a mail must define to be its patch under another title (our choice). */
const NAMES_SHARE = 0.5;

const title = (mail: PatchMail): string => mail.mail.subject.title;

/** The share of the names that a record adds which a mail defines. */
function namesShare({ record }: RecordFile, { names }: PatchMail): number {
  if (record.adds.length === 0) return 0;
  const defined = new Set(names.filter((each) => each.defined).map(({ name }) => name));
  return record.adds.filter(({ name }) => defined.has(name)).length / record.adds.length;
}

interface Pair {
  readonly record: RecordFile;
  readonly mail: PatchMail;
  readonly score: number;
  readonly by: 'message-id' | 'subject' | 'names';
}

function pairOf(record: RecordFile, mail: PatchMail): Pair | undefined {
  const { messageId, readInForm } = record.record;
  const { messageId: id } = mail.mail;
  const own = id !== undefined && (id === messageId || id === readInForm);
  if (own) return { record, mail, score: id === messageId ? 4 : 3, by: 'message-id' };
  const alike = likeness(record.record.subject, title(mail));
  const share = namesShare(record, mail);
  if (alike >= ALIKE) return { record, mail, score: 1 + alike + share / 100, by: 'subject' };
  return share >= NAMES_SHARE ? { record, mail, score: share, by: 'names' } : undefined;
}

/** Matches for all records, in their order, and the mails of no record. Each mail is of one record at most. */
export function matchMails(
  records: readonly RecordFile[],
  patches: readonly PatchMail[],
): { matches: readonly Match[]; extra: readonly PatchMail[] } {
  const pairs = records
    .flatMap((record) => patches.flatMap((mail) => pairOf(record, mail) ?? []))
    .sort((a, b) => b.score - a.score);
  const found = new Map<RecordFile, { mails: PatchMail[]; by: Pair['by'] }>();
  const taken = new Set<PatchMail>();
  for (const { record, mail, by } of pairs) {
    if (taken.has(mail)) continue;
    const match = found.get(record);
    if (match === undefined) found.set(record, { mails: [mail], by });
    // Sent twice: the same number, if there are numbers, and the same title.
    else if (
      match.mails[0]?.mail.subject.number === mail.mail.subject.number &&
      match.mails[0] !== undefined &&
      title(match.mails[0]) === title(mail)
    ) {
      match.mails.push(mail);
    } else continue;
    taken.add(mail);
  }
  return {
    matches: records.map((record) => ({
      record,
      mails: found.get(record)?.mails ?? [],
      by: found.get(record)?.by,
    })),
    extra: patches.filter((mail) => !taken.has(mail)),
  };
}

/** How many records have a mail in a posting. */
export const matchedCount = (records: readonly RecordFile[], { patches }: Posting): number =>
  matchMails(records, patches).matches.filter(({ mails }) => mails.length > 0).length;

/**
 * Whether a posting is the one that the records describe: one of its mails has a record's Message-ID, or it is version 1 with as
 * many patches (or unnumbered ones), and a title is that of a record.
 */
export function isRecordedForm(records: readonly RecordFile[], posting: Posting): boolean {
  const ids = new Set(records.flatMap(({ record }) => record.messageId ?? []));
  if (posting.patches.some(({ mail }) => mail.messageId !== undefined && ids.has(mail.messageId))) {
    return true;
  }
  if (posting.version !== 1) return false;
  if (posting.count !== undefined && posting.count !== records.length) return false;
  const titles = new Set(records.map(({ record }) => record.subject));
  return posting.patches.some((mail) => titles.has(title(mail)));
}

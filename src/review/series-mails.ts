/** Finds the postings of a series among mails: covers, replies and other mails are set apart. */
import { namesOf, type DiffName } from './diff-names.js';
import { parseDiff, type Diff } from './diff-parse.js';
import type { Mail } from './mail-message.js';

/** A mail that has a patch. */
export interface PatchMail {
  readonly mail: Mail;
  readonly diff: Diff;
  readonly names: readonly DiffName[];
}

/** The patches of one revision as posted: same version, same number of patches. */
export interface Posting {
  readonly version: number;
  /** Undefined: the subjects have no numbers. */
  readonly count: number | undefined;
  readonly cover: Mail | undefined;
  /** In the order of their numbers; a patch that was sent twice is there twice. */
  readonly patches: readonly PatchMail[];
}

/** Mails by what they are. */
export interface SortedMails {
  readonly postings: readonly Posting[];
  readonly replies: readonly Mail[];
  /** Neither patch nor reply, and patches of no numbered series without a diff. */
  readonly others: readonly Mail[];
}

/** A mail with its diff. */
export function patchOf(mail: Mail): PatchMail {
  const diff = parseDiff(mail.lines);
  return { mail, diff, names: diff.files.flatMap(namesOf) };
}

const byNumber = (a: PatchMail, b: PatchMail): number =>
  (a.mail.subject.number ?? 0) - (b.mail.subject.number ?? 0);

/** Sorts mails. The order of postings is that of their versions. */
export function sortMails(mails: readonly Mail[]): SortedMails {
  const groups = new Map<string, { cover?: Mail; patches: PatchMail[] }>();
  const replies: Mail[] = [];
  const others: Mail[] = [];
  for (const mail of mails) {
    const { subject } = mail;
    if (subject.isReply) {
      replies.push(mail);
      continue;
    }
    const patch = patchOf(mail);
    const numbered = subject.isPatch && subject.count !== undefined;
    const isCover = numbered && subject.number === 0;
    if (!isCover && !numbered && patch.diff.files.length === 0) {
      others.push(mail);
      continue;
    }
    const key = `${subject.version ?? 1}/${subject.count ?? ''}`;
    const group = groups.get(key) ?? { patches: [] };
    groups.set(key, group);
    if (isCover) group.cover ??= mail;
    else group.patches.push(patch);
  }
  const postings = [...groups.values()].flatMap(({ cover, patches }): Posting[] => {
    const subject = (patches[0]?.mail ?? cover)?.subject;
    if (subject === undefined) return [];
    const { version = 1, count } = subject;
    return [{ version, count, cover, patches: [...patches].sort(byNumber) }];
  });
  return { postings: postings.sort((a, b) => a.version - b.version), replies, others };
}

/** The text of a diff without what differs between two sendings of the same patch: index lines, headings. */
export const diffText = ({ files }: Diff): string =>
  files
    .map(({ path, oldPath = '', how, mode = '', hunks }) =>
      [
        `${how} ${oldPath} ${path} ${mode}`,
        ...hunks.flatMap(({ lines }) => ['@@', ...lines.map(({ sign, text }) => sign + text)]),
      ].join('\n'),
    )
    .join('\n');

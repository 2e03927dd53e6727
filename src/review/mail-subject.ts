/** Reads the prefix of a patch's subject: `[RFC PATCH v1 01/18]` in its spellings. */

export interface PatchSubject {
  /** The subject without its prefix, on one line. */
  readonly title: string;
  /** It has a prefix of a patch: PATCH, RFC with a number, or a number. */
  readonly isPatch: boolean;
  /** `Re:`, `Fwd:` and their like are before it. */
  readonly isReply: boolean;
  /** `v2`: 2; undefined if the prefix does not state one, which is version 1. */
  readonly version?: number;
  /** `01/18`: 1; 0 is a cover letter. */
  readonly number?: number;
  /** `01/18`: 18. */
  readonly count?: number;
  readonly resend: boolean;
}

/** Replies and forwards in the languages of mail programs. */
const REPLY = /^(?:re|aw|sv|vs|antw|ref|fwd?|wg|tr|rv)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*/i;
const BRACKETS = /^\[([^[\]]*)\]\s*/;
/** Longest subject that is read (our choice; RFC 5322 limits its lines to 998 characters each). */
const LONGEST = 4000;
/** Largest version and number (our choice). */
const MOST_DIGITS = 4;

interface Prefix {
  isPatch: boolean;
  version?: number;
  number?: number;
  count?: number;
  resend: boolean;
}

/** Reads a word of a prefix. */
function word(text: string, into: Prefix): void {
  const [, number, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (number !== undefined && count !== undefined) {
    if (number.length > MOST_DIGITS || count.length > MOST_DIGITS) return;
    into.number = Number(number);
    into.count = Number(count);
    into.isPatch = true;
    return;
  }
  const [, version] = /^(?:rfc|patch|rfcpatch)?[-_]?v\.?(\d{1,4})(?:\.\d+)?$/i.exec(text) ?? [];
  if (version !== undefined) into.version = Number(version);
  if (/^(?:rfc[-/_]?)?patch(?:$|[-_v/])/i.test(text) || /^patch[-_/]?rfc$/i.test(text)) {
    into.isPatch = true;
  }
  if (/^rfc(?:[-_]?v\d+)?$/i.test(text)) into.isPatch = true;
  if (/^(?:resend|repost)$/i.test(text)) into.resend = true;
}

/** The parts of a subject whose header is unfolded and decoded. */
export function readSubject(subject: string): PatchSubject {
  let rest = subject.slice(0, LONGEST).replace(/\s+/g, ' ').trim();
  let isReply = false;
  const prefix: Prefix = { isPatch: false, resend: false };
  for (;;) {
    const reply = REPLY.exec(rest);
    if (reply !== null) {
      isReply = true;
      rest = rest.slice(reply[0].length);
      continue;
    }
    const [found, inner] = BRACKETS.exec(rest) ?? [];
    if (found === undefined || inner === undefined) break;
    for (const each of inner.split(/[\s,]+/)) word(each, prefix);
    rest = rest.slice(found.length);
  }
  return { title: rest, isReply, ...prefix };
}

/** The words of a title that tell it from others: small letters, without punctuation. */
const wordsOf = (title: string): Set<string> =>
  new Set(title.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []);

/** How alike two titles are, from 0 to 1: the share of common words (Dice). */
export function likeness(a: string, b: string): number {
  const [one, other] = [wordsOf(a), wordsOf(b)];
  const common = [...one].filter((each) => other.has(each)).length;
  return one.size + other.size === 0 ? 0 : (2 * common) / (one.size + other.size);
}

/** Splits a mailbox file into mails (RFC 4155; the quoting of `From ` is that of mboxo and mboxrd). */

/** A mail as it is in its file. */
export interface RawMail {
  /** From its first header to its end; without the `From ` line, and with quoted `From ` lines restored. */
  readonly bytes: Uint8Array;
  /** The line of its first header in the file, from 1. */
  readonly line: number;
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x3e;
const FROM = [0x46, 0x72, 0x6f, 0x6d, 0x20];
/** Longest line that separates mails (our choice): it has a sender and a date. */
const LONGEST = 400;

/**
 * `From SENDER DATE`; the date ends with its year, perhaps with a zone around it. `git format-patch` writes a commit as sender,
 * b4 `mboxrd@z`.
 */
const SEPARATOR =
  /^From \S+ +(?:[A-Z][a-z]{2},? +)?(?:[A-Z][a-z]{2} +\d{1,2}|\d{1,2} +[A-Z][a-z]{2}) +(?:\d{1,2}:\d{2}(?::\d{2})? +.*\d{4}|\d{4} +\d{1,2}:\d{2}.*)[^\n]*$/;

/** A header's first line (RFC 5322, 2.2): a name of printable characters, a colon. */
const HEADER = /^[!-9;-~]+[ \t]*:/;

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

const startsWith = (bytes: Uint8Array, at: number, text: readonly number[]): boolean =>
  text.every((byte, i) => bytes[at + i] === byte);

const endOfLine = (bytes: Uint8Array, at: number): number => {
  const end = bytes.indexOf(LF, at);
  return end < 0 ? bytes.length : end;
};

/** The text of the line at `at`, without its end. */
const lineAt = (bytes: Uint8Array, at: number): string => {
  const end = endOfLine(bytes, at);
  const cut = end > at && bytes[end - 1] === CR ? end - 1 : end;
  return latin1(bytes.subarray(at, Math.min(cut, at + LONGEST)));
};

/** Whether the text of a line is the first one of a header. */
export const isHeader = (line: string): boolean => HEADER.test(line);

const isSeparator = (bytes: Uint8Array, at: number): boolean => {
  if (!startsWith(bytes, at, FROM) || !SEPARATOR.test(lineAt(bytes, at))) return false;
  const next = endOfLine(bytes, at) + 1;
  // A sentence of a mail may have that form; a mail begins with its headers.
  return next < bytes.length && isHeader(lineAt(bytes, next));
};

/** Whether a file's bytes begin with a separator: it is a mailbox, or what `git format-patch` writes. */
export const isMailbox = (bytes: Uint8Array): boolean => isSeparator(bytes, 0);

/** The bytes without the quote before `From `: `>From ` is `From `, `>>From ` is `>From `. */
function unquoted(bytes: Uint8Array): Uint8Array {
  const cuts: number[] = [];
  for (let at = 0; at < bytes.length; at = endOfLine(bytes, at) + 1) {
    if (bytes[at] !== QUOTE) continue;
    let end = at;
    while (bytes[end] === QUOTE) end++;
    if (startsWith(bytes, end, FROM)) cuts.push(at);
  }
  if (cuts.length === 0) return bytes;
  const result = new Uint8Array(bytes.length - cuts.length);
  let from = 0;
  let to = 0;
  for (const cut of [...cuts, bytes.length]) {
    result.set(bytes.subarray(from, cut), to);
    to += cut - from;
    from = cut + 1;
  }
  return result;
}

/** The mails of a file: those between the separators of a mailbox, or the file as one mail. */
export function splitMails(bytes: Uint8Array): RawMail[] {
  if (!isMailbox(bytes)) return bytes.length === 0 ? [] : [{ bytes, line: 1 }];
  const starts: { at: number; line: number; separator: number }[] = [];
  let line = 1;
  for (let at = 0; at < bytes.length; at = endOfLine(bytes, at) + 1, line++) {
    if (isSeparator(bytes, at)) {
      starts.push({ at: endOfLine(bytes, at) + 1, line: line + 1, separator: at });
    }
  }
  return starts.map(({ at, line: first }, i) => ({
    bytes: unquoted(bytes.subarray(at, starts[i + 1]?.separator ?? bytes.length)),
    line: first,
  }));
}

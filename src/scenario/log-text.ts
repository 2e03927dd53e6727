/**
 * Decodes the bytes of a log file to lines: character sets, JSON, quoted-printable, colour codes. The contents of the
 * lines are not parsed here. Each conversion is recorded for the scenario's remarks.
 */
import { ownOf } from '../base/own.js';
import { startsWith } from '../base/bytes.js';
import { InputError } from '../base/errors.js';
import { checkLimit, LIMITS } from '../base/limits.js';
import { withoutCarrier } from './log-carriers.js';

/** A line of a log, or an entry if the log is JSON. */
export interface LogLine {
  /** Number of the line, or of the entry, counted from 1. */
  readonly no: number;
  readonly text: string;
}

export interface LogText {
  readonly lines: readonly LogLine[];
  /** What `no` counts. */
  readonly unit: 'line' | 'entry';
  /** The conversions that were made. */
  readonly undone: readonly string[];
}

/** Most characters read of a line (our choice: printk's records have at most 1 KiB, a command line 2 KiB). */
const LINE_LIMIT = 8192;
/** A text with more than one zero byte in this many is read as UTF-16 (our choice). */
const ZERO_SHARE = 4;
const PROBE = 4096;

/** First bytes of containers of logs, with the command that extracts the log. */
const CONTAINERS: readonly { readonly magic: readonly number[]; readonly what: string }[] = [
  { magic: [0x1f, 0x8b], what: 'compressed with gzip: pipe it through `zcat FILE |`' },
  {
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    what: 'compressed with xz: pipe it through `xzcat FILE |`',
  },
  {
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    what: 'compressed with zstd: pipe it through `zstdcat FILE |`',
  },
  { magic: [0x42, 0x5a, 0x68], what: 'compressed with bzip2: pipe it through `bzcat FILE |`' },
  { magic: [0x50, 0x4b, 0x03, 0x04], what: 'a zip archive' },
  {
    // "LPKSHHRH" (systemd, JOURNAL-FILE-FORMAT).
    magic: [0x4c, 0x50, 0x4b, 0x53, 0x48, 0x48, 0x52, 0x48],
    what: 'a binary journal: pipe it through `journalctl -k --file FILE |`',
  },
];

const ESC = String.fromCharCode(0x1b);
const BEL = String.fromCharCode(0x07);
/** Control sequences (ECMA-48 5.4) after ESC, or after what cat -v, syslog and editors write for ESC. */
const CSI = `(?:${ESC}|\\^\\[|#033|\\\\x1b|\\\\033|\\\\e)\\[[0-9;:?]{0,32}[A-Za-z]`;
/** Titles of terminal windows, and the short sequences. */
const OTHER = `${ESC}\\][^${ESC}${BEL}]{0,256}(?:${BEL}|${ESC}\\\\)|${ESC}[@-Z\\\\^_=>()#][0-9A-Z]?`;
const ESCAPES = new RegExp(`${CSI}|${OTHER}`, 'g');
/** Control and format characters, such as those that change the direction of text (Unicode 23.2, TR36). */
const CONTROLS = /[\p{Cc}\p{Cf}]/gu;

/** Text on one line for remarks and files: control characters are replaced by question marks. */
export const plain = (text: string): string =>
  text.replace(ESCAPES, '').replace(/\s/g, ' ').replace(CONTROLS, '?');

const NOT_UTF8 = 'bytes that are not UTF-8 (each replaced by U+FFFD)';

/** The text of a log file. Throws E_DMESG for a container. */
export function decodeLog(bytes: Uint8Array): { text: string; undone: string[] } {
  const container = CONTAINERS.find(({ magic }) => startsWith(bytes, magic));
  if (container !== undefined) {
    throw new InputError({ code: 'E_DMESG', expected: 'a log as text', found: container.what });
  }
  const wide = wideCharset(bytes);
  if (wide === undefined) {
    try {
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), undone: [] };
    } catch {
      // A kernel prints the bytes of firmware as they are (an OEM's name in ISO 8859-1).
      return { text: new TextDecoder().decode(bytes), undone: [NOT_UTF8] };
    }
  }
  return { text: new TextDecoder(wide).decode(bytes), undone: [`${wide.toUpperCase()} text`] };
}

/** UTF-16's byte order by its mark, or by the positions of zero bytes; undefined for other text. */
function wideCharset(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  const probe = bytes.subarray(0, PROBE);
  for (const [at, byte] of probe.entries()) {
    if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  }
  const [even = 0, odd = 0] = zeros;
  if (odd > probe.length / ZERO_SHARE && even < odd / ZERO_SHARE) return 'utf-16le';
  if (even > probe.length / ZERO_SHARE && odd < even / ZERO_SHARE) return 'utf-16be';
  return undefined;
}

/** The lines of a log's text. */
export function logLines(raw: string): LogText {
  const carried = withoutCarrier(raw);
  const { text: given } = carried;
  const undone = [...carried.undone];
  const entries = jsonEntries(given);
  const text = entries === undefined ? given : '';
  checkLength(text);
  let lines = entries ?? text.split('\n').map((line, i) => ({ no: i + 1, text: line }));
  if (entries !== undefined) undone.push('JSON');
  if (isQuotedPrintable(text)) {
    lines = unquote(lines);
    undone.push('quoted-printable');
  }
  let coloured = false;
  for (const [i, { no, text: line }] of lines.entries()) {
    let end = Math.min(line.length, LINE_LIMIT);
    while (line[end - 1] === '\r') end--;
    const short = end < line.length ? line.slice(0, end) : line;
    const clean = mayHaveEscapes(short) ? short.replace(ESCAPES, '') : short;
    if (clean.length !== short.length) coloured = true;
    if (clean !== line) lines[i] = { no, text: clean };
  }
  if (coloured) undone.push('colour codes');
  return { lines, unit: entries === undefined ? 'line' : 'entry', undone };
}

function checkLength(text: string): void {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  checkLimit(LIMITS.logLines, count, {});
}

const mayHaveEscapes = (line: string): boolean =>
  line.includes(ESC) || /(?:\^\[|#033|\\x1b|\\033|\\e)\[/.test(line);

/** Keys of the message in the JSON of dmesg -J, journalctl -o json, container runtimes, syslog daemons. */
const MESSAGE_KEYS = ['msg', 'MESSAGE', 'message', 'log', '_raw'] as const;

function messageOf(entry: unknown): string | undefined {
  if (typeof entry === 'string') return entry;
  if (typeof entry !== 'object' || entry === null) return undefined;
  for (const key of MESSAGE_KEYS) {
    const value: unknown = ownOf(entry, key);
    if (typeof value === 'string') return value.replace(/\n$/, '');
    // journalctl writes a message that is not UTF-8 as an array of its bytes.
    if (Array.isArray(value) && value.every((byte) => typeof byte === 'number')) {
      return new TextDecoder().decode(Uint8Array.from(value));
    }
  }
  return undefined;
}

/** The messages of a log that is JSON as a whole (dmesg -J, an array) or line by line; undefined for other text. */
function jsonEntries(text: string): LogLine[] | undefined {
  const first = /^\s{0,64}([[{])/.exec(text)?.[1];
  if (first === undefined) return undefined;
  const whole = parse(text);
  if (whole !== undefined) {
    const list = Array.isArray(whole) ? whole : firstArray(whole);
    return list?.flatMap(linesOfEntry);
  }
  if (first !== '{') return undefined;
  const entries = text
    .split('\n')
    .flatMap((line, i) => (line.startsWith('{') ? linesOfEntry(parse(line), i) : []));
  return entries.length === 0 ? messageLines(text) : entries;
}

/** The line with the message in multi-line JSON (journalctl -o json-pretty), or in truncated JSON. */
const MESSAGE_LINE = /^\s{0,32}"(?:msg|MESSAGE|message|log)"\s{0,8}:\s{0,8}(".*"),?\s{0,8}$/;

function messageLines(text: string): LogLine[] | undefined {
  const lines = text.split('\n').flatMap((line, i) => {
    const message = parse(MESSAGE_LINE.exec(line)?.[1] ?? '');
    return typeof message === 'string' ? [{ no: i + 1, text: message }] : [];
  });
  return lines.length === 0 ? undefined : lines;
}

/** The lines of an entry's message, each with the entry's number. */
const linesOfEntry = (entry: unknown, index: number): LogLine[] =>
  messageOf(entry)
    ?.split('\n')
    .map((text) => ({ no: index + 1, text })) ?? [];

function firstArray(value: unknown): unknown[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.values(value).find((each): each is unknown[] => Array.isArray(each));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * At most one equals sign in this many may be unencoded in a quoted-printable text (another part of the mail; our
 * choice).
 */
const OTHER_PART = 20;

/**
 * Whether a text is still quoted-printable: every equals sign begins a byte in hexadecimal or ends a line (RFC 2045 6.7),
 * including the encoded equals signs of the text.
 */
function isQuotedPrintable(text: string): boolean {
  if (!text.includes('=3D')) return false;
  let coded = 0;
  let bare = 0;
  for (let at = text.indexOf('='); at >= 0; at = text.indexOf('=', at + 1)) {
    if (/^=(?:[0-9A-F]{2}|\r?\n|$)/.test(text.slice(at, at + 3))) coded++;
    else bare++;
  }
  return bare * OTHER_PART <= coded;
}

/** Decodes quoted-printable: soft line breaks and bytes in hexadecimal. */
function unquote(lines: readonly LogLine[]): LogLine[] {
  const whole: { no: number; text: string }[] = [];
  let open: { no: number; text: string } | undefined;
  for (const { no, text } of lines) {
    const soft = text.endsWith('=');
    const part = soft ? text.slice(0, -1) : text;
    // Beyond the limit a line is not read anyway.
    if (open !== undefined && open.text.length < LINE_LIMIT) open.text += part;
    else {
      open = { no, text: part };
      whole.push(open);
    }
    if (!soft) open = undefined;
  }
  return whole.map(({ no, text }) => ({
    no,
    text: text.includes('=')
      ? text.replace(/=([0-9A-F]{2})/g, (_, digits: string) =>
          String.fromCharCode(parseInt(digits, 16)),
        )
      : text,
  }));
}

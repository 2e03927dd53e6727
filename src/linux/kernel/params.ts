/** kernel/params.c: parses a command line (next_arg, parse_args) and compares option names (parameq). */

/** An option as next_arg() returns it; `val` is undefined (a NULL pointer) if there is no `=`. */
export interface Param {
  readonly param: string;
  readonly val: string | undefined;
}

/** lib/ctype.c: isspace() is true for 0xa0 too. */
const isspace = (code: number): boolean =>
  code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0;

const QUOTE = '"';

const skip_spaces = (text: string, from: number): number => {
  let at = from;
  while (at < text.length && isspace(text.charCodeAt(at))) at++;
  return at;
};

/** The string at the start of `bytes`, up to its NUL or the end; one character per byte. */
export function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const text: string[] = [];
  for (const byte of bytes.subarray(0, end < 0 ? bytes.length : end)) {
    text.push(String.fromCharCode(byte));
  }
  return text.join('');
}

/** next_arg(): quotes protect spaces and cannot be escaped; an `=` as first character does not separate a value. */
function next_arg(line: string, from: number): Param & { next: number } {
  const quoted = line[from] === QUOTE;
  const start = quoted ? from + 1 : from;
  let inQuote = quoted;
  let equals = 0;
  let end = start;
  for (; end < line.length; end++) {
    if (isspace(line.charCodeAt(end)) && !inQuote) break;
    if (equals === 0 && line[end] === '=') equals = end - start;
    if (line[end] === QUOTE) inQuote = !inQuote;
  }
  const next = skip_spaces(line, end + 1);
  // A quote at the end is removed if the value or the whole word began with one.
  const unquoted = (text: string, opened: boolean): string =>
    opened && text.endsWith(QUOTE) ? text.slice(0, -1) : text;
  if (equals === 0)
    return { param: unquoted(line.slice(start, end), quoted), val: undefined, next };
  const param = line.slice(start, start + equals);
  const raw = line.slice(start + equals + 1, end);
  const val = raw.startsWith(QUOTE) ? unquoted(raw.slice(1), true) : raw;
  return { param, val: unquoted(val, quoted), next };
}

/** The options of a command line up to `--`, and the text after it (parse_args: "Stop at --"). */
export function parse_args(line: string): { params: Param[]; afterDashes: string | undefined } {
  const params: Param[] = [];
  let at = skip_spaces(line, 0);
  while (at < line.length) {
    const { param, val, next } = next_arg(line, at);
    at = next;
    if (val === undefined && param === '--') return { params, afterDashes: line.slice(at) };
    params.push({ param, val });
  }
  return { params, afterDashes: undefined };
}

const dash2underscore = (text: string): string => text.replaceAll('-', '_');

/** parameq(): dashes and underscores compare equal. */
export const parameq = (one: string, other: string): boolean =>
  dash2underscore(one) === dash2underscore(other);

/** parameqn() with the length of `str`: whether `word` begins with `str`. */
export const parameqn = (word: string, str: string): boolean =>
  dash2underscore(word.slice(0, str.length)) === dash2underscore(str);

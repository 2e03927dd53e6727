/** What carries a posted log and is not part of it: MIME's base64, a web page's punctuation, old line ends, CSV's quotes. */

/** Characters that browsers and forums use for blanks. */
const NO_BREAK_SPACE = String.fromCharCode(0xa0);
const ZERO_WIDTH_SPACE = String.fromCharCode(0x200b);
/** Dashes that typesetting makes of a hyphen, between two addresses (Unicode 6.2, U+2010 to U+2015; minus, U+2212). */
const DASH = /([0-9a-fA-F] ?)[\u2010-\u2015\u2212]( ?(?:0x)?[0-9a-fA-F]{4})/g;

const ENCODING = /^content-transfer-encoding:\s{0,8}base64\s{0,8}$/i;
/** A line of base64 (RFC 2045 6.8: at most 76 characters; RFC 4648 4 is the alphabet). */
const BASE64_LINE = /^[A-Za-z0-9+/]{1,76}={0,2}$/;

/** A text without its carrier, and the conversions that were made. */
export interface Carried {
  readonly text: string;
  readonly undone: readonly string[];
}

/** Removes all that this file knows. */
export function withoutCarrier(given: string): Carried {
  const undone: string[] = [];
  let text = given;
  const apply = (change: (text: string) => string, what: string): void => {
    const changed = change(text);
    if (changed !== text) undone.push(what);
    text = changed;
  };
  apply(newLines, 'line ends of CR alone');
  apply(decodeBase64Parts, 'base64 (lines are counted after decoding)');
  apply(
    (each) => each.replaceAll(NO_BREAK_SPACE, ' ').replaceAll(ZERO_WIDTH_SPACE, ''),
    "a web page's blanks",
  );
  apply((each) => each.replace(DASH, '$1-$2'), "a web page's dashes");
  apply(unquoteCsv, "CSV's quotes");
  return { text, undone };
}

/** Text whose lines end with CR alone, as some serial consoles' captures do, with LF instead. */
const newLines = (text: string): string =>
  text.includes('\n') ? text : text.replaceAll('\r', '\n');

/** A mail's text with its base64 parts decoded (RFC 2045 5, 6.8): each has a header, then a blank line. */
function decodeBase64Parts(text: string): string {
  if (!/^content-transfer-encoding:\s{0,8}base64/im.test(text)) return text;
  const lines = text.split('\n');
  const out: string[] = [];
  let coded: string[] = [];
  let part: 'none' | 'header' | 'body' = 'none';
  const flush = (): void => {
    if (coded.length > 0) out.push(fromBase64(coded.join('')));
    coded = [];
  };
  for (const line of lines) {
    const bare = line.trimEnd();
    if (part === 'body' && BASE64_LINE.test(bare)) {
      coded.push(bare);
      continue;
    }
    if (part === 'body') {
      flush();
      part = 'none';
    }
    if (ENCODING.test(bare)) part = 'header';
    else if (part === 'header' && bare === '') part = 'body';
    out.push(line);
  }
  flush();
  return out.join('\n');
}

/** The UTF-8 text of base64 with the right alphabet; a truncated last group gives its whole bytes. */
function fromBase64(coded: string): string {
  const digits = coded.replaceAll('=', '');
  const whole = digits.length % 4 === 1 ? digits.slice(0, -1) : digits;
  return new TextDecoder().decode(Uint8Array.from(atob(whole), (char) => char.charCodeAt(0)));
}

/** At least this share of the lines with text must end with a quote (our choice). */
const QUOTED_SHARE = 0.9;

/** CSV whose last column is the message (RFC 4180 2.5 to 2.7), without the quotes around and within it. */
function unquoteCsv(text: string): string {
  if (!/^"/m.test(text)) return text;
  const lines = text.split('\n');
  const quoted = (line: string): boolean => /^"[^]*"\r?$/.test(line);
  const filled = lines.filter((line) => line.trim() !== '');
  if (filled.filter(quoted).length < QUOTED_SHARE * filled.length) return text;
  return lines
    .map((line) => (quoted(line) ? line.replace(/"\r?$/, '').replaceAll('""', '"') : line))
    .join('\n');
}

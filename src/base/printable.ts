/**
 * Text from input made safe to print: characters that move a terminal's cursor, switch its state, break a line or reverse
 * the order of the text are escaped as in JSON (`\u001b`), which is also the escape of a double-quoted YAML scalar.
 */

/**
 * Control characters (C0 except tab, DEL, C1), line and paragraph separators, bidirectional controls (UAX 9, 2.1 to 2.6:
 * U+061C, U+200E, U+200F, U+202A..U+202E, U+2066..U+2069), the byte order mark and lone surrogates.
 */
const UNSAFE_CLASS = String.raw`[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]`;
const UNSAFE = new RegExp(`(?!\t)${UNSAFE_CLASS}`, 'gu');
/** The same except line feed. */
const UNSAFE_IN_LINES = new RegExp(`(?![\t\n])${UNSAFE_CLASS}`, 'gu');
/** The same, and the colours that a painter adds (ECMA-48 SGR), which are matched as a whole. */
const UNSAFE_IN_COLOURED = new RegExp(`\u001b\\[[\\d;]*m|${UNSAFE_IN_LINES.source}`, 'gu');
/** Characters that separate words or lines, in runs. */
const SPACES = /[\s\u0085]+/gu;

const HEX_RADIX = 16;
const ESCAPED_DIGITS = 4;

const escaped = (character: string): string =>
  character === '\n'
    ? '\\n'
    : `\\u${character.charCodeAt(0).toString(HEX_RADIX).padStart(ESCAPED_DIGITS, '0')}`;

/** A text for one line; a line feed is `\n`. */
export const printable = (text: string): string => text.replace(UNSAFE, escaped);

/** A text of several lines: line feeds are unchanged. */
export const printableLines = (text: string): string => text.replace(UNSAFE_IN_LINES, escaped);

/** A text of several lines with colours: line feeds and colours are unchanged. */
export const printableColoured = (text: string): string =>
  text.replace(UNSAFE_IN_COLOURED, (found) => (found.length > 1 ? found : escaped(found)));

/** Whether a text needs no escapes in one line. */
export const isPrintable = (text: string): boolean => text.search(UNSAFE) < 0;

/** A text on one line: runs of white space are a space, the rest is as in {@link printable}. */
export const oneLine = (text: string): string => printable(text.replace(SPACES, ' ').trim());

/** A value as indented JSON with a final line feed; unsafe characters of its texts are escaped. */
export const jsonText = (value: unknown): string =>
  `${printableLines(JSON.stringify(value, null, 2))}\n`;

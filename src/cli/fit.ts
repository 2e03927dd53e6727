/** Fits text into the columns of a terminal. Nothing is left out: long lines are continued below, indented. */

// SGR sequences (ECMA-48 8.3.117), which chalk writes, take no column.
const COLOR = '\\u001b\\[[\\d;]*m';
const COLORS = new RegExp(COLOR, 'g');
/** A word: what is between spaces, with the colours in it. */
const WORDS = new RegExp(`( *)((?:${COLOR}|[^ ])+)`, 'g');
/** A word of a command line: quotations and escaped characters do not end it. */
const SHELL_WORDS = new RegExp(
  `( *)((?:${COLOR}|\\$?'(?:[^'\\\\]|\\\\.)*'|"(?:[^"\\\\]|\\\\.)*"|\\\\.|[^ ])+)`,
  'g',
);
/** A command to paste, alone or after a heading, and the fewest columns of its lines. */
const COMMAND = /^[^:]*: sme-boot |^ *sme-boot /;
/** Columns by which a continued line is indented more than its first (our choice). */
const HANG = 4;

/** The columns that a text takes. */
export const widthOf = (text: string): number => text.replace(COLORS, '').length;

/** The pieces of a word, each of at most `room` columns. */
function pieces(word: string, room: number): string[] {
  if (widthOf(word) <= room) return [word];
  const parts: string[] = [];
  let part = '';
  let width = 0;
  for (const [each] of word.matchAll(new RegExp(`${COLOR}|.`, 'gsu'))) {
    const own = widthOf(each);
    if (width + own > room) {
      parts.push(part);
      part = '';
      width = 0;
    }
    part += each;
    width += own;
  }
  return [...parts, part];
}

/** A line as lines of at most `columns` columns. */
function fitLine(line: string, columns: number, more: number): string[] {
  const isCommand = COMMAND.test(line.replace(COLORS, ''));
  const indent = / *$/.exec(/^ */.exec(line.replace(COLORS, ''))?.[0] ?? '')?.[0].length ?? 0;
  const hang = Math.min(indent + more, Math.floor(columns / 2));
  // A command is continued by a backslash, so that it can be pasted as it is.
  const end = isCommand ? ' \\' : '';
  const room = columns - end.length;
  const lines: string[] = [];
  let text = '';
  let width = 0;
  for (const [, gap = '', word = ''] of line.matchAll(isCommand ? SHELL_WORDS : WORDS)) {
    const own = widthOf(word);
    if (width === 0 || width + gap.length + own <= room) {
      text += gap + word;
      width += gap.length + own;
    } else {
      lines.push(text + end);
      text = ' '.repeat(hang) + word;
      width = hang + own;
    }
    if (width <= columns || isCommand) continue;
    // A word that is longer than a line.
    const before = text.length - word.length;
    const [first = '', ...rest] = pieces(word, Math.max(1, columns - (width - own)));
    lines.push(text.slice(0, before) + first);
    const more = pieces(rest.join(''), columns - hang);
    text = ' '.repeat(hang) + (more.at(-1) ?? '');
    lines.push(...more.slice(0, -1).map((each) => ' '.repeat(hang) + each));
    width = widthOf(text);
  }
  return [...lines, text];
}

/**
 * A text of which no line is longer than `columns`; undefined: any number. Only a word of a command may be longer. `hang`: by
 * how much the continuation of a line is indented more.
 */
export function fitted(text: string, columns: number | undefined, hang = HANG): string {
  if (columns === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) =>
      line.length <= columns || widthOf(line) <= columns ? [line] : fitLine(line, columns, hang),
    )
    .join('\n');
}

/** A text on one line of at most `columns` columns: the rest is replaced by an ellipsis. */
export function shortened(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

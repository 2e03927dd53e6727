/** Words of a shell's command line: quoted, so that a printed command can be pasted, and split again. */

/** Words that a shell takes as they are (POSIX.1-2017 XCU 2.2); zsh expands a leading `=`, every shell a leading `~`. */
const PLAIN = /^[\w@%+:,./-][\w@%+=:,./-]*$/;
/** Control characters, which a terminal would not paste as they are. */
const CONTROL = /\p{Cc}/u;

/**
 * A word as a shell reads it back. Quoted with '…' if it has special characters, with $'…' (POSIX.1-2024 XCU 2.2.4; bash, zsh
 * and ksh have it for long) if it has control characters: the result is always on one line.
 */
export function quoted(word: string): string {
  if (PLAIN.test(word)) return word;
  if (!CONTROL.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = word
    .replace(/[\\']/g, (char) => `\\${char}`)
    .replace(/\p{Cc}/gu, (char) =>
      [...new TextEncoder().encode(char)]
        .map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
        .join(''),
    );
  return `$'${escaped}'`;
}

/** Words as one command line. */
export const commandLine = (words: readonly string[]): string => words.map(quoted).join(' ');

/** The words of a line, and whether it ends within a word or an open quotation. */
interface Words {
  readonly words: string[];
  /** The quote that the line leaves open; '' for none. */
  readonly open: '' | "'" | '"' | '\\';
  /** The last word is not followed by a space. */
  readonly inWord: boolean;
}

/** Characters that a backslash escapes between double quotes (POSIX.1-2017 XCU 2.2.3). */
const IN_DOUBLE = '$`"\\';
const ESCAPED = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
]);

/** The text of the escapes in $'…' that begin a line, and their length: a run of octal ones is UTF-8. */
function escapesAt(line: string): [string, number] {
  const run = /^(?:\\[0-7]{1,3})+/.exec(line)?.[0];
  if (run !== undefined) {
    const bytes = run.split('\\').slice(1);
    return [
      new TextDecoder().decode(Uint8Array.from(bytes, (each) => parseInt(each, 8))),
      run.length,
    ];
  }
  const char = line[1] ?? '';
  return [ESCAPED.get(char) ?? char, 2];
}

/** Splits a line as a shell does, without expansions and operators: quotes and backslashes only. */
export function splitWords(line: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let open: Words['open'] = '';
  let at = 0;
  const add = (text: string): void => {
    word = (word ?? '') + text;
  };
  /** Reads up to the closing quote; `escapes`: what a backslash escapes. */
  const quotation = (quote: "'" | '"', ansi = false): void => {
    let text = '';
    for (; at < line.length; at++) {
      const char = line[at] ?? '';
      if (char === quote) break;
      const next = line[at + 1] ?? '';
      if (char === '\\' && ansi) {
        const [escaped, length] = escapesAt(line.slice(at));
        text += escaped;
        at += length - 1;
      } else if (char === '\\' && quote === '"' && next !== '' && IN_DOUBLE.includes(next)) {
        text += next;
        at++;
      } else text += char;
    }
    if (at >= line.length) open = quote;
    at++;
    add(text);
  };
  while (at < line.length) {
    const char = line[at] ?? '';
    at++;
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'" || char === '"') quotation(char);
    else if (char === '$' && line[at] === "'") {
      at++;
      quotation("'", true);
    } else if (char === '\\') {
      if (at >= line.length) open = '\\';
      add(line[at] ?? '');
      at++;
    } else add(char);
  }
  if (word === undefined) return { words, open, inWord: false };
  return { words: [...words, word], open, inWord: true };
}

/** Splits plain command lines into words as a POSIX shell does. */

/** Characters that a shell does not take literally outside quotes. */
const SPECIAL = /[|&;<>()$`*?~[\]\n]/;

/**
 * The words of a command that needs no shell, without the comment at its end; undefined for one with pipes, redirections,
 * variables or patterns.
 */
export function shellWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? '';
    if (char === ' ' || char === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '#' && word === undefined) break;
    else if (char === "'") {
      const end = line.indexOf("'", at + 1);
      if (end < 0) return undefined;
      word = (word ?? '') + line.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      const rest = /^((?:[^"\\$`]|\\.)*)"/.exec(line.slice(at + 1));
      if (rest === null) return undefined;
      word = (word ?? '') + (rest[1] ?? '').replaceAll(/\\(["\\$`])/g, '$1');
      at += rest[0].length;
    } else if (char === '\\') return undefined;
    else if (SPECIAL.test(char)) return undefined;
    else word = (word ?? '') + char;
  }
  return word === undefined ? words : [...words, word];
}

/** Text as roff for man pages, in the requests that both groff (man(7)) and mandoc read. */

/** Characters with a meaning in roff, or that its output replaces: quotes and dashes must stay as they are typed. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['\\', '\\(rs'],
  ['-', '\\-'],
  ["'", '\\(aq'],
  ['`', '\\(ga'],
  ['^', '\\(ha'],
  ['~', '\\(ti'],
  ['"', '\\(dq'],
]);

/** A text on one line, escaped anywhere in a roff line: groff_char(7) has the names. */
export function roffText(text: string): string {
  const escaped = text.replace(/[\\'`^~"-]|[^\x20-\x7e]/gu, (char) => {
    const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return SPECIAL.get(char) ?? (/\s/.test(char) ? ' ' : `\\[u${code}]`);
  });
  // A control character at the beginning of a line would make it a request.
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** A macro with its arguments: `.SH "EXIT STATUS"`. */
export const macro = (name: string, ...args: readonly string[]): string =>
  [`.${name}`, ...args.map((arg) => `"${roffText(arg)}"`)].join(' ');

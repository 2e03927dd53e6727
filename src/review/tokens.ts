/** The words of a body: identifiers, registers, instructions and labels, with their lines. */
import type { Body } from './definition.js';

export interface Token {
  readonly text: string;
  readonly line: number;
}

const COMMENT_OR_STRING =
  /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/g;

/** The text with comments, strings and character constants replaced by spaces; lines stay where they are. */
export function withoutComments(text: string): string {
  return text.replaceAll(COMMENT_OR_STRING, (match) => match.replaceAll(/[^\n]/g, ' '));
}

/** The text with comments alone replaced by spaces. */
export function withStrings(text: string): string {
  return text.replaceAll(COMMENT_OR_STRING, (match) =>
    match.startsWith('/') ? match.replaceAll(/[^\n]/g, ' ') : match,
  );
}

/** The words of a body in order: an identifier, an instruction, a register without its `%`, a local label as `.Ldone`. */
export function tokens(body: Body): Token[] {
  const found: Token[] = [];
  let { line } = body;
  for (const text of withoutComments(body.text).split('\n')) {
    for (const [word] of text.matchAll(/(?<!\w)\.L\w+|[A-Za-z_]\w*/g))
      found.push({ text: word, line });
    line += 1;
  }
  return found;
}

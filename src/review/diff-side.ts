/** One side of a hunk, as the scanners of source fragments read it: without comments, and with what was changed marked. */
import { LONGEST_LINE, type DiffHunk } from './diff-parse.js';

/** A line of the file before or after the patch. */
export interface SideLine {
  /** Without comments; the contents of strings are spaces. */
  readonly code: string;
  readonly raw: string;
  /** The patch adds it (new side) or removes it (old side). */
  readonly changed: boolean;
  /** Its line in the file. */
  readonly number: number;
  /** Its index in the mail's lines. */
  readonly at: number;
}

/** A definition in a fragment. */
export interface Definition {
  /** The name; STRUCT.MEMBER for a member, CONFIG_ before a symbol of Kconfig. */
  readonly name: string;
  readonly kind: DefinitionKind;
  /** Index of the line that has its name. */
  readonly index: number;
  /** The text of a macro after its name and arguments, or of an enumerator's value. */
  readonly text?: string;
  /** It declares only: `extern`, a prototype. */
  readonly declares?: boolean;
  /** A function that does nothing, or only returns a value. */
  readonly stub?: boolean;
}

export type DefinitionKind =
  'function' | 'macro' | 'constant' | 'variable' | 'member' | 'config' | 'label' | 'option';

/** What a scanner finds in a fragment. */
export interface Scan {
  readonly definitions: readonly Definition[];
  /** By line: the definition that the line is within; undefined: none, or one that the fragment does not show. */
  readonly within: readonly (
    { readonly name: string; readonly kind: DefinitionKind } | undefined
  )[];
  /** Lines of a body of which the fragment does not show the definition. */
  readonly unplaced: readonly number[];
}

const blank = (text: string): string => text.replace(/[^\s]/g, ' ');

/** A comment, a string or a character constant of C; a comment may be cut by the end of the fragment. */
const OPAQUE = /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;

const isComment = (line: string): boolean => /^\s*(?:\*(?:\s|\/|$)|$)/.test(line);

/**
 * A text without comments, with as many lines. A fragment may begin within a comment: it does if `*` `/` is in it before any
 * `/` `*`, or if all of its lines have the form of a comment's.
 */
function withoutComments(text: string, strings: boolean): string {
  const end = text.indexOf('*/');
  const begin = text.indexOf('/*');
  let rest = text;
  let before = '';
  if (end >= 0 && (begin < 0 || begin > end)) {
    before = blank(text.slice(0, end + 2));
    rest = text.slice(end + 2);
  } else if (begin < 0) {
    const lines = text.split('\n');
    if (lines.some((line) => line.trim() !== '') && lines.every(isComment)) return blank(text);
  }
  const code = rest.replace(OPAQUE, (found) => {
    if (found.startsWith('/')) return blank(found);
    return strings ? found : found[0] + blank(found.slice(1, -1)) + (found.at(-1) ?? '');
  });
  return before + code;
}

/** A side of a hunk. `form`: `plain` has no comments of C. */
export function sideOf(
  hunk: DiffHunk,
  side: 'old' | 'new',
  form: 'c' | 'plain' = 'c',
  strings = false,
): SideLine[] {
  const other = side === 'old' ? '+' : '-';
  const lines = hunk.lines.filter(({ sign }) => sign !== other);
  const text = lines.map((line) => (line.text.length > LONGEST_LINE ? '' : line.text)).join('\n');
  const code = (form === 'c' ? withoutComments(text, strings) : text).split('\n');
  return lines.map((line, i) => ({
    code: (code[i] ?? '').trimEnd(),
    raw: line.text,
    changed: line.sign !== ' ',
    number: side === 'old' ? line.old : line.new,
    at: line.at,
  }));
}

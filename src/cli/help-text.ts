/** Fits the help into the columns of a terminal: paragraphs are filled, comments stay in their column. */
import { fitted } from './fit.js';

/** Columns of the help that is not on a terminal (our choice). */
export const HELP_COLUMNS = 76;
/** Fewest columns for a comment beside what it explains, and its indentation below that (our choice). */
const LEAST_BESIDE = 20;
const BELOW = 6;

/** A command, option or value, two spaces or more, and what it means. */
export const TWO_COLUMNS = /^( +\S(?:.*?\S)?)( {2,})(\S.*)$/;

/** Lines of at most `columns` columns, with the same indentation. */
function filled(text: string, indent: string, columns: number): string[] {
  const lines = fitted(text, columns - indent.length, 0).split('\n');
  return lines.map((line) => indent + line);
}

function fitLine(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const [, left, gap = '', right = ''] = TWO_COLUMNS.exec(line) ?? [];
  if (left === undefined) return fitted(line, columns).split('\n');
  const at = left.length + gap.length;
  if (columns - at >= LEAST_BESIDE) {
    const [first = '', ...rest] = filled(right, ' '.repeat(at), columns);
    return [left + gap + first.slice(at), ...rest];
  }
  return [...fitted(left, columns).split('\n'), ...filled(right, ' '.repeat(BELOW), columns)];
}

/** A help text of which no line is longer than `columns`. */
export function helpFitted(text: string, columns = HELP_COLUMNS): string {
  const lines = text.split('\n');
  const out: string[] = [];
  for (let at = 0; at < lines.length;) {
    // A paragraph: lines that begin in the first column.
    const end = lines.findIndex((line, i) => i >= at && !/^\S/.test(line));
    const paragraph = lines.slice(at, end < 0 ? lines.length : end);
    if (paragraph.some((line) => line.length > columns)) {
      out.push(...filled(paragraph.join(' '), '', columns));
    } else out.push(...paragraph);
    at += paragraph.length;
    const line = lines[at];
    if (line !== undefined && paragraph.length === 0) {
      out.push(...fitLine(line, columns));
      at++;
    }
  }
  return out.join('\n');
}

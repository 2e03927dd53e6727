/** The diffstat that a mail states, and its comparison with its diff. */
import type { Diff } from './diff-parse.js';

interface Stated {
  readonly path: string;
  /** Lines added and removed together; undefined: a binary file. */
  readonly lines: number | undefined;
  readonly at: number;
}

export interface StatDifference {
  readonly at: number;
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** A row as ` mm/pat.c | 11 ++-`: its path and its count. */
function rowOf(line: string): { path: string; count: string | undefined } | undefined {
  const bar = line.lastIndexOf('|');
  if (bar < 0 || !/^ \S/.test(line)) return undefined;
  const [found, count] =
    /^\s{1,99}(?:(\d{1,9})(?: [-+]*)?|Bin(?: .*)?)$/.exec(line.slice(bar + 1)) ?? [];
  return found === undefined ? undefined : { path: line.slice(1, bar).trimEnd(), count };
}

const SUMMARY =
  /^ (\d{1,9}) files? changed(?:, (\d{1,9}) insertions?\(\+\))?(?:, (\d{1,9}) deletions?\(-\))?$/;

/** The new path of a row: `old => new`, `dir/{old => new}/file`. */
function newPath(text: string): string {
  const [, before, inner, after] = /^(.*)\{.* => (.*)\}(.*)$/.exec(text) ?? [];
  if (before !== undefined) return `${before}${inner ?? ''}${after ?? ''}`.replaceAll('//', '/');
  return text.split(' => ').at(-1) ?? text;
}

/** Whether a row's path, whose beginning may be cut (`.../mm/pat.c`), is that of a file. */
const isPath = (row: string, path: string): boolean =>
  row.startsWith('...') ? path.endsWith(row.slice('...'.length)) : row === path;

/** Where the diffstat before a diff differs from it. Nothing is required of a mail without one. */
export function compareStat(lines: readonly string[], diff: Diff): StatDifference[] {
  const rows: Stated[] = [];
  const differences: StatDifference[] = [];
  let summary: { at: number; text: string } | undefined;
  lines.slice(0, diff.start).forEach((line, at) => {
    if (line.length > 1000) return;
    const row = rowOf(line);
    if (row !== undefined) {
      const lines = row.count === undefined ? undefined : Number(row.count);
      rows.push({ path: newPath(row.path), lines, at });
    }
    if (SUMMARY.test(line)) summary = { at, text: line };
  });
  for (const row of rows) {
    const file = diff.files.find(({ path }) => isPath(row.path, path));
    const own = file === undefined ? 'no such file' : `${file.added + file.removed} lines`;
    if (file?.binary === true && row.lines === undefined) continue;
    const stated = row.lines === undefined ? 'a binary file' : `${row.lines} lines`;
    if (own !== stated) {
      differences.push({ at: row.at, what: row.path, expected: stated, found: own });
    }
  }
  if (rows.length > 0) {
    for (const { path, at } of diff.files) {
      if (rows.some((row) => isPath(row.path, path))) continue;
      differences.push({ at, what: path, expected: 'no such file', found: 'a file of the diff' });
    }
  }
  if (summary !== undefined) {
    const total = (key: 'added' | 'removed'): number =>
      diff.files.reduce((sum, file) => sum + file[key], 0);
    const [, files = '0', added = '0', removed = '0'] = SUMMARY.exec(summary.text) ?? [];
    const form = (a: number, b: number, c: number): string => `${a} files, +${b} -${c}`;
    const expected = form(Number(files), Number(added), Number(removed));
    const found = form(diff.files.length, total('added'), total('removed'));
    if (expected !== found) {
      differences.push({ at: summary.at, what: 'all files', expected, found });
    }
  }
  return differences;
}

/**
 * Output as quoted in a page. A line `…` matches one or more omitted lines, `…` within a line omitted text; blanks at
 * either end of a line are ignored.
 */

const GAP = '…';

/** Whether a line of output matches a quoted line. */
export function lineMatches(quoted: string, line: string): boolean {
  const parts = quoted.trim().split(GAP);
  if (parts.length === 1) return quoted.trim() === line.trim();
  const source = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${source}$`, 'u').test(line.trim());
}

/** Lines of output, without blank ones at the end. */
export const outputLines = (output: string): string[] => output.trimEnd().split('\n');

/** The first quoted line that cannot be matched, with the most similar lines of output. */
export interface Mismatch {
  /** Index of the quoted line; the number of quoted lines if only more output follows. */
  readonly at: number;
  readonly nearest: readonly string[];
}

/** Compares output with its quotation; undefined if they match. */
export function mismatch(
  quoted: readonly string[],
  output: readonly string[],
): Mismatch | undefined {
  let furthest = 0;
  const seen = new Set<number>();
  const fits = (q: number, o: number): boolean => {
    const key = q * (output.length + 1) + o;
    if (seen.has(key)) return false;
    seen.add(key);
    furthest = Math.max(furthest, q);
    const line = quoted[q];
    if (line === undefined) return o === output.length;
    const there = output[o];
    if (there === undefined) return false;
    if (line.trim() === GAP) return fits(q + 1, o + 1) || fits(q, o + 1);
    return lineMatches(line, there) && fits(q + 1, o + 1);
  };
  if (fits(0, 0)) return undefined;
  return { at: furthest, nearest: nearestTo(quoted[furthest] ?? '', output) };
}

const wordsOf = (text: string): string[] => text.split(/[\s,{}'"…]+/).filter(Boolean);

/** Fraction of a quoted line's words that a line of output has, from 0 to 1; slightly less for longer lines. */
export function resemblance(quoted: string, line: string): number {
  const words = wordsOf(quoted);
  if (words.length === 0) return 0;
  const there = new Set(wordsOf(line));
  const found = words.filter((word) => there.has(word)).length;
  return found / words.length - there.size / 10_000;
}

function nearestTo(quoted: string, output: readonly string[]): string[] {
  return output
    .map((line) => ({ line, score: resemblance(quoted, line) }))
    .filter(({ score }) => score > 0.2)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ line }) => line.trim());
}

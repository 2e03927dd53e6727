/**
 * Output as a page quotes it. A line `…` stands for one or more left-out lines, `…` within a line for left-out text; blanks
 * at either end of a line do not count.
 */

const GAP = '…';

/** Whether a line of output is what a quoted line says. */
export function lineMatches(quoted: string, line: string): boolean {
  const parts = quoted.trim().split(GAP);
  if (parts.length === 1) return quoted.trim() === line.trim();
  const source = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${source}$`, 'u').test(line.trim());
}

/** Output in lines, without the blank ones at its end. */
export const outputLines = (output: string): string[] => output.trimEnd().split('\n');

/** The quoted line that nothing follows up to, with the lines that resemble it most; undefined where all is as quoted. */
export interface Mismatch {
  /** Index of the quoted line; the number of quoted lines where only more output follows. */
  readonly at: number;
  readonly nearest: readonly string[];
}

/** Compares output with how it is quoted. */
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

/** Which share of a quoted line's words a line of output has, from 0 to 1; longer lines a little less. */
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

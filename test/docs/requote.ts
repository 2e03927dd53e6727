/** Updates a quotation to changed output: each quoted line is replaced by the most similar line of output. */
import { lineMatches, mismatch, resemblance } from './quoted.js';

/** Least similarity of a line of output that replaces a quoted line. */
const ENOUGH = 0.5;
const GAP = '…';

/** The updated quotation; lines that are no longer in the output are dropped. */
export function requote(quoted: readonly string[], output: readonly string[]): string[] {
  if (mismatch(quoted, output) === undefined) return [...quoted];
  const quotes = quoted.filter((line) => line.trim() !== GAP);
  const places = align(quotes, output);
  const lines: string[] = [];
  let next = 0;
  quotes.forEach((line, i) => {
    const place = places[i];
    if (place === undefined) return;
    if (place > next) lines.push(GAP);
    lines.push(shorten(line, output[place] ?? ''));
    next = place + 1;
  });
  if (next < output.length) lines.push(GAP);
  return lines;
}

/** For each quoted line the index of its line of output, ascending; the sum of the similarities is maximal. */
function align(quotes: readonly string[], output: readonly string[]): (number | undefined)[] {
  const rows = quotes.length;
  const columns = output.length;
  const best = Array.from({ length: rows + 1 }, () => new Float64Array(columns + 1));
  const of = (i: number, j: number): number => best[i]?.[j] ?? 0;
  const score = (i: number, j: number): number => {
    const [line = '', there = ''] = [quotes[i], output[j]];
    const share = lineMatches(line, there) ? 2 : resemblance(line, there);
    return share >= ENOUGH ? share : -1;
  };
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const taken = score(i, j) + of(i + 1, j + 1);
      (best[i] ?? [])[j] = Math.max(taken, of(i + 1, j), of(i, j + 1));
    }
  }
  const places: (number | undefined)[] = quotes.map(() => undefined);
  for (let i = 0, j = 0; i < rows && j < columns;) {
    const share = score(i, j);
    if (share > 0 && of(i, j) === share + of(i + 1, j + 1)) places[i++] = j++;
    else if (of(i, j) === of(i, j + 1)) j++;
    else i++;
  }
  return places;
}

const keyOf = (field: string): string => field.replace(/^\s*(?:- )?\{?/, '').split(':')[0] ?? '';

/** The line of output; of an event, only the fields that the old quotation had. */
function shorten(quoted: string, line: string): string {
  if (lineMatches(quoted, line)) return quoted;
  const whole = line.trimEnd();
  const isEvent = /^\s*- \{.*\}$/.test(whole);
  if (!isEvent) return quoted.includes(GAP) ? reElided(quoted, whole) : whole;
  const retained = new Set(quoted.split(', ').map(keyOf));
  const fields = whole
    .trim()
    .slice('- {'.length, -1)
    .split(/, (?=\w+: )/);
  const shown = fields.map((field) => (retained.has(keyOf(field)) ? field : GAP));
  return `- {${shown.filter((field, i) => field !== GAP || shown[i - 1] !== GAP).join(', ')}}`;
}

/** The new line, truncated at the text where the old quotation began or ended; the whole line if that is not found. */
function reElided(quoted: string, line: string): string {
  const [before = '', ...rest] = quoted.split(GAP);
  const after = rest.at(-1) ?? '';
  const text = line.trim();
  if (before.trim() !== '' && after === '') {
    const words = before.trim().split(' ').length;
    return `${text.split(' ').slice(0, words).join(' ')} ${GAP}`;
  }
  if (text.endsWith(after.trim()) && after.trim() !== '') return `${GAP}${after}`;
  return line;
}

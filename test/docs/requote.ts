/** Quotes output anew where it has changed: each quoted line becomes the line of output that resembles it most. */
import { lineMatches, mismatch, resemblance } from './quoted.js';

/** Below this no line of output is taken for the quoted one. */
const ENOUGH = 0.5;
/** A line up to this length is quoted whole where the old quotation left nothing out. */
const GAP = '…';

/** The quotation brought up to date; lines that are in the output no more are dropped. */
export function requote(quoted: readonly string[], output: readonly string[]): string[] {
  if (mismatch(quoted, output) === undefined) return [...quoted];
  const said = quoted.filter((line) => line.trim() !== GAP);
  const places = align(said, output);
  const lines: string[] = [];
  let next = 0;
  said.forEach((line, i) => {
    const place = places[i];
    if (place === undefined) return;
    if (place > next) lines.push(GAP);
    lines.push(shorten(line, output[place] ?? ''));
    next = place + 1;
  });
  if (next < output.length) lines.push(GAP);
  return lines;
}

/** For each quoted line the index of its line of output, in order; the sum of resemblances is the greatest. */
function align(said: readonly string[], output: readonly string[]): (number | undefined)[] {
  const rows = said.length;
  const columns = output.length;
  const best = Array.from({ length: rows + 1 }, () => new Float64Array(columns + 1));
  const of = (i: number, j: number): number => best[i]?.[j] ?? 0;
  const score = (i: number, j: number): number => {
    const [line = '', there = ''] = [said[i], output[j]];
    const share = lineMatches(line, there) ? 2 : resemblance(line, there);
    return share >= ENOUGH ? share : -1;
  };
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const taken = score(i, j) + of(i + 1, j + 1);
      (best[i] ?? [])[j] = Math.max(taken, of(i + 1, j), of(i, j + 1));
    }
  }
  const places: (number | undefined)[] = said.map(() => undefined);
  for (let i = 0, j = 0; i < rows && j < columns;) {
    const share = score(i, j);
    if (share > 0 && of(i, j) === share + of(i + 1, j + 1)) places[i++] = j++;
    else if (of(i, j) === of(i, j + 1)) j++;
    else i++;
  }
  return places;
}

const keyOf = (field: string): string => field.replace(/^\s*(?:- )?\{?/, '').split(':')[0] ?? '';

/** The line of output with only those fields of an event that the old quotation had. */
function shorten(quoted: string, line: string): string {
  if (lineMatches(quoted, line)) return quoted;
  const whole = line.trimEnd();
  const isEvent = /^\s*- \{.*\}$/.test(whole);
  if (!isEvent) return quoted.includes(GAP) ? reElided(quoted, whole) : whole;
  const wanted = new Set(quoted.split(', ').map(keyOf));
  const fields = whole
    .trim()
    .slice('- {'.length, -1)
    .split(/, (?=\w+: )/);
  const shown = fields.map((field) => (wanted.has(keyOf(field)) ? field : GAP));
  return `- {${shown.filter((field, i) => field !== GAP || shown[i - 1] !== GAP).join(', ')}}`;
}

/** Text at which the old quotation stopped or began is looked for in the new line; where it is not there, all is quoted. */
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

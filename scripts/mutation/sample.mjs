// A seeded sample of mutants, and the interval of its score.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { targetOf } from './targets.mjs';

const silent = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, () => undefined]),
);
const logger = {
  ...silent,
  ...Object.fromEntries(
    ['Trace', 'Debug', 'Info', 'Warn', 'Error', 'Fatal'].map((l) => [`is${l}Enabled`, () => false]),
  ),
};

/** The sources that a sample is drawn from: all but those of targets, and what runs only in a browser. */
export function sampledFiles() {
  return readdirSync('src', { recursive: true })
    .map((path) => path.split(sep).join('/'))
    .filter(
      (path) =>
        path.endsWith('.ts') && !/^(?:analysis\/matrix\/page|view\/page|view\/worker)\//.test(path),
    )
    .filter((path) => targetOf(path) === undefined)
    .sort();
}

/** All mutants of some files, in the order of the files and of the text, without running any. */
export async function mutantsOf(paths) {
  const files = paths.map((path) => ({
    name: join('src', path),
    mutate: true,
    content: readFileSync(join('src', path), 'utf8'),
  }));
  const options = { plugins: null, excludedMutations: [], ignorers: [], noHeader: true };
  const { mutants } = await new Instrumenter(logger).instrument(files, options);
  return mutants.map(({ fileName, location: { start, end }, mutatorName, replacement }) => ({
    path: fileName.split(sep).slice(1).join('/'),
    range: `${start.line + 1}:${start.column}-${end.line + 1}:${end.column}`,
    mutatorName,
    replacement,
  }));
}

/** Mutators whose replacement is an expression that may bind less tightly than the one that it replaces. */
const LOOSE = [
  ...['ArithmeticOperator', 'BooleanLiteral', 'EqualityOperator', 'LogicalOperator'],
  ...['MethodExpression', 'UnaryOperator'],
];

/** The text of a file with one mutant in it. */
export function mutated(text, { range, mutatorName, replacement }) {
  const lines = text.split('\n');
  const [line, column, lastLine, lastColumn] = range.split(/[:-]/).map(Number);
  // In parentheses the rest of an optional chain would run even if the chain ends early.
  const isLoose = LOOSE.includes(mutatorName) && !replacement.includes('?.');
  return [
    ...lines.slice(0, line - 1),
    lines[line - 1].slice(0, column) +
      (isLoose ? `(${replacement})` : replacement) +
      lines[lastLine - 1].slice(lastColumn),
    ...lines.slice(lastLine),
  ].join('\n');
}

/** What tells a mutant from all others of the same sources. */
export const identityOf = ({ path, range, mutatorName, replacement }) =>
  [path, range, mutatorName, replacement].join('\n');

/**
 * `count` of the mutants, in the order of a digest of each: a smaller sample of the same seed is a part of it, and a change of
 * one file leaves what is drawn of the others.
 */
export function draw(mutants, count, seed) {
  const rank = (mutant) =>
    createHash('sha256')
      .update(`${seed}\n${identityOf(mutant)}`)
      .digest('hex');
  const ranked = mutants.map((mutant) => [rank(mutant), mutant]);
  ranked.sort(([a], [b]) => (a < b ? -1 : 1));
  return ranked.slice(0, count).map(([, mutant]) => mutant);
}

/** The 95 % confidence interval of a proportion (Wilson, 1927), as two proportions. */
export function wilson(hits, count) {
  const z = 1.959964;
  const share = hits / count;
  const middle = share + z ** 2 / (2 * count);
  const spread = z * Math.sqrt((share * (1 - share) + z ** 2 / (4 * count)) / count);
  const scale = 1 + z ** 2 / count;
  return [Math.max(0, (middle - spread) / scale), Math.min(1, (middle + spread) / scale)];
}

/**
 * The cost of a matrix, in CPU time of a warm boot in the same process, by the number of hunks. Each matrix is compared
 * with the boots directly before and after it, since the speed of a machine varies over time; the result is the median
 * of the runs of each size. With the sanitizer on, both the matrix and the boots have it.
 */
import { bootOptions, DEFAULT_SCENARIO } from '../src/cli/run-options.js';
import { Matrix } from '../src/analysis/matrix/matrix.js';
import { Boot, type BootOptions } from '../src/sequencer/boot.js';

const WARM_UP = 2;
/** Boots around each matrix. */
const BOOTS = 3;
const RUNS = 5;

/** CPU time of `work` in this process, in milliseconds. */
function cpu(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] ?? 0) + (sorted[Math.ceil(half)] ?? 0)) / 2;
}

const options = (sanitize: boolean): BootOptions => bootOptions(DEFAULT_SCENARIO, { sanitize });
const boots = (sanitize: boolean): number[] =>
  Array.from({ length: BOOTS }, () =>
    cpu(() => {
      new Boot(options(sanitize)).run();
    }),
  );

/** A matrix of every n-th hunk: its rows, its CPU time in ms, and the ratio to a boot of the same kind. */
function matrix(every: number, sanitize: boolean): { rows: number; all: number; ratio: number } {
  const before = boots(sanitize);
  let rows = 0;
  const all = cpu(() => {
    const subject = new Matrix(options(sanitize));
    rows = subject.hunks.filter((_, i) => i % every === 0).map((hunk) => subject.row(hunk)).length;
  });
  return { rows, all, ratio: all / median([...before, ...boots(sanitize)]) };
}

function print(every: number, sanitize: boolean): void {
  const runs = Array.from({ length: RUNS }, () => matrix(every, sanitize));
  const rows = runs[0]?.rows ?? 0;
  const ratio = median(runs.map((run) => run.ratio));
  const all = median(runs.map((run) => run.all));
  console.log(
    `matrix of ${String(rows).padStart(2)} hunks${(sanitize ? ', sanitizer on' : '').padEnd(16)} ` +
      `${all.toFixed(0).padStart(10)} ms   ` +
      `${ratio.toFixed(1)} warm boots, ${((ratio - 1) / rows).toFixed(2)} for each hunk`,
  );
}

for (const sanitize of [false, true]) {
  for (let i = 0; i < WARM_UP; i++) boots(sanitize);
  for (const every of sanitize ? [1] : [8, 4, 2, 1]) print(every, sanitize);
}

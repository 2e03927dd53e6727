/**
 * The cost of a matrix, in CPU time of a warm boot in the same process, by the number of hunks. Each matrix is compared
 * with the boots directly before and after it, since the speed of a machine varies over time; the result is the median
 * of the runs of each size.
 */
import { bootOptions, DEFAULT_SCENARIO } from '../src/cli/run-options.js';
import { Matrix } from '../src/analysis/matrix/matrix.js';
import { Boot } from '../src/sequencer/boot.js';

const WARM_UP = 5;
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

const boot = (): void => {
  new Boot(bootOptions(DEFAULT_SCENARIO, {})).run();
};
const boots = (): number[] => Array.from({ length: BOOTS }, () => cpu(boot));

for (let i = 0; i < WARM_UP; i++) boot();

/** A matrix of every n-th hunk: its rows, its CPU time in ms, and the ratio to a boot. */
function matrix(every: number): { rows: number; all: number; ratio: number } {
  const before = boots();
  let rows = 0;
  const all = cpu(() => {
    const subject = new Matrix(bootOptions(DEFAULT_SCENARIO, {}));
    rows = subject.hunks.filter((_, i) => i % every === 0).map((hunk) => subject.row(hunk)).length;
  });
  return { rows, all, ratio: all / median([...before, ...boots()]) };
}

for (const every of [8, 4, 2, 1]) {
  const runs = Array.from({ length: RUNS }, () => matrix(every));
  const rows = runs[0]?.rows ?? 0;
  const ratio = median(runs.map((run) => run.ratio));
  const all = median(runs.map((run) => run.all));
  console.log(
    `matrix of ${String(rows).padStart(2)} hunks ${all.toFixed(0).padStart(26)} ms   ` +
      `${ratio.toFixed(1)} warm boots, ${((ratio - 1) / rows).toFixed(2)} for each hunk`,
  );
}

/**
 * What a matrix costs, in CPU time of a warm boot in the same process, and how it grows with the number of hunks. Boots
 * are measured before and after each matrix, since a machine may be faster at one time than at another; of the runs of
 * each kind the median counts.
 */
import { bootOptions, DEFAULT_SCENARIO } from '../src/cli/run-options.js';
import { Matrix } from '../src/review/matrix.js';
import { Boot } from '../src/sequencer/boot.js';

const WARM_UP = 5;
/** Boots around each matrix. */
const BOOTS = 2;
const RUNS = 3;

/** Milliseconds of CPU that something takes, in this process. */
function cpu(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const boot = (): void => {
  new Boot(bootOptions(DEFAULT_SCENARIO, {})).run();
};
const boots = (): number[] => Array.from({ length: BOOTS }, () => cpu(boot));

for (let i = 0; i < WARM_UP; i++) boot();
const measured = boots();

/** A matrix of one hunk in so many. */
function matrix(every: number): { rows: number; all: number } {
  let rows = 0;
  const all = cpu(() => {
    const subject = new Matrix(bootOptions(DEFAULT_SCENARIO, {}));
    rows = subject.hunks.filter((_, i) => i % every === 0).map((hunk) => subject.row(hunk)).length;
  });
  measured.push(...boots());
  return { rows, all };
}

const matrices = [8, 4, 2, 1].map((every) => {
  const runs = Array.from({ length: RUNS }, () => matrix(every));
  return { rows: runs[0]?.rows ?? 0, all: median(runs.map(({ all }) => all)) };
});
const one = median(measured);
console.log(`a warm boot ${one.toFixed(0).padStart(32)} ms of CPU`);
for (const { rows, all } of matrices) {
  const each = (all / one - 1) / rows;
  console.log(
    `matrix of ${String(rows).padStart(2)} hunks ${all.toFixed(0).padStart(26)} ms   ` +
      `${(all / one).toFixed(1)} boots, ${each.toFixed(2)} for each hunk`,
  );
}

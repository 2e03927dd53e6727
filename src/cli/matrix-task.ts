/** One task of a matrix, yielded row by row; runs in this thread or in a worker. */
import { Matrix } from '../analysis/matrix/matrix.js';
import type { MatrixRow, MatrixScenario } from '../analysis/matrix/report.js';
import type { Task } from '../analysis/matrix/plan.js';
import { setStreams } from '../node/stdin.js';
import { bootOptions, type RunFlags } from './run-options.js';

/** A task with the flags of its boots. */
export interface MatrixTask extends Task {
  readonly flags: RunFlags;
  /** The standard input and the pipes that were read: a worker cannot read them. */
  readonly streams: ReadonlyMap<string, Uint8Array>;
}

/** The messages of a task: the boot of the whole series first, then a row for each hunk. */
export type MatrixMessage =
  | { readonly task: string; readonly scenario: MatrixScenario }
  | { readonly task: string; readonly row: MatrixRow };

/** Runs the boots of a task. */
export function* runTask({
  scenario,
  hunks,
  flags,
  streams,
}: MatrixTask): Generator<MatrixMessage> {
  setStreams(streams);
  const matrix = new Matrix(bootOptions(scenario, flags));
  yield { task: scenario, scenario: matrix.scenario };
  for (const leftOut of matrix.hunks) {
    if (hunks.includes(leftOut.hunk.id)) yield { task: scenario, row: matrix.row(leftOut) };
  }
}

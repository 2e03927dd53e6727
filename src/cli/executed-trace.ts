/** The trace of a run, of the model or executed. */
import { ExecutedTracer } from '../inspect/executed/tracer.js';
import { ExecutedRun } from '../sequencer/executed-run.js';
import type { SanitizerReport } from '../trace/report.js';
import type { Trace } from '../trace/trace.js';
import { prepareExecution, type Execution } from './execute-options.js';
import { prepareBoot, type RunFlags } from './run-options.js';
import { sha256 } from '../node/sha256.js';

/** Instructions between two looks at Ctrl-C and at the console: about a tenth of a second (our choice). */
export const SLICE = 1_000_000;

/** The name of the function of `--until`. */
export const untilOf = ({ until }: RunFlags): string | undefined => until?.replace(/:return$/, '');

/** Records a boot that has not begun. */
export const tracerOf = ({ boot, header }: Execution): ExecutedTracer =>
  new ExecutedTracer(boot, header);

export const finished = (tracer: ExecutedTracer, reports?: readonly SanitizerReport[]): Trace =>
  tracer.finish(sha256, reports);

/**
 * A run that is ready: its options are checked and its files are read. The function boots it and returns its trace.
 * `onStep` is called with the label of each step before it runs.
 */
export function preparedTrace(
  scenario: string,
  flags: RunFlags,
  onStep?: (label: string) => void,
): () => Trace {
  if (flags.execute !== true) {
    const boot = prepareBoot(scenario, flags, onStep);
    return () => boot.run();
  }
  const execution = prepareExecution(scenario, flags);
  const { boot } = execution;
  boot.onLabel = onStep ?? null;
  const run = new ExecutedRun(boot, untilOf(flags));
  return () => {
    const tracer = tracerOf(execution);
    while (run.slice(SLICE));
    return finished(tracer, boot.sanitizer?.reports());
  };
}

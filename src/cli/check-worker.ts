/** A worker thread of `sme-boot check`: receives runs, posts traces. Bundled as dist/check-worker.js. */
import { parentPort } from 'node:worker_threads';
import { InputError } from '../base/errors.js';
import type { BootMessage } from './check-boots.js';
import { preparedTrace } from './executed-trace.js';
import { runKey, type Run } from './runs.js';

/** The trace of a run; none for wrong input, which the main thread reports. */
function boot(run: Run): BootMessage {
  const key = runKey(run);
  try {
    return { key, trace: preparedTrace(run.scenario, run.flags)() };
  } catch (error) {
    if (error instanceof InputError) return { key };
    throw error;
  }
}

parentPort?.on('message', (run: Run) => {
  parentPort?.postMessage({ message: boot(run) });
  parentPort?.postMessage({ done: true });
});

/** A worker thread of `sme-boot matrix`: receives tasks, posts rows. Bundled as dist/matrix-worker.js. */
import { parentPort } from 'node:worker_threads';
import { InputError } from '../base/errors.js';
import { runTask, type MatrixTask } from './matrix-task.js';

parentPort?.on('message', (task: MatrixTask) => {
  try {
    for (const message of runTask(task)) parentPort?.postMessage({ message });
    parentPort?.postMessage({ done: true });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { code, place, reason, expected, found } = error;
    parentPort?.postMessage({ refused: { code, place, reason, expected, found } });
  }
});

/** A pool of worker threads that run one script over a list of tasks. */
import { Worker } from 'node:worker_threads';
import { InputError, type InputErrorDetails } from '../base/errors.js';

/** A message from a worker. */
type WorkerMessage<M> =
  { readonly message: M } | { readonly done: true } | { readonly refused: InputErrorDetails };

/**
 * Runs tasks on up to `count` workers and passes their messages to `onMessage`. An abort terminates them at once. Rejects
 * with the error that a worker threw.
 */
export async function runOnWorkers<T, M>(
  program: URL,
  tasks: readonly T[],
  count: number,
  onMessage: (message: M) => void,
  signal: AbortSignal,
): Promise<void> {
  const queue = [...tasks];
  const workers: Worker[] = [];
  const stop = (): void => {
    for (const worker of workers) void worker.terminate();
  };
  signal.addEventListener('abort', stop, { once: true });
  const work = async (): Promise<void> => {
    if (queue.length === 0 || signal.aborted) return;
    const worker = new Worker(program);
    workers.push(worker);
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const task = queue.shift();
        if (task === undefined) resolve();
        else worker.postMessage(task);
      };
      worker.on('message', (posted: WorkerMessage<M>) => {
        if ('message' in posted) onMessage(posted.message);
        else if ('refused' in posted) reject(new InputError(posted.refused));
        else next();
      });
      worker.on('error', reject);
      worker.on('exit', (status) => {
        if (signal.aborted) resolve();
        else
          reject(new Error(`a worker exited before its task was done, status ${String(status)}`));
      });
      next();
    });
    await worker.terminate();
  };
  try {
    await Promise.all(Array.from({ length: Math.min(count, tasks.length) }, work));
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

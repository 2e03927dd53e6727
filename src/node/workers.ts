/** A pool of worker threads that run one program over a list of tasks. */
import { Worker } from 'node:worker_threads';
import { InputError, type InputErrorDetails } from '../base/errors.js';

/** What a worker says. */
type Said<M> =
  { readonly message: M } | { readonly done: true } | { readonly refused: InputErrorDetails };

/**
 * Runs tasks on up to `count` workers of a program and hands on what they say. An abort stops them where they are.
 * Rejects with what a worker threw.
 */
export async function runOnWorkers<T, M>(
  program: URL,
  tasks: readonly T[],
  count: number,
  tell: (message: M) => void,
  signal: AbortSignal,
): Promise<void> {
  const left = [...tasks];
  const workers: Worker[] = [];
  const stop = (): void => {
    for (const worker of workers) void worker.terminate();
  };
  signal.addEventListener('abort', stop, { once: true });
  const work = async (): Promise<void> => {
    if (left.length === 0 || signal.aborted) return;
    const worker = new Worker(program);
    workers.push(worker);
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const task = left.shift();
        if (task === undefined) resolve();
        else worker.postMessage(task);
      };
      worker.on('message', (said: Said<M>) => {
        if ('message' in said) tell(said.message);
        else if ('refused' in said) reject(new InputError(said.refused));
        else next();
      });
      worker.on('error', reject);
      worker.on('exit', (status) => {
        if (signal.aborted) resolve();
        else reject(new Error(`a worker ended before its task, with status ${String(status)}`));
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

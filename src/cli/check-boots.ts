/** The boots of `sme-boot check --jobs`: worker threads boot ahead, in the order in which the files are checked. */
import { existsSync } from 'node:fs';
import { kindOfPath } from '../node/path-kind.js';
import { STDIN } from '../node/stdin.js';
import { runOnWorkers } from '../node/workers.js';
import type { Trace } from '../trace/trace.js';
import type { Planned } from './check-plan.js';
import { runKey, type Run, type Runs } from './runs.js';

/** A worker's message: the trace of a run; none if the boot threw, which it does again in the main thread. */
export interface BootMessage {
  readonly key: string;
  readonly trace?: Trace;
}

/** The worker's script, in the folder of the bundle. */
const WORKER = new URL('./check-worker.js', import.meta.url);

/** Boots that are under way. */
export interface Boots {
  /** Waits for the boots of a file. */
  readonly ready: (planned: Planned) => Promise<void>;
  /** Ends the workers. */
  readonly stop: () => Promise<void>;
}

/** A promise with the functions that settle it. */
interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function waitingFor(): Waiting {
  let settle: Omit<Waiting, 'promise'> | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // An error reaches each caller of ready(); without this, a run that no caller awaits would be an unhandled rejection.
  promise.catch(() => undefined);
  return { promise, resolve: () => settle?.resolve(), reject: (error) => settle?.reject(error) };
}

/**
 * Boots the runs of all files on up to `jobs` workers and adds the traces to `runs`; undefined if there is no use for
 * workers, or no bundle of one, as when the program is run from its sources.
 */
export function bootAhead(
  runs: Runs,
  planned: readonly Planned[],
  jobs: number,
): Boots | undefined {
  const distinct = new Map<string, Run>();
  // A worker has no standard input, and what one thread reads of a pipe no other does.
  const once = (file: string | undefined): boolean =>
    file === STDIN || (file !== undefined && kindOfPath(file) === 'other');
  const ownInput = ({ scenario, flags }: Run): boolean => once(scenario) || once(flags.series);
  for (const run of planned.flatMap((each) => each.runs)) {
    if (!ownInput(run)) distinct.set(runKey(run), run);
  }
  const workers = Math.min(jobs, distinct.size);
  if (workers < 2 || !existsSync(WORKER)) return undefined;
  const waiting = new Map([...distinct.keys()].map((key) => [key, waitingFor()]));
  const abort = new AbortController();
  const onMessage = ({ key, trace }: BootMessage): void => {
    const run = distinct.get(key);
    if (run !== undefined && trace !== undefined) runs.add(run, trace);
    waiting.get(key)?.resolve();
  };
  const done = runOnWorkers(WORKER, [...distinct.values()], workers, onMessage, abort.signal);
  done.catch((error: unknown) => {
    for (const { reject } of waiting.values()) reject(error);
  });
  return {
    ready: async ({ runs: own }) => {
      await Promise.all(own.flatMap((run) => waiting.get(runKey(run))?.promise ?? []));
    },
    stop: async () => {
      abort.abort();
      await done;
    },
  };
}

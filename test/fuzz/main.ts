/**
 * `npm run fuzz`: reads inputs of all kinds in turn, in a worker. This thread watches it: an input that takes too long or
 * too much memory is stored as a case, the worker ended, and another one started after it.
 */
import './no-program.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { writeCase } from './cases.js';
import type { Kind } from './kind.js';
import { KINDS } from './kinds.js';
import { planOf } from './plan.js';
import { countsText, noCounts, runKind, seedOf, type Counts, type Failure } from './runner.js';
import { SECONDS_MAX } from './try-input.js';

/** Inputs of a kind before the next one's turn. */
const BATCH = 500;
/** Bytes of an input that the watching thread sees. */
const SEEN = 1 << 20;
/** The words before them: counts of inputs so far, of those accepted and refused, and the input's length. */
const WORDS = 4;
/** Most memory of the process in bytes: an input may take a tenth of it. */
const MEMORY = 3 * 2 ** 30;
const POLL = 250;

/** A turn of a kind: `inputs` inputs from a seed. */
interface Batch {
  readonly kind: string;
  readonly seed: number;
  readonly inputs: number;
}
interface Done {
  readonly counts: Counts;
  readonly failure?: Failure;
}

const kindOf = (name: string): Kind => {
  const kind = KINDS.find((each) => each.name === name);
  if (kind !== undefined) return kind;
  throw new Error(`no kind ${name}; there are ${KINDS.map((each) => each.name).join(', ')}`);
};

/** The worker: reads batches, and shows each input to the other thread before it is read. */
function work(shared: SharedArrayBuffer): void {
  const words = new Int32Array(shared, 0, WORDS);
  const seen = new Uint8Array(shared, 4 * WORDS);
  const onInput = (bytes: Uint8Array): void => {
    seen.set(bytes.subarray(0, SEEN));
    Atomics.store(words, 3, bytes.length);
    Atomics.add(words, 0, 1);
  };
  const onResult = (accepted: boolean): void => {
    Atomics.add(words, accepted ? 1 : 2, 1);
  };
  parentPort?.on('message', ({ kind, seed, inputs }: Batch) => {
    const counts = noCounts();
    void runKind(kindOf(kind), counts, { seed, inputs, onInput, onResult }).then((failure) => {
      const done: Done = { counts, ...(failure !== undefined && { failure }) };
      parentPort?.postMessage(done);
    });
  });
}

/** A worker, watched. */
class Watched {
  private worker: Worker | undefined;
  private readonly shared = new SharedArrayBuffer(4 * WORDS + SEEN);

  /** Runs a batch. An input that ends the worker is a failure of it. */
  run(batch: Batch): Promise<Done> {
    this.worker ??= new Worker(new URL(import.meta.url), {
      workerData: this.shared,
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    const { worker, shared } = this;
    const words = new Int32Array(shared, 0, WORDS);
    return new Promise((resolve) => {
      let before = Atomics.load(words, 0);
      const first = [...words];
      let since = performance.now();
      const timer = setInterval(() => {
        const now = Atomics.load(words, 0);
        if (now !== before) since = performance.now();
        before = now;
        const seconds = (performance.now() - since) / 1000;
        const { rss } = process.memoryUsage();
        // The first input may build what all of a kind share.
        if (seconds > 3 * SECONDS_MAX) end(`no end after ${seconds.toFixed(0)} s`);
        else if (rss > MEMORY) end(`${String(Math.round(rss / 2 ** 20))} MiB of memory`);
      }, POLL);
      const settle = (done: Done): void => {
        clearInterval(timer);
        worker.off('message', settle).off('error', failed);
        resolve(done);
      };
      const end = (error: string): void => {
        this.worker = undefined;
        const length = Math.min(Atomics.load(words, 3), SEEN);
        const bytes = new Uint8Array(shared, 4 * WORDS, length).slice();
        const [accepted = 0, refused = 0] = [1, 2].map(
          (at) => Atomics.load(words, at) - (first[at] ?? 0),
        );
        const inputs = accepted + refused + 1;
        const counts = { ...noCounts(), inputs, accepted, refused, failures: 1 };
        settle({ counts, failure: { ...batch, bytes, path: '(not shrunk)', error } });
        void worker.terminate();
      };
      const failed = (error: Error): void => {
        end(error.message);
      };
      worker.once('message', settle);
      worker.once('error', failed);
      worker.postMessage(batch);
    });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }
}

interface Flags {
  readonly kinds: readonly Kind[];
  readonly seed: number;
  /** When to stop, in milliseconds of the clock; Infinity without --minutes. */
  readonly until: number;
  readonly plan: ReadonlyMap<Kind, number>;
  /** Whether cases are written. */
  readonly write: boolean;
  readonly quiet: boolean;
}

function flagsOf(): Flags {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      inputs: { type: 'string' },
      kind: { type: 'string', multiple: true },
      seed: { type: 'string' },
      'no-cases': { type: 'boolean' },
      quiet: { type: 'boolean' },
      suite: { type: 'boolean' },
    },
  });
  const number = (name: 'minutes' | 'inputs' | 'seed', least: number): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== '' && value >= least) return value;
    throw new Error(`--${name} ${text}: expected a number from ${String(least)} on`);
  };
  const kinds = values.kind === undefined ? KINDS : values.kind.map(kindOf);
  const inputs = number('inputs', 1);
  const suite = values.suite === true;
  const minutes = number('minutes', 0) ?? (inputs === undefined && !suite ? 1 : undefined);
  const one = kinds.length === 1 && inputs !== undefined;
  return {
    kinds,
    seed: Math.trunc(number('seed', -(2 ** 31)) ?? Date.now() % 2 ** 31),
    until: minutes === undefined ? Infinity : Date.now() + minutes * 60_000,
    plan:
      suite || one
        ? new Map(kinds.map((kind) => [kind, inputs ?? kind.inputs]))
        : planOf(kinds, inputs ?? Infinity),
    write: values['no-cases'] !== true,
    quiet: values.quiet === true,
  };
}

/** Where a run is: counts by kind, what remains of the plan. */
class Run {
  readonly counts = new Map<string, Counts>();
  private readonly left: Map<Kind, number>;
  private failed = 0;
  private stopped = false;

  constructor(private readonly flags: Flags) {
    this.left = new Map(flags.plan);
    for (const { name } of flags.kinds) this.counts.set(name, noCounts());
  }

  stop(): void {
    this.stopped = true;
  }

  print(): void {
    console.log(`\nseed ${String(this.flags.seed)}\n${countsText(this.counts)}`);
  }

  /** Reads all that the plan has; returns the exit status. */
  async run(): Promise<number> {
    const watched = new Watched();
    const { seed, until, kinds, quiet } = this.flags;
    let batch = 0;
    let told = Date.now();
    while (
      !this.stopped &&
      Date.now() < until &&
      [...this.left.values()].some((left) => left > 0)
    ) {
      for (const kind of kinds) {
        const left = this.left.get(kind) ?? 0;
        // Boots are slow: few at a time.
        const inputs = Math.min(left, kind.share === 0 ? 5 : BATCH * kind.share);
        if (inputs === 0 || this.stopped || Date.now() >= until) continue;
        const done = await watched.run({ kind: kind.name, seed: seedOf(seed, batch++), inputs });
        this.take(kind, done);
        if (quiet || Date.now() - told < 30_000) continue;
        told = Date.now();
        this.print();
      }
    }
    await watched.close();
    this.print();
    return this.failed === 0 ? 0 : 1;
  }

  private take(kind: Kind, { counts, failure }: Done): void {
    const all = this.counts.get(kind.name) ?? noCounts();
    for (const key of Object.keys(counts) as (keyof Counts)[]) all[key] += counts[key];
    this.counts.set(kind.name, all);
    this.left.set(kind, Math.max(0, (this.left.get(kind) ?? 0) - counts.inputs));
    if (failure === undefined) return;
    this.failed++;
    const where = this.flags.write ? writeCase(kind, failure.bytes) : '(not written)';
    const { seed, path, error } = failure;
    console.log(
      `\n${kind.name} failed: ${where}, batch seed ${String(seed)}, path ${path}\n${error}`,
    );
  }
}

/** Runs; returns the exit status. */
async function main(): Promise<number> {
  const flags = flagsOf();
  // Command lines run here may write files.
  const scratch = mkdtempSync(join(tmpdir(), 'sme-boot-fuzz-'));
  process.chdir(scratch);
  const run = new Run(flags);
  console.log(`seed ${String(flags.seed)}`);
  process.once('SIGINT', () => {
    run.stop();
    run.print();
    process.exit(130);
  });
  try {
    return await run.run();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (isMainThread) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`fuzz: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
  }
} else work(workerData as SharedArrayBuffer);

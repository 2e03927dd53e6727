/** Inputs of a kind by the thousand, with their counts. */
import fc from 'fast-check';
import type { Kind } from './kind.js';
import { tryInput } from './try-input.js';

/** What became of the inputs of a kind. */
export interface Counts {
  inputs: number;
  accepted: number;
  refused: number;
  failures: number;
  seconds: number;
}

export const noCounts = (): Counts => ({
  inputs: 0,
  accepted: 0,
  refused: 0,
  failures: 0,
  seconds: 0,
});

/** An input that is neither accepted nor refused, shrunk. */
export interface Failure {
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly seed: number;
  /** fast-check's path to the shrunk input. */
  readonly path: string;
  readonly error: string;
}

export interface RunOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Called with each input before it is read. */
  readonly onInput?: (bytes: Uint8Array) => void;
  /** Called after each that is counted as accepted or refused. */
  readonly onResult?: (accepted: boolean) => void;
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** Most time of a batch: it bounds the shrinking (our choice). */
const MILLISECONDS = 120_000;

/** Reads inputs up to the first failure, and adds to the counts. The seed determines the inputs. */
export async function runKind(
  kind: Kind,
  counts: Counts,
  options: RunOptions,
): Promise<Failure | undefined> {
  const { seed, inputs, onInput, onResult } = options;
  const began = performance.now();
  let failed = false;
  const property = fc.asyncProperty(kind.arbitrary, async (bytes) => {
    onInput?.(bytes);
    // Inputs of the shrinking are not counted.
    if (!failed) counts.inputs++;
    try {
      const accepted = await tryInput(kind, bytes);
      if (failed) return;
      counts[accepted ? 'accepted' : 'refused']++;
      onResult?.(accepted);
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  const result = await fc.check(property, {
    seed,
    numRuns: inputs,
    interruptAfterTimeLimit: MILLISECONDS,
  });
  counts.seconds += (performance.now() - began) / 1000;
  if (!result.failed) return undefined;
  counts.failures++;
  return {
    kind: kind.name,
    bytes: result.counterexample?.[0] ?? new Uint8Array(0),
    seed,
    path: result.counterexamplePath ?? '',
    error: textOf(result.errorInstance),
  };
}

/** Seed of a batch, from the seed of the run. */
export function seedOf(seed: number, batch: number): number {
  return (seed + Math.imul(batch, 0x9e37_79b1)) | 0;
}

const HEADS = ['kind', 'inputs', 'accepted', 'refused', 'failures', 'seconds', 'inputs/s'] as const;

/** The counts of kinds as a table. */
export function countsText(counts: ReadonlyMap<string, Counts>): string {
  const rows = [...counts].map(([name, { inputs, accepted, refused, failures, seconds }]) => [
    name,
    String(inputs),
    `${String(accepted)} (${inputs === 0 ? '-' : String(Math.round((100 * accepted) / inputs))} %)`,
    String(refused),
    String(failures),
    seconds.toFixed(1),
    seconds === 0 ? '-' : (inputs / seconds).toFixed(0),
  ]);
  const all = [[...HEADS], ...rows];
  const widths = HEADS.map((_head, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

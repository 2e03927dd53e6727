/** Runs a boot in the worker, step by step, and tells what has run. */
import { useLayoutEffect, useState } from 'preact/hooks';
import type { Choice } from '../choice.js';
import type { Begun, Side, Stepped } from '../messages.js';
import { AnswerError, type Asker } from './asker.js';

/** A boot that runs or has ended. */
export interface RunningBoot {
  /** Counts boots: state that belongs to an earlier one is not shown. */
  readonly run: number;
  readonly begun: Begun;
  readonly steps: readonly Stepped[];
  readonly ended: boolean;
  /** Of an executed boot: instructions so far, and those a second. */
  readonly instructions?: number | undefined;
  readonly rate?: number | undefined;
}

export interface BootState {
  readonly boot?: RunningBoot | undefined;
  readonly error?: string | undefined;
}

/** Milliseconds between two states that are shown while a boot runs (our choice): each costs time that the boot has not. */
const PACE = 250;

let runs = 0;

/** The boot of a choice; undefined: none. A new choice ends the one before. */
export function useBoot(asker: Asker, side: Side, choice: Choice | undefined): BootState {
  const [state, set] = useState<BootState>({});
  const key = choice === undefined ? undefined : JSON.stringify(choice);
  useLayoutEffect(() => {
    if (choice === undefined) return undefined;
    let current = true;
    const run = async (): Promise<void> => {
      const begun = await asker.ask('boot', { side, choice });
      const steps: Stepped[] = [];
      const id = ++runs;
      const start = performance.now();
      let told = -Infinity;
      while (current) {
        const { steps: more, ended, instructions } = await asker.ask('step', { side });
        if (!current) return;
        steps.push(...more);
        const now = performance.now();
        if (ended || now - told >= PACE) {
          const rate = instructions && (1000 * instructions) / (now - start);
          set({ boot: { run: id, begun, steps: [...steps], ended, instructions, rate } });
          told = now;
        }
        if (ended) return;
      }
    };
    run().catch((error: unknown) => {
      if (!(error instanceof AnswerError)) throw error;
      if (current) set((before) => ({ ...before, error: error.message }));
    });
    return () => {
      current = false;
    };
  }, [key]);
  return state;
}

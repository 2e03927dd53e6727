/**
 * Plain kernel state: what the model keeps outside simulated memory between boot steps. It holds nothing that a
 * structured clone does not copy.
 *
 * Here is what the runtime itself needs. Each file of the kernel declares its own part by adding to `KernelState`, as
 * it adds its names to `Entries`, and gives the part's fresh value by `stateSlice`; base.ts puts the slices together.
 */
import type { Va } from '../machine/address.js';

/** One function on the simulated stack. */
export interface Frame {
  readonly name: string;
  /** Where its code stands: the address it was entered at. */
  readonly at: Va;
  /** Where it returns to; the same value is on the simulated stack. */
  readonly returnsTo: Va;
}

/** What the model keeps of a CPU while another one runs. */
export interface CpuContext {
  frames: Frame[];
  slide: number;
  /** Exceptions that are being handled. */
  nested: number;
}

/** Every part of the state; files add to it by declaration merging. */
export interface KernelState {
  /** Bytes between where code runs and where it was linked. */
  slide: number;
  frames: Frame[];
  /** Contexts of the CPUs that do not run now, by CPU number. */
  cpus: Record<number, CpuContext>;
}

/** Makes some parts of the state as they are before the kernel runs. */
export type StateSlice<K extends keyof KernelState> = () => Pick<KernelState, K>;

/** The fresh values of the parts that a file declares. A part that `KernelState` does not have can have none. */
export function stateSlice<K extends string>(
  fresh: () => { [N in K]: N extends keyof KernelState ? KernelState[N] : never },
): StateSlice<K & keyof KernelState> {
  return fresh;
}

export const runtimeState = stateSlice(() => ({ slide: 0, frames: [], cpus: {} }));

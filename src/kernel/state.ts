/**
 * Kernel state that the model has outside simulated memory between boot steps. All of it is structured-clonable.
 *
 * This file has the state of the runtime itself. Each file of the kernel declares its own part by adding to
 * `KernelState`, as it adds its names to `Entries`, and gives the part's initial value by `stateSlice`; linux/index.ts
 * combines the slices.
 */
import type { Va } from '../machine/address.js';

/** One function on the simulated stack. */
export interface Frame {
  readonly name: string;
  /** The address of its code: that at which it was entered. */
  readonly at: Va;
  /** Its return address; the same value is on the simulated stack. */
  readonly returnsTo: Va;
}

/** The context of a CPU while another one runs. */
export interface CpuContext {
  frames: Frame[];
  slide: number;
  /** Number of exceptions that are being handled. */
  nested: number;
}

/** Every part of the state; files add to it by declaration merging. */
export interface KernelState {
  /** Distance in bytes of the running code from its link address. */
  slide: number;
  /** The simulated call stack of the running CPU, outermost function first. */
  frames: Frame[];
  /** Contexts of the CPUs that are not running, by CPU number. */
  cpus: Record<number, CpuContext>;
}

/** Makes the initial value of some parts of the state. */
export type StateSlice<K extends keyof KernelState> = () => Pick<KernelState, K>;

/** The initial values of the parts that a file declares; a part that `KernelState` lacks is a type error. */
export function stateSlice<K extends string>(
  fresh: () => { [N in K]: N extends keyof KernelState ? KernelState[N] : never },
): StateSlice<K & keyof KernelState> {
  return fresh;
}

export const runtimeState = stateSlice(() => ({ slide: 0, frames: [], cpus: {} }));

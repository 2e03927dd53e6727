/** What the page needs of a boot: it runs step by step, and its state after each step can be looked at in any order. */
import type { BusLog } from '../inspect/exposure/bus-log.js';
import type { Va } from '../machine/address.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import type { Trace } from '../trace/trace.js';
import type { Advance, Begun, StepRecord } from './messages.js';

/** A boot after one of its steps. It must not be run further. */
export interface ViewedState {
  readonly boot: InspectedBoot;
  /** The record of accesses until then; undefined: there is none. */
  readonly bus: BusLog | undefined;
  /** Computed at each call. */
  readonly step: () => StepRecord;
  /** The name of a linear address. */
  symbolAt(at: Va): string | undefined;
}

export interface ViewedBoot {
  /** The kernel image with its version. */
  readonly image: string;
  /** The RAM, the first byte after all of it, and where the kernel is loaded; in bytes. */
  readonly places: Pick<Begun, 'ram' | 'end' | 'kernelAt'>;
  /** Labels of all steps that it can have, in order; undefined: they are known when it has come to them. */
  readonly labels: readonly string[] | undefined;
  /** Labels of the steps that have run. */
  readonly done: readonly string[];
  /** Runs its next step, or a part of one. Throws UnmodelledError, as the boot of the model does. */
  advance(): Advance;
  /** Ends it where it is, with the next {@link advance}. A boot of the model ends by itself. */
  stop?(): void;
  /** The boot after the step of a label; undefined if that has not run. Valid until the next call of any method. */
  at(label: string): ViewedState | undefined;
  /** The trace of the boot; undefined before it has ended. */
  readonly trace: Trace | undefined;
}

/** What the page needs of a boot: it runs step by step, and its state after each step can be looked at in any order. */
import type { BusLog } from '../inspect/exposure/bus-log.js';
import type { Va } from '../machine/address.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import type { SanitizerReport } from '../trace/report.js';
import type { Consumed, Trace, TraceEvent } from '../trace/trace.js';
import type { Advance, Begun } from './messages.js';

/** What is known of a step besides the state of the machine after it. */
export interface StepRecord {
  /** Its description. */
  readonly what: string;
  readonly events: readonly TraceEvent[];
  /** The lines of the screen, of an executed boot those of its serial port; undefined: the machine has none. */
  readonly screen: readonly string[] | undefined;
  /** What was read until then; undefined: the readers are not known. */
  readonly reads: readonly Consumed[] | undefined;
  /** undefined: the sanitizer is off. */
  readonly reports: readonly SanitizerReport[] | undefined;
}

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

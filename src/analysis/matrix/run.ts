/** The result of a boot without a hunk. */
import type { Boot } from '../../sequencer/boot.js';
import type { SanitizerReport } from '../../trace/report.js';
import type { Consumed, Outcome, TraceEvent } from '../../trace/trace.js';
import type { WrongRead } from './report.js';

/** The result of a boot without a hunk. */
export interface Run {
  readonly boot: Boot;
  readonly outcome: Outcome;
  readonly consumed: readonly Consumed[];
  readonly wrong: WrongRead | undefined;
  /** The first step whose events differ, with both sides. */
  readonly differs: StepPair | undefined;
  /** The reports of the sanitizer. */
  readonly reports: readonly SanitizerReport[];
  /** Whether any memory is encrypted at the end. */
  readonly encrypted: boolean;
}

/** The events of one step, with the hunk and without. */
export interface StepPair {
  readonly label: string;
  readonly before: readonly TraceEvent[];
  readonly after: readonly TraceEvent[];
}

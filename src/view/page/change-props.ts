/** What the form of a boot has. */
import type { Choice } from '../choice.js';
import type { Offer, ScenarioText, Setup } from '../messages.js';
import type { SeriesRow } from './data.js';

/** What the parts of the form have. */
export interface ChangeProps {
  readonly offer: Offer;
  readonly scenarios: readonly ScenarioText[];
  readonly series: readonly SeriesRow[];
  readonly choice: Choice;
  readonly initial: Choice;
  /** The command line that makes the boot. */
  readonly words: string;
  /** The kernel image that boots, with its version. */
  readonly image: string;
  readonly error: string | undefined;
  readonly change: (next: Partial<Choice>) => void;
  readonly setKernel: (kernel: Setup['files']['kernel']) => void;
}

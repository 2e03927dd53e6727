/** A boot of the model whose state at each label can be looked at again, in any order. */
import { imageText } from '../firmware/image/kernel-image.js';
import type { BusLog, BusLogSnapshot } from '../inspect/exposure/bus-log.js';
import { recordBus } from '../inspect/exposure/exposure.js';
import { Boot, type BootOptions, type BootSnapshot } from '../sequencer/boot.js';
import { screenOf } from '../sequencer/screen.js';
import { whatOf } from '../sequencer/step-what.js';
import type { Trace } from '../trace/trace.js';
import type { Advance, StepRecord } from './messages.js';
import { newRules, placesOf } from './boot-facts.js';
import type { ViewedBoot, ViewedState } from './viewed-boot.js';

/** The state of a boot, and of the record of its bus. */
interface State {
  readonly boot: BootSnapshot;
  readonly bus: BusLogSnapshot;
}

export class LabelledBoot implements ViewedBoot {
  readonly #boot: Boot;
  readonly #bus: BusLog;
  /** The states after each step; the first one before any. */
  readonly #states: State[];
  /** The index in `#states` that the machine is in. */
  #at = 0;
  #trace: Trace | undefined;

  /** Throws InputError for a selection that does not build, and for input that does not fit the machine. */
  constructor(options: BootOptions) {
    this.#boot = new Boot(options);
    this.#bus = recordBus(this.#boot);
    this.#states = [this.#state()];
  }

  get labels(): readonly string[] {
    return this.#boot.labels;
  }

  get image(): string {
    return imageText(this.#boot.program.image);
  }

  get places(): ViewedBoot['places'] {
    return placesOf(this.#boot);
  }

  get done(): readonly string[] {
    return this.labels.slice(0, this.#states.length - 1);
  }

  get #ended(): boolean {
    return this.#states.at(-1)?.boot.outcome !== null || this.done.length === this.labels.length;
  }

  advance(): Advance {
    if (this.#ended) return { steps: [], ended: true };
    this.#restore(this.#states.length - 1);
    this.#bus.step = this.done.length;
    this.#boot.step();
    this.#states.push(this.#state());
    this.#at = this.#states.length - 1;
    const label = this.done.at(-1) ?? '';
    const rules = newRules(this.#reports(), label);
    return { steps: [{ label, outcome: this.#boot.outcome, rules }], ended: this.#ended };
  }

  at(label: string): ViewedState | undefined {
    const index = this.done.indexOf(label);
    if (index < 0) return undefined;
    this.#restore(index + 1);
    return {
      boot: this.#boot,
      bus: this.#bus,
      step: () => this.#recordOf(label),
      symbolAt: (at) => this.#boot.symbolize('va', at),
    };
  }

  get trace(): Trace | undefined {
    if (!this.#ended) return undefined;
    if (this.#trace === undefined) {
      this.#restore(this.#states.length - 1);
      this.#trace = this.#boot.finish();
      // It has written the caches back.
      this.#at = -1;
    }
    return this.#trace;
  }

  #reports(): StepRecord['reports'] {
    return this.#boot.sanitizer === null ? undefined : this.#boot.reports();
  }

  #recordOf(label: string): StepRecord {
    const { recorder, machine } = this.#boot;
    return {
      what: whatOf(label),
      events: recorder.eventsOf(label),
      screen: screenOf(machine),
      reads: recorder.consumedSoFar,
      reports: this.#reports(),
    };
  }

  #state(): State {
    return { boot: this.#boot.snapshot(), bus: this.#bus.snapshot() };
  }

  #restore(index: number): void {
    const state = this.#states[index];
    if (index === this.#at || state === undefined) return;
    this.#boot.restore(state.boot);
    this.#bus.restore(state.bus);
    this.#at = index;
  }
}

/** A boot whose state at each label can be looked at again, in any order. */
import type { BusLog, BusLogSnapshot } from '../inspect/exposure/bus-log.js';
import { recordBus } from '../inspect/exposure/exposure.js';
import { Boot, type BootOptions, type BootSnapshot } from '../sequencer/boot.js';
import type { Begun } from './messages.js';
import type { Trace } from '../trace/trace.js';

/** The state of a boot, and of the record of its bus. */
interface State {
  readonly boot: BootSnapshot;
  readonly bus: BusLogSnapshot;
}

/** A boot after one of its steps, with the record of its bus until then. */
export interface RecordedBoot {
  readonly boot: Boot;
  readonly bus: BusLog;
}

export class LabelledBoot {
  readonly #boot: Boot;
  readonly #bus: BusLog;
  /** The states after each step; the first one before any. */
  readonly #states: State[];
  /** The index in `#states` that the machine is in. */
  #at = 0;
  #trace: Trace | undefined;

  /** Throws InputError for a selection that does not build, and for input that does not fit the machine. */
  constructor(readonly options: BootOptions) {
    this.#boot = new Boot(options);
    this.#bus = recordBus(this.#boot);
    this.#states = [this.#state()];
  }

  /** Labels of all steps that it can have, in order. */
  get labels(): readonly string[] {
    return this.#boot.labels;
  }

  /** The kernel image with its version. */
  get image(): string {
    const { file, version } = this.#boot.program.image;
    return version === undefined ? file : `${file}, ${version}`;
  }

  /** The RAM, the first byte after all of it, and where the kernel is loaded; in bytes. */
  get places(): Pick<Begun, 'ram' | 'end' | 'kernelAt'> {
    const { machine, loaded } = this.#boot;
    const { ram } = machine.config;
    const end = Math.max(...ram.map(({ base, size }) => base + size));
    return { ram, end, kernelAt: loaded.kernelAt };
  }

  /** Labels of the steps that have run. */
  get done(): readonly string[] {
    return this.labels.slice(0, this.#states.length - 1);
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#states.at(-1)?.boot.outcome !== null || this.done.length === this.labels.length;
  }

  /** Runs the next step; false if the boot has ended. Throws UnmodelledError, as the boot does. */
  step(): boolean {
    if (this.ended) return false;
    this.#restore(this.#states.length - 1);
    this.#bus.step = this.done.length;
    this.#boot.step();
    this.#states.push(this.#state());
    this.#at = this.#states.length - 1;
    return true;
  }

  /** The boot after the step of a label; undefined if that has not run. It must not be run further. */
  at(label: string): RecordedBoot | undefined {
    const index = this.done.indexOf(label);
    if (index < 0) return undefined;
    this.#restore(index + 1);
    return { boot: this.#boot, bus: this.#bus };
  }

  /** The trace of the boot; undefined before it has ended. */
  get trace(): Trace | undefined {
    if (!this.ended) return undefined;
    if (this.#trace === undefined) {
      this.#restore(this.#states.length - 1);
      this.#trace = this.#boot.finish();
      // It has written the caches back.
      this.#at = -1;
    }
    return this.#trace;
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

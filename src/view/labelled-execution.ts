/**
 * An executed boot whose state at the end of each step can be looked at again, in any order, also while it runs. Its
 * steps are the code from the entry of one function to that of the next. Accesses are not recorded: that would make it
 * several times as slow.
 */
import { imageText } from '../firmware/image/kernel-image.js';
import { ExecutedTracer } from '../inspect/executed/tracer.js';
import { ExecutedBoot, type ExecutedBootSnapshot } from '../sequencer/executed-boot.js';
import type { ExecutedBootOptions } from '../sequencer/executed-boot.js';
import { ExecutedRun } from '../sequencer/executed-run.js';
import { LOADER_LABEL } from '../sequencer/loader-label.js';
import { whatOf } from '../sequencer/step-what.js';
import { digestOf } from '../trace/integrity.js';
import type { Trace, TraceHeader } from '../trace/trace.js';
import { newRules, placesOf } from './boot-facts.js';
import type { Advance, StepRecord, Stepped } from './messages.js';
import type { ViewedBoot, ViewedState } from './viewed-boot.js';

/** Instructions between two answers: some tenths of a second (our choice). */
const SLICE = 1_000_000;

/** A boot to be, with the header of its trace. */
export interface ExecutionOptions {
  readonly boot: ExecutedBootOptions;
  readonly header: TraceHeader;
  /** The function whose return ends it; undefined: it runs to its end. */
  readonly until?: string;
}

export class LabelledExecution implements ViewedBoot {
  readonly labels = undefined;
  readonly #boot: ExecutedBoot;
  readonly #tracer: ExecutedTracer;
  readonly #run: ExecutedRun;
  /** The state at the end of each step, by its label. */
  readonly #states = new Map<string, ExecutedBootSnapshot>();
  /** The one of them that the machine is in, if it is in one. */
  #at: ExecutedBootSnapshot | undefined;
  /** Where the boot goes on, while the machine is in the state of a label. */
  #running: ExecutedBootSnapshot | undefined;
  /** Instructions until now. */
  #instructions = 0;
  #ended = false;
  /** Whether it is to end. */
  #stopped = false;
  #trace: Trace | undefined;

  /** Throws InputError for input that does not fit the machine, and E_LABEL for a function that the image does not have. */
  constructor({ boot, header, until }: ExecutionOptions) {
    this.#boot = new ExecutedBoot(boot);
    this.#run = new ExecutedRun(this.#boot, until);
    this.#tracer = new ExecutedTracer(this.#boot, header);
  }

  get image(): string {
    return imageText(this.#boot.image);
  }

  get places(): ViewedBoot['places'] {
    return placesOf(this.#boot);
  }

  get done(): readonly string[] {
    return [...this.#states.keys()];
  }

  advance(): Advance {
    if (this.#ended) return this.#advanced([]);
    this.#goOn();
    if (this.#stopped) {
      const at = this.#boot.executor.core.rip;
      this.#boot.end({ kind: 'interrupted', by: 'stopped in the page', at });
    } else if (this.#states.size > 0) this.#run.slice(SLICE);
    // The first answer is what the loader did: a step that has run.
    return this.#advanced(this.#take());
  }

  stop(): void {
    this.#stopped = true;
  }

  at(label: string): ViewedState | undefined {
    const state = this.#states.get(label);
    if (state === undefined) return undefined;
    if (!this.#ended) this.#running ??= this.#boot.snapshot();
    if (this.#at !== state) this.#boot.restore(state);
    this.#at = state;
    return {
      boot: this.#boot,
      bus: undefined,
      step: () => this.#recordOf(label),
      symbolAt: (at) => this.#boot.names.symbolize('va', at),
    };
  }

  get trace(): Trace | undefined {
    const last = [...this.#states.values()].at(-1);
    if (!this.#ended || last === undefined) return undefined;
    if (this.#trace === undefined) {
      this.#boot.restore(last);
      // The caches are written back.
      this.#at = undefined;
      this.#trace = this.#tracer.finish(digestOf, this.#boot.sanitizer?.reports());
    }
    return this.#trace;
  }

  #goOn(): void {
    if (this.#running === undefined) return;
    this.#boot.restore(this.#running);
    this.#running = undefined;
    this.#at = undefined;
  }

  #advanced(steps: readonly Stepped[]): Advance {
    return { steps, ended: this.#ended, instructions: this.#instructions };
  }

  /** Takes the state at the end of the steps that are new: all but the one that runs. */
  #take(): Stepped[] {
    const { labels, outcome, sanitizer, executor } = this.#boot;
    this.#instructions = executor.instructions;
    this.#ended = outcome !== null;
    const ended = labels.slice(this.#states.size, this.#ended ? undefined : -1);
    if (ended.length === 0) return [];
    const state = this.#boot.snapshot();
    for (const label of ended) this.#states.set(label, state);
    const reports = sanitizer?.reports();
    return ended.map((label) => ({
      label,
      outcome: label === labels.at(-1) ? outcome : null,
      rules: newRules(reports, label),
    }));
  }

  #recordOf(label: string): StepRecord {
    const { uart, sanitizer } = this.#boot;
    return {
      what: this.#whatOf(label),
      events: this.#tracer.eventsOf(label),
      screen: uart.text.replace(/\r/g, '').split('\n').slice(0, -1),
      reads: undefined,
      reports: sanitizer?.reports(),
    };
  }

  #whatOf(label: string): string {
    if (label === LOADER_LABEL) return whatOf(label);
    const { done } = this;
    const next = done[done.indexOf(label) + 1] ?? this.#boot.labels.at(-1);
    return next === undefined || next === label
      ? `the code from the entry of ${label} on`
      : `the code from the entry of ${label} to that of ${next}`;
  }
}

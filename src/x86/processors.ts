/**
 * The processors of an executor. One executes at a time, in turns of a fixed number of instructions, so that a run is the
 * same each time; virtual time is common to all and goes on with each instruction of any of them (our choice).
 */
import type { Cpu } from '../machine/cpu/cpu.js';
import { ACTIVITY } from '../machine/cpu/cpu-core.js';
import type { Machine } from '../machine/machine.js';
import type { Platform } from '../machine/platform.js';
import type { Arena } from '../base/arena.js';
import { CodeCache, type CodePageState } from './code-cache.js';
import { Core } from './core.js';
import { restoreCore, saveCore, type CoreState } from './core-state.js';

/** Instructions of a turn while another processor has something to execute (our choice): 100 µs. */
export const TURN = 10_000;

/** A CPU with what executes on it. */
export class Processor {
  readonly core: Core;
  readonly code: CodeCache;
  /** Its core has the state of the CPU: false from INIT until it begins after a STARTUP. */
  started: boolean;

  constructor(
    machine: Machine,
    readonly cpu: Cpu,
    direct: boolean,
    platform: Platform | null,
    arena?: Arena,
  ) {
    this.code = new CodeCache(cpu, arena);
    this.core = new Core(cpu, machine.bus, this.code, direct, platform, arena);
    this.code.core = this.core;
    this.started = cpu.activity === ACTIVITY.running;
  }

  /** Whether it executes or would, if an interrupt came. */
  get runs(): boolean {
    return this.cpu.activity === ACTIVITY.running;
  }
}

/** The state of a processor, structured-clonable. */
export interface ProcessorState {
  readonly core: CoreState;
  readonly code: readonly CodePageState[];
  readonly started: boolean;
}

/** The state of the processors beside the first, and whose turn it is. */
export interface TurnState {
  readonly others: readonly ProcessorState[];
  readonly current: number;
  readonly ends: number;
}

export class Processors {
  current: Processor;
  /** Instructions that the processors beside the current one have retired. */
  private elsewhere = 0;
  /** The count of the current one's instructions at which its turn ends. */
  private turnEnds = TURN;

  /** @param all the first is the boot processor, whose turn is first. */
  constructor(
    readonly all: readonly [Processor, ...Processor[]],
    private readonly platform: Platform | null,
  ) {
    [this.current] = all;
    const shared = all.length > 1;
    for (const one of all) {
      one.core.shared = shared;
      one.code.others = all.filter((each) => each !== one).map(({ code }) => code);
    }
  }

  /** Instructions that all have retired. */
  get retired(): number {
    return this.elsewhere + this.current.core.retired;
  }

  /** The count of the current processor's instructions where that of all is `total`. */
  own(total: number): number {
    return total - this.elsewhere;
  }

  /** Whether a processor has an instruction to execute, or an interrupt that ends its HLT (APM vol. 3, HLT). */
  private awake({ core, runs, cpu, started }: Processor): boolean {
    if (!runs) return false;
    return !started || !core.halted || this.wakes(core, cpu.id);
  }

  private wakes(core: Core, id: number): boolean {
    const { platform } = this;
    if (platform === null) return false;
    if (!core.nmiBlocked && platform.nmiRequested(id)) return true;
    return core.flags.interruptsEnabled && platform.requested(id);
  }

  /** The next processor after the current one that is awake; undefined: none is. */
  private next(): Processor | undefined {
    const { all, current } = this;
    if (all.length === 1) return undefined;
    const from = all.indexOf(current);
    for (let i = 1; i < all.length; i++) {
      const other = all[(from + i) % all.length];
      if (other !== undefined && this.awake(other)) return other;
    }
    return undefined;
  }

  /**
   * Chooses the processor that goes on. Where all wait, virtual time is skipped to the next event. Returns the count of its
   * instructions at which to choose again; −1: none ever goes on.
   */
  choose(): number {
    for (;;) {
      this.noticeInit();
      const { core } = this.current;
      const other = this.next();
      if (this.awake(this.current)) {
        if (other === undefined) return this.go(Infinity);
        if (core.retired < this.turnEnds && !core.yields) return this.go(this.turnEnds);
      }
      if (other !== undefined) {
        this.switchTo(other);
        return this.go(this.next() === undefined ? Infinity : this.turnEnds);
      }
      if (!this.skip()) return -1;
    }
  }

  private go(until: number): number {
    const { core } = this.current;
    core.yields = false;
    if (core.halted) {
      core.halted = false;
      core.shadow = false;
    }
    return until;
  }

  /** INIT has changed a CPU: what executes on it begins anew after the STARTUP (APM vol. 2, 14.1.3). */
  private noticeInit(): void {
    if (this.all.length === 1) return;
    for (const one of this.all) if (!one.runs) one.started = false;
  }

  /** All processors wait: skips to the next event. Returns false where none can come, or none would wake. */
  private skip(): boolean {
    const { platform } = this;
    const { core } = this.current;
    if (platform === null) return false;
    if (!this.all.some((one) => one.runs && one.core.flags.interruptsEnabled)) return false;
    const event = platform.nextEvent();
    if (event === Infinity) return false;
    core.skipped += Math.max(0, event - core.now);
    platform.advance();
    return true;
  }

  private switchTo(next: Processor): void {
    const { core: before } = this.current;
    before.toCpu();
    const { now } = before;
    this.elsewhere += before.retired - next.core.retired;
    this.current = next;
    const { core } = next;
    core.skipped = now - core.retired;
    if (!next.started) {
      next.started = true;
      core.start();
    }
    this.turnEnds = core.retired + TURN;
  }

  /** The state of the others and of turns. */
  snapshot(): TurnState {
    const [, ...others] = this.all;
    return {
      others: others.map(({ core, code, started }) => ({
        core: saveCore(core),
        code: code.snapshot(),
        started,
      })),
      current: this.all.indexOf(this.current),
      ends: this.turnEnds,
    };
  }

  /** Goes on from a state; that of the first processor has been restored before. */
  restore({ others, current, ends }: TurnState): void {
    for (const [index, { core, code, started }] of others.entries()) {
      const one = this.all[index + 1];
      if (one === undefined) continue;
      restoreProcessor(one, core, code);
      one.started = started;
    }
    this.current = this.all[current] ?? this.all[0];
    this.turnEnds = ends;
    this.elsewhere = 0;
    for (const one of this.all) if (one !== this.current) this.elsewhere += one.core.retired;
  }
}

/** The machine must have been restored before. */
export function restoreProcessor(
  { core, code }: Processor,
  state: CoreState,
  pages: readonly CodePageState[],
): void {
  restoreCore(core, state);
  core.memory.forget();
  code.restore(pages);
  core.toCpu();
}

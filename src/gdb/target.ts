/** The execution of a boot under a debugger: in slices, so that it can be interrupted, with breakpoints and single steps. */
import { hexBytes } from '../base/bytes.js';
import type { Va } from '../machine/address.js';
import { describe } from '../kernel/fault-text.js';
import type { RunEnd } from '../x86/executor.js';
import { named, type Debugged } from './names.js';

/** gdb's own numbers of signals (Debugging with GDB, E.3; include/gdb/signals.def of its source). */
export const SIGNAL = { INT: 2, ILL: 4, TRAP: 5, ABRT: 6, STOP: 17, XCPU: 24 } as const;

/** Why the execution stands still. */
export interface Stop {
  readonly signal: number;
  /** Of a breakpoint that was hit: gdb's name of its kind. */
  readonly reason?: 'swbreak' | 'hwbreak';
  /** What is to be told on gdb's console. */
  readonly message?: string;
}

/** Instructions between two looks at what gdb sends (our choice): some milliseconds. */
const SLICE = 100_000;

export class Target {
  readonly software = new Set<number>();
  readonly hardware = new Set<number>();
  /** The end after which nothing can be executed. */
  private ended: Stop | null = null;

  /** @param maxInstructions instructions after which the execution stops, counted from the boot's first. */
  constructor(
    readonly boot: Debugged,
    private readonly maxInstructions = Infinity,
  ) {}

  get rip(): Va {
    return this.boot.executor.core.rip;
  }

  /** Executes one instruction, or delivers an exception or interrupt: then the handler's first instruction is next. */
  step(): Stop {
    return this.run(1, true) ?? { signal: SIGNAL.TRAP };
  }

  /** Executes a slice; null if nothing has stopped it. @param first no breakpoint stops before the first instruction. */
  slice(first: boolean): Stop | null {
    if (!first) {
      const stop = this.atBreakpoint();
      if (stop !== null) return stop;
    }
    return this.run(SLICE);
  }

  private run(most: number, stopAtHandler = false): Stop | null {
    if (this.ended !== null) return this.ended;
    const { boot } = this;
    const { executor } = boot;
    const left = this.maxInstructions - executor.instructions;
    if (left <= 0) {
      return {
        signal: SIGNAL.XCPU,
        message: `limit: ${String(this.maxInstructions)} instructions`,
      };
    }
    const breakpoints = new Set([...this.software, ...this.hardware]);
    const maxInstructions = Math.min(most, left);
    const end = boot.run({ breakpoints, maxInstructions, stopAtHandler });
    executor.core.toCpu();
    return this.stopOf(end);
  }

  private atBreakpoint(): Stop | null {
    if (this.software.has(this.rip)) return { signal: SIGNAL.TRAP, reason: 'swbreak' };
    if (this.hardware.has(this.rip)) return { signal: SIGNAL.TRAP, reason: 'hwbreak' };
    return null;
  }

  private stopOf(end: RunEnd): Stop | null {
    const at = named(this.boot, end.at);
    switch (end.kind) {
      case 'limit':
        return null;
      case 'breakpoint':
        return this.atBreakpoint() ?? { signal: SIGNAL.TRAP };
      case 'halt':
        return (this.ended = {
          signal: SIGNAL.STOP,
          message: `halted: HLT before ${at}, which nothing can end`,
        });
      case 'triple-fault': {
        const { delivery } = end;
        const cause = 'tripleFault' in delivery ? delivery.first : delivery.fault;
        const message = `triple fault at ${at}: ${describe(cause)}, ${cause.why}`;
        return (this.ended = { signal: SIGNAL.ABRT, message });
      }
      case 'not-modelled': {
        const instruction = `${end.mnemonic ?? 'instruction'} (${hexBytes(end.bytes)})`;
        return {
          signal: SIGNAL.ILL,
          message: `not modelled: ${end.what}, ${instruction} at ${at}`,
        };
      }
    }
  }
}

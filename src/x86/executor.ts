/**
 * Executes instructions on a CPU of a machine, one after the other, in blocks of decoded code. All accesses go through the
 * machine. The end of a run is returned; what is not modelled ends it by name, with the instruction's bytes and address.
 */
import type { Va } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { Delivery } from '../machine/cpu/idt.js';
import type { Machine } from '../machine/machine.js';
import type { Platform } from '../machine/platform.js';
import type { Fault, Origin } from '../machine/types.js';
import { UnmodelledError } from '../machine/unmodelled.js';
import type { InputError } from '../base/errors.js';
import { CodeCache, type Block, type CodePageState } from './code-cache.js';
import { Core } from './core.js';
import { restoreCore, saveCore, type CoreState } from './core-state.js';
import { decode } from './decode/decoder.js';
import { isUndecoded, MAX_LENGTH } from './decode/instruction.js';
import { FaultSignal, NotModelledSignal } from './faults.js';

/** The reason for the end of a run. */
export type RunEnd =
  | { readonly kind: 'breakpoint'; readonly at: Va }
  | { readonly kind: 'limit'; readonly at: Va }
  /** HLT with nothing that could end it. */
  | { readonly kind: 'halt'; readonly at: Va }
  | { readonly kind: 'triple-fault'; readonly at: Va; readonly delivery: Delivery }
  | {
      readonly kind: 'not-modelled';
      readonly at: Va;
      /** The manual's name of what is not modelled. */
      readonly what: string;
      readonly mnemonic: string | undefined;
      /** The instruction's bytes; empty if they cannot be fetched. */
      readonly bytes: Uint8Array;
    };

/** The most instructions of one run of a region, so that its count is a small integer. */
const MOST = 2 ** 28;

export interface RunOptions {
  /** Linear addresses: the run ends before the instruction at one of them, but not before its first instruction. */
  readonly breakpoints?: ReadonlySet<number>;
  /** The most instructions that are executed; an instruction with REP is one. */
  readonly maxInstructions?: number;
  /** The run ends (`limit`) after the delivery of an exception or interrupt, before its handler's first instruction. */
  readonly stopAtHandler?: boolean;
}

export interface ExecutorOptions {
  /** Whether accesses to lines in the cache skip its search (the default); the effect is the same. */
  readonly direct?: boolean;
  /**
   * Runs of a block after which it is translated to JavaScript; Infinity (the default): never, since V8's compilation may cost
   * more than it saves. The effect is the same.
   */
  readonly translateAfter?: number;
  /** Devices with events and interrupts; null (the default): there are none, and HLT ends the run. */
  readonly platform?: Platform | null;
}

/** The state of an executor, structured-clonable: with the machine's snapshot a run goes on from it to the same end. */
export interface ExecutorSnapshot {
  readonly core: CoreState;
  readonly code: readonly CodePageState[];
}

export class Executor {
  readonly core: Core;
  private readonly code: CodeCache;
  private end: RunEnd | null = null;
  /** No instruction of the present run has been executed: a breakpoint at it does not end the run. */
  private first = true;
  private readonly platform: Platform | null;
  /** Runs of a block after which it is translated. */
  private readonly hot: number;
  private stopAtHandler = false;

  constructor(
    machine: Machine,
    readonly cpu: Cpu = machine.cpus[0],
    { direct = true, translateAfter = Infinity, platform = null }: ExecutorOptions = {},
  ) {
    this.hot = translateAfter;
    this.platform = platform;
    this.code = new CodeCache(cpu);
    this.core = new Core(cpu, machine.bus, this.code, direct);
    this.code.core = this.core;
    if (platform !== null) platform.clock.read = () => this.core.now;
    machine.probes.dma.listen((kind, _requester, pa, _key, length) => {
      if (kind !== 'write') return;
      for (let page = pa - (pa % 4096); page < pa + length; page += 4096) {
        if (this.code.hasCode(page)) this.code.changed(page);
      }
    });
    this.core.load();
  }

  /** Names the code for the machine: the origin of the accesses of a block, by its first address. Set before a run. */
  set originOf(originOf: (at: Va) => Origin) {
    this.code.originOf = originOf;
  }

  /** Instructions retired since the executor was made. One that faults is not retired; one with REP is one. */
  get instructions(): number {
    return this.core.retired;
  }

  /** The state between two runs. The machine's own, with the devices, is in its snapshot. */
  snapshot(): ExecutorSnapshot {
    return { core: saveCore(this.core), code: this.code.snapshot() };
  }

  /** Goes on from a snapshot. The machine must have been restored before. */
  restore({ core, code }: ExecutorSnapshot): void {
    restoreCore(this.core, core);
    this.core.memory.forget();
    this.code.restore(code);
    this.core.toCpu();
  }

  /** Executes `count` instructions, fewer if the run ends before. */
  step(count = 1): RunEnd {
    return this.run({ maxInstructions: count });
  }

  run(options: RunOptions = {}): RunEnd {
    const { breakpoints = new Set(), maxInstructions = Infinity, stopAtHandler = false } = options;
    const { core, code } = this;
    code.setBreakpoints(breakpoints);
    const last = core.retired + maxInstructions;
    this.end = null;
    this.first = true;
    this.stopAtHandler = stopAtHandler;
    core.bound = 0;
    while (this.end === null) {
      if (core.retired >= core.bound) this.atBound(last);
      else this.runBlocks();
    }
    const { end } = this;
    core.toCpu();
    return end;
  }

  /**
   * Between two instructions: events that are due happen, a requested interrupt is delivered, HLT waits for one. Then
   * `core.bound` is the count of instructions at which this is done next.
   */
  private atBound(last: number): void {
    const { core, platform } = this;
    if (core.tripleFault !== null) {
      this.end = { kind: 'triple-fault', at: core.rip, delivery: core.tripleFault };
      return;
    }
    if (core.retired >= last && !core.halted) {
      this.end = { kind: 'limit', at: core.rip };
      return;
    }
    platform?.advance();
    if (core.halted && !this.wake()) {
      this.end = { kind: 'halt', at: core.rip };
      return;
    }
    if (core.shadow) {
      core.shadow = false;
      core.bound = core.retired + 1;
      return;
    }
    if (platform?.requested === true && core.flags.interruptsEnabled) {
      this.interrupt(platform.acknowledge());
      return;
    }
    const event = platform === null ? Infinity : platform.nextEvent() - core.skipped;
    core.bound = Math.min(last, Math.max(event, core.retired + 1));
  }

  /** Skips virtual time until an interrupt ends HLT (APM vol. 3, HLT); false: none ever does. */
  private wake(): boolean {
    const { core, platform } = this;
    if (platform === null || !core.flags.interruptsEnabled) return false;
    core.shadow = false;
    while (!platform.requested) {
      const event = platform.nextEvent();
      if (event === Infinity) return false;
      core.skipped += Math.max(0, event - core.now);
      platform.advance();
    }
    core.halted = false;
    return true;
  }

  private interrupt(vector: number): void {
    this.delivered({ vector, error: 0, why: 'interrupt', source: 'external' });
    this.first = false;
  }

  /** Runs blocks from RIP on, up to the bound or an exception. */
  private runBlocks(): void {
    const { core, code } = this;
    try {
      let block: Block | null = null;
      while (core.retired < core.bound) {
        block = code.next(block, core.rip);
        if (block.stops && !this.first) {
          this.end = { kind: 'breakpoint', at: core.rip };
          return;
        }
        this.first = false;
        const left = core.bound - core.retired;
        if (block.region !== null && block.ops.length <= left) {
          core.stop = false;
          block.region(block.entry, Math.min(left, MOST));
        } else this.runBlock(block, left);
      }
    } catch (error) {
      this.first = false;
      this.failed(error);
    }
  }

  private runBlock(block: Block, most: number): void {
    const { core } = this;
    const { ops, addresses } = block;
    if (++block.runs === this.hot) this.code.translate(block);
    const count = Math.min(ops.length, most);
    let i = 0;
    core.stop = false;
    core.cpu.behind.origin = block.origin;
    try {
      while (i < count) {
        const op = ops[i];
        op?.();
        i++;
        if (core.stop) break;
      }
    } catch (error) {
      core.rip = addresses[i] ?? core.rip;
      core.retired += i;
      throw error;
    }
    core.retired += i;
    // The last instruction of a block with a branch has set RIP.
    if (i < ops.length || !block.branches) core.rip = addresses[i] ?? core.rip;
  }

  /** Delivers an exception, or ends the run. */
  private failed(error: unknown): void {
    if (error instanceof FaultSignal) this.delivered(error.fault);
    else this.end = this.notModelled(error);
  }

  private delivered(fault: Fault): void {
    const { core } = this;
    try {
      core.deliver(fault);
    } catch (error) {
      this.end = this.notModelled(error);
      return;
    }
    // After a triple fault there is no handler.
    if (this.stopAtHandler && core.tripleFault === null) this.end = { kind: 'limit', at: core.rip };
  }

  private notModelled(error: unknown): RunEnd {
    const { core } = this;
    const what =
      error instanceof NotModelledSignal
        ? error.what
        : error instanceof UnmodelledError
          ? foundIn(error)
          : undefined;
    if (what === undefined) throw error;
    const bytes = this.bytesAt(core.rip);
    const result = decode(bytes);
    const known = !isUndecoded(result);
    return {
      kind: 'not-modelled',
      at: core.rip,
      what,
      mnemonic: known ? result.mnemonic : undefined,
      bytes: known ? bytes.subarray(0, result.length) : bytes,
    };
  }

  private bytesAt(at: Va): Uint8Array {
    const bytes = new Uint8Array(MAX_LENGTH);
    this.cpu.fetch(at, bytes);
    return bytes.subarray(0, this.cpu.progress);
  }
}

function foundIn(error: InputError): string {
  return error.found ?? error.message;
}

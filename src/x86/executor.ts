/**
 * Executes instructions on the CPUs of a machine, one after the other, in blocks of decoded code. All accesses go through the
 * machine. The end of a run is returned; what is not modelled ends it by name, with the instruction's bytes and address.
 */
import type { Va } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { Delivery } from '../machine/cpu/idt.js';
import type { Machine } from '../machine/machine.js';
import type { Platform } from '../machine/platform.js';
import type { Fault, Origin } from '../machine/types.js';
import { UnmodelledError } from '../machine/unmodelled.js';
import { Arena } from '../base/arena.js';
import type { InputError } from '../base/errors.js';
import type { Block } from './block.js';
import { CODE_BYTES, type CodeCache, type CodePageState } from './code-cache.js';
import { CORE_BYTES, type Core } from './core.js';
import { saveCore, type CoreState } from './core-state.js';
import { decode } from './decode/decoder.js';
import { isUndecoded, MAX_LENGTH } from './decode/instruction.js';
import { AloneSignal, EXCEPTION, FaultSignal, NotModelledSignal } from './faults.js';
import { asWrite, mayBeItsRead } from './read-modify-write.js';
import { Processor, Processors, restoreProcessor, type TurnState } from './processors.js';
import { LAYOUT_BYTES } from './translate/layout.js';
import { memoryOf, Translator } from './translate/translator.js';

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

/** Thrown before an access of a device that is to be the only one of its block. */
const ALONE = new AloneSignal();
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
   * Runs of a block after which it is translated to WebAssembly, which has a memory of its own for the machine's cache;
   * Infinity (the default): never. The effect is the same.
   */
  readonly translateAfter?: number;
  /** Devices with events and interrupts; null (the default): there are none, and HLT ends the run. */
  readonly platform?: Platform | null;
  /** Further CPUs, which begin when an interrupt of another one starts them; default: none. */
  readonly others?: readonly Cpu[];
}

/** The state of an executor, structured-clonable: with the machine's snapshot a run goes on from it to the same end. */
export interface ExecutorSnapshot {
  readonly core: CoreState;
  readonly code: readonly CodePageState[];
  /** The other processors; absent where there is one. */
  readonly turn?: TurnState;
}

export class Executor {
  /** The CPU whose turn it is, and what executes on it. */
  cpu: Cpu;
  core: Core;
  private code: CodeCache;
  private readonly processors: Processors;
  private end: RunEnd | null = null;
  /** No instruction of the present run has been executed: a breakpoint at it does not end the run. */
  private first = true;
  private readonly platform: Platform | null;
  /** Runs of a block after which it is translated. */
  private readonly hot: number;
  private stopAtHandler = false;

  constructor(
    machine: Machine,
    cpu: Cpu = machine.cpus[0],
    {
      direct = true,
      translateAfter = Infinity,
      platform = null,
      others = [],
    }: ExecutorOptions = {},
  ) {
    this.hot = translateAfter;
    this.platform = platform;
    this.processors = new Processors(
      processorsOf(machine, [cpu, ...others], {
        direct,
        platform,
        translates: this.hot !== Infinity,
      }),
      platform,
    );
    ({ cpu: this.cpu, core: this.core, code: this.code } = this.processors.current);
    if (platform !== null) platform.clock.read = () => this.core.now;
    for (const { core, cpu: each } of this.processors.all) {
      each.beforeUncached = (address) => {
        // A device whose answer depends on time sees the count of instructions before this one: it is executed alone.
        if (!core.alone && machine.bus.at(address)?.timed === true) throw ALONE;
      };
    }
    machine.probes.dma.listen((kind, _requester, pa, _key, length) => {
      if (kind !== 'write') return;
      const { code } = this;
      for (let page = pa - (pa % 4096); page < pa + length; page += 4096) {
        if (code.hasCode(page)) code.changed(page);
      }
    });
    this.core.load();
  }

  /** Names the code for the machine: the origin of the accesses of a block, by its first address. Set before a run. */
  set originOf(originOf: (at: Va) => Origin) {
    for (const { code } of this.processors.all) code.originOf = originOf;
  }

  /** The names of code have changed: decoded blocks get new origins. Between two runs. */
  renameCode(): void {
    for (const { code } of this.processors.all) code.rename();
  }

  /**
   * Instructions of all CPUs that were retired since the executor was made. One that faults is not retired; one with REP is
   * one.
   */
  get instructions(): number {
    return this.processors.retired;
  }

  /** Regions of translated code that were made. */
  get regions(): number {
    const of = ({ code }: Processor): number => code.translator?.regions ?? 0;
    return this.processors.all.reduce((sum, each) => sum + of(each), 0);
  }

  /** What executes on a CPU; undefined: nothing does. */
  coreOf(cpu: number): Core | undefined {
    return this.processors.all.find((each) => each.cpu.id === cpu)?.core;
  }

  /** The state between two runs. The machine's own, with the devices, is in its snapshot. */
  snapshot(): ExecutorSnapshot {
    const [{ core, code }, ...others] = this.processors.all;
    return {
      core: saveCore(core),
      code: code.snapshot(),
      ...(others.length > 0 && { turn: this.processors.snapshot() }),
    };
  }

  /** Goes on from a snapshot. The machine must have been restored before. */
  restore({ core, code, turn }: ExecutorSnapshot): void {
    restoreProcessor(this.processors.all[0], core, code);
    if (turn !== undefined) this.processors.restore(turn);
    this.take();
  }

  /** Takes the processor whose turn it is. */
  private take(): void {
    ({ cpu: this.cpu, core: this.core, code: this.code } = this.processors.current);
  }

  /** Executes `count` instructions, fewer if the run ends before. */
  step(count = 1): RunEnd {
    return this.run({ maxInstructions: count });
  }

  run(options: RunOptions = {}): RunEnd {
    const { breakpoints = new Set(), maxInstructions = Infinity, stopAtHandler = false } = options;
    for (const { code } of this.processors.all) code.setBreakpoints(breakpoints);
    const last = this.instructions + maxInstructions;
    this.end = null;
    this.first = true;
    this.stopAtHandler = stopAtHandler;
    this.core.bound = 0;
    while (this.end === null) {
      if (this.core.retired >= this.core.bound) this.atBound(last);
      else this.runBlocks();
    }
    const { end } = this;
    this.core.toCpu();
    return end;
  }

  /**
   * Between two instructions: events that are due happen, the processor is chosen, a requested interrupt is delivered. Then
   * `core.bound` is the count of instructions at which this is done next. @param last the most instructions of all.
   */
  private atBound(last: number): void {
    const { platform, processors } = this;
    const { tripleFault, halted, rip } = this.core;
    if (tripleFault !== null) {
      this.end = { kind: 'triple-fault', at: rip, delivery: tripleFault };
      return;
    }
    if (this.instructions >= last && !halted) {
      this.end = { kind: 'limit', at: rip };
      return;
    }
    platform?.advance();
    const turnEnds = processors.choose();
    if (turnEnds < 0) {
      this.end = { kind: 'halt', at: rip };
      return;
    }
    if (processors.current.core !== this.core) this.take();
    const { core, cpu } = this;
    if (core.shadow) {
      core.shadow = false;
      core.bound = core.retired + 1;
      return;
    }
    if (platform !== null && this.interrupted(platform, core, cpu.id)) return;
    const event = platform === null ? Infinity : platform.nextEvent() - core.skipped;
    core.bound = Math.min(processors.own(last), turnEnds, Math.max(event, core.retired + 1));
  }

  /** Delivers an interrupt that is requested and may be taken. */
  private interrupted(platform: Platform, core: Core, id: number): boolean {
    if (!core.nmiBlocked && platform.nmiRequested(id)) {
      platform.acknowledgeNmi(id);
      // APM vol. 2, 8.2.3: further NMIs wait for the next IRET.
      core.nmiBlocked = true;
      this.interrupt(EXCEPTION.NMI);
      return true;
    }
    if (!core.flags.interruptsEnabled || !platform.requested(id)) return false;
    this.interrupt(platform.acknowledge(id));
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
        if (block.region !== null && block.ops.length <= left && !core.memory.observed) {
          code.translator?.run(block, Math.min(left, MOST));
          block = null;
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

  /** Delivers an exception, executes an instruction alone, or ends the run. */
  private failed(error: unknown): void {
    if (error instanceof FaultSignal) this.delivered(this.reported(error.fault));
    else if (error === ALONE) this.runAlone();
    else this.end = this.notModelled(error);
  }

  private reported(fault: Fault): Fault {
    if (!mayBeItsRead(fault)) return fault;
    const { core, code } = this;
    return asWrite(fault, code.instructionAt(core.rip));
  }

  /** Executes the instruction at RIP as the only one of its block: the time in which it accesses a device is exact. */
  private runAlone(): void {
    const { core, code } = this;
    core.alone = true;
    try {
      this.runBlock(code.block(core.rip), 1);
    } catch (error) {
      this.failed(error);
    } finally {
      core.alone = false;
      core.checkInterrupts();
    }
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
    const result = decode(bytes, 0, bytes.length, core.width);
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
    try {
      this.cpu.fetch(at, bytes);
    } catch (error) {
      // What is not modelled may be the fetch itself.
      if (!(error instanceof UnmodelledError)) throw error;
      return new Uint8Array(0);
    }
    return bytes.subarray(0, this.cpu.progress);
  }
}

/** The processors of CPUs; with a translator each if they are to translate, and the machine's cache in its memory. */
function processorsOf(
  machine: Machine,
  cpus: readonly [Cpu, ...Cpu[]],
  of: {
    readonly direct: boolean;
    readonly platform: Platform | null;
    readonly translates: boolean;
  },
): [Processor, ...Processor[]] {
  const { cache } = machine;
  const bytes = cache.arenaBytes + cpus.length * (CORE_BYTES + CODE_BYTES + LAYOUT_BYTES);
  // Without a cache there are no lines to access.
  const memory = of.translates && cache.size > 0 ? memoryOf(bytes) : null;
  const arena = memory === null ? undefined : new Arena(memory.buffer);
  if (arena !== undefined) cache.moveTo(arena);
  const made = (cpu: Cpu): Processor => {
    const processor = new Processor(machine, cpu, of.direct, of.platform, arena);
    const { code, core } = processor;
    if (memory !== null && arena !== undefined) {
      code.translator = Translator.of(core, memory, arena, code.valid);
    }
    return processor;
  };
  const [first, ...others] = cpus;
  return [made(first), ...others.map(made)];
}

function foundIn(error: InputError): string {
  return error.found ?? error.message;
}

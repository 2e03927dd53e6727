/** The local APIC of one CPU: priorities, requests, the vector table and the timer (APM chapter 16). */
import {
  APIC_ERROR,
  APIC_REGISTER,
  FIRST_VECTOR,
  LVT,
  LVT_WRITABLE,
  MESSAGE_TYPE,
  SPURIOUS,
  SPURIOUS_RESET,
  type ApicMessage,
  type LvtName,
} from './apic-registers.js';
import { ApicTimer } from './apic-timer.js';
import { UnmodelledError } from '../unmodelled.js';

const WORDS = 8;
const ALL_ONES = 0xffff_ffff;
const PRIORITY_CLASS = 0xf0;
const LVT_NAMES = Object.keys(LVT_WRITABLE) as LvtName[];

/** The state of one, all plain numbers. */
export interface UnitState {
  tpr: number;
  ldr: number;
  dfr: number;
  spurious: number;
  /** The latched errors, and those since (APM 16.4.6). */
  esr: number;
  errors: number;
  icrLow: number;
  icrHigh: number;
  /** An NMI that was not taken yet. */
  nmi: boolean;
}

export interface UnitSnapshot {
  readonly state: UnitState;
  readonly lvt: Readonly<Record<LvtName, number>>;
  readonly vectors: readonly number[];
  readonly timer: ReturnType<ApicTimer['snapshot']>;
}

const resetState = (): UnitState => ({
  tpr: 0,
  ldr: 0,
  dfr: ALL_ONES,
  spurious: SPURIOUS_RESET,
  esr: 0,
  errors: 0,
  icrLow: 0,
  icrHigh: 0,
  nmi: false,
});
// APM 16.4: after a reset all entries are masked.
const resetLvt = (): Record<LvtName, number> => ({
  LVT_TIMER: LVT.MASK,
  LVT_THERMAL: LVT.MASK,
  LVT_PERFORMANCE: LVT.MASK,
  LVT_LINT0: LVT.MASK,
  LVT_LINT1: LVT.MASK,
  LVT_ERROR: LVT.MASK,
});

export class LocalApicUnit {
  state: UnitState = resetState();
  lvt: Record<LvtName, number> = resetLvt();
  readonly timer = new ApicTimer();
  /** A bit for each vector, from bit 0 of word 0 on. */
  private readonly isr = new Uint32Array(WORDS);
  private readonly tmr = new Uint32Array(WORDS);
  private readonly irr = new Uint32Array(WORDS);

  /** Bit 8 of the spurious-interrupt vector register (APM 16.4.7). */
  get enabled(): boolean {
    return (this.state.spurious & SPURIOUS.ENABLE) !== 0;
  }

  /** The state after INIT, as after a reset (APM 14.1.3, 16.3). */
  reset(): void {
    this.state = resetState();
    this.lvt = resetLvt();
    this.timer.stop();
    for (const words of [this.isr, this.tmr, this.irr]) words.fill(0);
  }

  /** APM 16.6.4: the higher of the task's priority and that of the interrupt in service. */
  get processorPriority(): number {
    const { tpr } = this.state;
    const serviced = Math.max(0, highest(this.isr)) & PRIORITY_CLASS;
    return (tpr & PRIORITY_CLASS) >= serviced ? tpr : serviced;
  }

  /** The vector that is to be taken: its class is above the processor's priority (APM 16.6.4); −1: none. */
  get pending(): number {
    const vector = highest(this.irr);
    if (vector < 0 || !this.enabled) return -1;
    return (vector & PRIORITY_CLASS) > (this.processorPriority & PRIORITY_CLASS) ? vector : -1;
  }

  /** Whether LINT0 passes INTR of the 8259A pair on (APM 16.4.2). */
  get passesExtInt(): boolean {
    const { LVT_LINT0: entry } = this.lvt;
    return (entry & LVT.MASK) === 0 && messageOf(entry) === MESSAGE_TYPE.EXTINT;
  }

  /** The vector that is pending goes from request to service (APM 16.6.4); without one the spurious vector (16.4.7). */
  acknowledge(): number {
    const vector = this.pending;
    if (vector < 0) return this.state.spurious & SPURIOUS.VECTOR;
    clear(this.irr, vector);
    set(this.isr, vector);
    return vector;
  }

  /** EOI (APM 16.6.4). Returns the vector if it was level-triggered: I/O APICs are told of it; else −1. */
  endOfInterrupt(): number {
    const vector = highest(this.isr);
    if (vector < 0) return -1;
    clear(this.isr, vector);
    return has(this.tmr, vector) ? vector : -1;
  }

  /**
   * Takes a message that is not INIT or STARTUP (APM 16.6.1, 16.6.3). Returns whether it was accepted: an APIC that software
   * has disabled accepts only NMI, INIT, SMI and STARTUP (16.4.7).
   */
  accept({ type, vector, level }: ApicMessage): boolean {
    if (type === MESSAGE_TYPE.NMI) {
      this.state.nmi = true;
      return true;
    }
    if (type !== MESSAGE_TYPE.FIXED && type !== MESSAGE_TYPE.LOWEST) {
      throw new UnmodelledError(`an interrupt message of type ${String(type)}`);
    }
    if (!this.enabled) return false;
    if (vector < FIRST_VECTOR) {
      this.failed(APIC_ERROR.RECEIVED_VECTOR);
      return false;
    }
    set(this.irr, vector);
    if (level) set(this.tmr, vector);
    else clear(this.tmr, vector);
    return true;
  }

  /** An error of the APIC: it is in the ESR after the next write to it, and its LVT entry's interrupt comes (APM 16.4.6). */
  failed(error: number): void {
    if ((this.state.errors & error) !== 0) return;
    this.state.errors |= error;
    this.local('LVT_ERROR');
  }

  /** A local interrupt by its LVT entry (APM 16.4). */
  private local(name: LvtName): void {
    const entry = this.lvt[name];
    if ((entry & LVT.MASK) !== 0) return;
    const type = name === 'LVT_TIMER' ? MESSAGE_TYPE.FIXED : messageOf(entry);
    this.accept({ type, vector: entry & LVT.VECTOR, level: false });
  }

  // --- Timer -----------------------------------------------------------------------------------------------------

  private get periodic(): boolean {
    return (this.lvt.LVT_TIMER & LVT.PERIODIC) !== 0;
  }

  /** The time of the timer's next interrupt; Infinity: none. */
  nextEvent(): number {
    return (this.lvt.LVT_TIMER & LVT.MASK) === 0 ? this.timer.expires : Infinity;
  }

  /** Lets the timer expire up to now. */
  advance(now: number): void {
    if (this.timer.advance(now, this.periodic)) this.local('LVT_TIMER');
  }

  // --- Registers -------------------------------------------------------------------------------------------------

  /** A register that is a state of this unit; `at` is its offset. Returns undefined for one that it has not. */
  read(at: number, now: number): number | undefined {
    const { state, lvt } = this;
    const banked = this.bankOf(at);
    if (banked !== undefined) return banked.bank[banked.index];
    const name = LVT_NAMES.find((each) => APIC_REGISTER[each] === at);
    if (name !== undefined) return lvt[name];
    switch (at) {
      case APIC_REGISTER.TPR:
        return state.tpr;
      case APIC_REGISTER.PPR:
        return this.processorPriority;
      case APIC_REGISTER.LDR:
        return state.ldr;
      case APIC_REGISTER.DFR:
        return state.dfr;
      case APIC_REGISTER.SPURIOUS:
        return state.spurious;
      case APIC_REGISTER.ESR:
        return state.esr;
      case APIC_REGISTER.ICR_LOW:
        return state.icrLow;
      case APIC_REGISTER.ICR_HIGH:
        return state.icrHigh;
      case APIC_REGISTER.TIMER_INITIAL_COUNT:
        return this.timer.initial;
      case APIC_REGISTER.TIMER_CURRENT_COUNT:
        return this.timer.current(now);
      case APIC_REGISTER.TIMER_DIVIDE:
        return this.timer.divide;
      default:
        return undefined;
    }
  }

  /** @returns false for a register that this unit has not, or that is read-only. */
  write(at: number, value: number, now: number): boolean {
    const { state } = this;
    const name = LVT_NAMES.find((each) => APIC_REGISTER[each] === at);
    if (name !== undefined) {
      // APM 16.4.7: while software has disabled the APIC, the mask bits are set and stay so.
      const masked = this.enabled ? 0 : LVT.MASK;
      this.lvt[name] = (value & LVT_WRITABLE[name]) | masked;
      return true;
    }
    switch (at) {
      case APIC_REGISTER.TPR:
        state.tpr = value & 0xff;
        return true;
      case APIC_REGISTER.LDR:
        state.ldr = (value & 0xff00_0000) >>> 0;
        return true;
      case APIC_REGISTER.DFR:
        // APM 16.6.1: only the model in bits 31:28 can be written.
        state.dfr = (value | 0x0fff_ffff) >>> 0;
        return true;
      case APIC_REGISTER.SPURIOUS:
        state.spurious = value & SPURIOUS.WRITABLE;
        if (!this.enabled) for (const each of LVT_NAMES) this.lvt[each] |= LVT.MASK;
        return true;
      case APIC_REGISTER.ESR:
        // APM 16.4.6: a write of any value latches the errors detected since the last one.
        state.esr = state.errors;
        state.errors = 0;
        return true;
      case APIC_REGISTER.ICR_HIGH:
        state.icrHigh = (value & 0xff00_0000) >>> 0;
        return true;
      case APIC_REGISTER.TIMER_INITIAL_COUNT:
        this.timer.start(value, now);
        return true;
      case APIC_REGISTER.TIMER_DIVIDE:
        this.timer.setDivide(value, now);
        return true;
      default:
        return false;
    }
  }

  private bankOf(at: number): { bank: Uint32Array; index: number } | undefined {
    const index = (at >> 4) & (WORDS - 1);
    if (at < APIC_REGISTER.ISR || at >= APIC_REGISTER.ESR || (at & 15) !== 0) return undefined;
    if (at < APIC_REGISTER.TMR) return { bank: this.isr, index };
    return { bank: at < APIC_REGISTER.IRR ? this.tmr : this.irr, index };
  }

  snapshot(): UnitSnapshot {
    const vectors = [...this.isr, ...this.tmr, ...this.irr];
    return {
      state: { ...this.state },
      lvt: { ...this.lvt },
      vectors,
      timer: this.timer.snapshot(),
    };
  }
  restore({ state, lvt, vectors, timer }: UnitSnapshot): void {
    this.state = { ...state };
    this.lvt = { ...lvt };
    for (const [number, bank] of [this.isr, this.tmr, this.irr].entries()) {
      bank.set(vectors.slice(number * WORDS, (number + 1) * WORDS));
    }
    this.timer.restore(timer);
  }
}

const messageOf = (entry: number): number => (entry >> LVT.MESSAGE_SHIFT) & LVT.MESSAGE_MASK;

/** The highest vector of a bank; −1: it is empty. */
function highest(bank: Uint32Array): number {
  for (let word = WORDS - 1; word >= 0; word--) {
    const bits = bank[word] ?? 0;
    if (bits !== 0) return 32 * word + 31 - Math.clz32(bits);
  }
  return -1;
}
const has = (bank: Uint32Array, vector: number): boolean =>
  (((bank[vector >> 5] ?? 0) >>> (vector & 31)) & 1) !== 0;
function set(bank: Uint32Array, vector: number): void {
  bank[vector >> 5] = (bank[vector >> 5] ?? 0) | (1 << (vector & 31));
}
function clear(bank: Uint32Array, vector: number): void {
  bank[vector >> 5] = (bank[vector >> 5] ?? 0) & ~(1 << (vector & 31));
}

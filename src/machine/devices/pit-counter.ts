/**
 * One counter of an 8254 (Intel 8254 data sheet, 231164-005): modes 0, 2, 3 and 4 in binary. Time is counted in clock
 * pulses since the machine was started; a count is loaded at the pulse after its last byte was written.
 */
import { UnmodelledError } from '../unmodelled.js';

const MODE = { TERMINAL_COUNT: 0, RATE: 2, SQUARE: 3, STROBE: 4 } as const;
/** Modes 6 and 7 are 2 and 3 (figure 7). */
const MODES = [0, 1, 2, 3, 4, 5, 2, 3] as const;
/** Access of the two bytes (figure 7): latch, low, high, low then high. */
const ACCESS = { LATCH: 0, LOW: 1, HIGH: 2, BOTH: 3 } as const;
const ACCESS_SHIFT = 4;
const CONTROL_BITS = 0x3f;
/** Status (figure 11): OUT and the null count. */
const STATUS = { OUT: 0x80, NULL: 0x40 } as const;
const FULL = 0x1_0000;

export interface CounterState {
  /** The control word, without the counter's number. */
  readonly control: number;
  readonly mode: number;
  /** The count, 1 to 65536; 0: none was written since the control word. */
  readonly count: number;
  /** The pulse at which the count was loaded. */
  readonly loaded: number;
  /** A count that is loaded at the end of the present period (modes 2 and 3); 0: none. */
  readonly next: number;
  readonly nextAt: number;
  readonly gate: boolean;
  /** Pulses counted when the gate fell; −1: it counts. */
  readonly held: number;
  /** The low byte that was written first; −1: none. */
  readonly low: number;
  /** The high byte is read next. */
  readonly readHigh: boolean;
  readonly latched: number;
  readonly status: number;
}

const RESET: CounterState = {
  control: ACCESS.BOTH << ACCESS_SHIFT,
  mode: MODE.TERMINAL_COUNT,
  count: 0,
  loaded: 0,
  next: 0,
  nextAt: 0,
  gate: true,
  held: -1,
  low: -1,
  readHigh: false,
  latched: -1,
  status: -1,
};

export class Counter {
  private state: { -readonly [K in keyof CounterState]: CounterState[K] } = { ...RESET };

  /** A control word: counting stops until a count is written; OUT takes its initial level. */
  writeControl(byte: number, now: number): void {
    if ((byte >> ACCESS_SHIFT) % 4 === ACCESS.LATCH) {
      this.latchCount(now);
      return;
    }
    const mode = MODES[(byte >> 1) & 7] ?? 0;
    if (mode === 1 || mode === 5) {
      throw new UnmodelledError(`8254 mode ${String(mode)}: started by the gate`);
    }
    const { gate } = this.state;
    this.state = { ...RESET, control: byte & CONTROL_BITS, mode, gate };
  }

  write(byte: number, now: number): void {
    const { state } = this;
    const access = (state.control >> ACCESS_SHIFT) & 3;
    if (access === ACCESS.LOW) this.load(byte, now);
    else if (access === ACCESS.HIGH) this.load(byte << 8, now);
    else if (state.low < 0) {
      state.low = byte;
      // Mode 0: the first byte stops the count and sets OUT low.
      if (state.mode === MODE.TERMINAL_COUNT) state.count = 0;
    } else {
      const { low } = state;
      state.low = -1;
      this.load(low | (byte << 8), now);
    }
  }

  private load(value: number, now: number): void {
    const { state } = this;
    const count = value === 0 ? FULL : value;
    const periodic = state.mode === MODE.RATE || state.mode === MODE.SQUARE;
    // Data sheet, modes 2 and 3: count 1 is illegal.
    if (periodic && count === 1) throw new UnmodelledError('8254 mode 2 or 3 with a count of 1');
    this.settle(now);
    if (periodic && state.count !== 0 && state.held < 0) {
      // Modes 2 and 3: a new count is loaded at the end of the present period.
      const periods = Math.max(1, Math.ceil((now + 1 - state.loaded) / state.count));
      state.next = count;
      state.nextAt = state.loaded + periods * state.count;
      return;
    }
    state.count = count;
    state.loaded = now + 1;
    state.held = state.gate ? -1 : 0;
  }

  /** Loads a waiting count whose pulse has come. */
  private settle(now: number): void {
    const { state } = this;
    if (state.next === 0 || now < state.nextAt) return;
    state.count = state.next;
    state.loaded = state.nextAt;
    state.next = 0;
  }

  /** The gate: low stops the count; in modes 2 and 3 the rising edge loads it again (data sheet, figure 21). */
  setGate(gate: boolean, now: number): void {
    this.settle(now);
    const { state } = this;
    if (gate === state.gate) return;
    state.gate = gate;
    if (!gate) state.held = Math.max(0, now - state.loaded);
    else {
      const restarts = state.mode === MODE.RATE || state.mode === MODE.SQUARE;
      state.loaded = restarts ? now + 1 : now - state.held;
      state.held = -1;
    }
  }

  /** Pulses since the count was loaded. */
  private elapsed(now: number): number {
    const { held, loaded } = this.state;
    return held >= 0 ? held : Math.max(0, now - loaded);
  }

  output(now: number): boolean {
    this.settle(now);
    const { mode, count, held } = this.state;
    // The level after a control word: low in mode 0 only.
    if (count === 0) return mode !== MODE.TERMINAL_COUNT;
    const pulses = this.elapsed(now);
    switch (mode) {
      case MODE.TERMINAL_COUNT:
        return pulses >= count;
      case MODE.RATE:
        return held >= 0 || pulses % count !== count - 1;
      case MODE.SQUARE:
        return held >= 0 || pulses % count < Math.ceil(count / 2);
      default:
        return pulses !== count;
    }
  }

  /** The first pulse after `after` at which OUT rises; Infinity: none. */
  nextEdge(after: number): number {
    this.settle(after);
    const { mode, count, loaded, held, next, nextAt } = this.state;
    if (count === 0 || held >= 0) return Infinity;
    if (mode === MODE.TERMINAL_COUNT || mode === MODE.STROBE) {
      // Mode 4: low for the one pulse at which the count is 0.
      const edge = loaded + count + (mode === MODE.STROBE ? 1 : 0);
      return edge > after ? edge : Infinity;
    }
    if (next !== 0) return nextAt;
    return loaded + Math.max(1, Math.floor((after - loaded) / count) + 1) * count;
  }

  /** The counting element, 16 bits. */
  private element(now: number): number {
    this.settle(now);
    const { mode, count } = this.state;
    if (count === 0) return 0;
    const pulses = this.elapsed(now);
    if (mode === MODE.RATE) return (count - (pulses % count)) & 0xffff;
    if (mode === MODE.SQUARE) {
      // Mode 3: by two from the count, made even, once in each half of the period.
      const half = Math.ceil(count / 2);
      const inPeriod = pulses % count;
      const inHalf = inPeriod < half ? inPeriod : inPeriod - half;
      return ((count & ~1) - 2 * inHalf) & 0xffff;
    }
    // Modes 0 and 4 go on from 0xffff after the terminal count.
    return (count - pulses) & 0xffff;
  }

  latchCount(now: number): void {
    // Data sheet, "Counter latch command": a second latch before the first is read is ignored.
    if (this.state.latched < 0) this.state.latched = this.element(now);
  }

  latchStatus(now: number): void {
    const { state } = this;
    if (state.status >= 0) return;
    const waiting = state.count === 0 || now < state.loaded || state.next !== 0;
    const out = this.output(now) ? STATUS.OUT : 0;
    state.status = out | (waiting ? STATUS.NULL : 0) | state.control;
  }

  read(now: number): number {
    const { state } = this;
    if (state.status >= 0) {
      const { status } = state;
      state.status = -1;
      return status;
    }
    const access = (state.control >> ACCESS_SHIFT) & 3;
    const value = state.latched < 0 ? this.element(now) : state.latched;
    const high = access === ACCESS.HIGH || (access === ACCESS.BOTH && state.readHigh);
    if (access === ACCESS.BOTH) state.readHigh = !state.readHigh;
    if (access !== ACCESS.BOTH || high) state.latched = -1;
    return high ? value >> 8 : value & 0xff;
  }

  snapshot(): CounterState {
    return { ...this.state };
  }
  restore(state: CounterState): void {
    this.state = { ...state };
  }
}

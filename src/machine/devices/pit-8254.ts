/**
 * The 8254 timer of a PC/AT at 1.193182 MHz, and port 0x61, which has the gate and output of its third counter (Intel 8254
 * data sheet, 231164-005). Its clock pulses are at fixed points of virtual time.
 */
import { InputError } from '../../base/errors.js';
import type { Device, PortRange } from '../bus.js';
import { UNITS_PER_SECOND, type Clock } from '../platform.js';
import { UnmodelledError } from '../unmodelled.js';
import { Counter, type CounterState } from './pit-counter.js';

/** Clock pulses in a second: 14.31818 MHz divided by 12. */
export const PIT_HZ = 1_193_182;
export const PIT_PORT = 0x40;
export const SYSTEM_CONTROL_PORT = 0x61;
const CONTROL = 3;

/** The control word (data sheet, figure 7), and the read-back command (figure 12). */
const SELECT_SHIFT = 6;
const READ_BACK = 3;
const READ_BACK_BITS = { NO_COUNT: 0x20, NO_STATUS: 0x10 } as const;

/** Bits of port 0x61 (IBM PC/AT technical reference, system control port B). */
const PORT_61 = { GATE: 0x01, WRITABLE: 0x0f, REFRESH: 0x10, OUT: 0x20 } as const;
/** Units of virtual time between changes of the refresh bit: 15.085 µs, rounded (our choice). */
const REFRESH_UNITS = 1509;

/** Pulses up to a time in units of 10 ns, exact. */
export function pulsesAt(time: number): number {
  const seconds = Math.floor(time / UNITS_PER_SECOND);
  const rest = time - seconds * UNITS_PER_SECOND;
  return seconds * PIT_HZ + Math.floor((rest * PIT_HZ) / UNITS_PER_SECOND);
}
/** The first time at which so many pulses have been. */
export function timeOfPulse(pulses: number): number {
  const seconds = Math.floor(pulses / PIT_HZ);
  const rest = pulses - seconds * PIT_HZ;
  return seconds * UNITS_PER_SECOND + Math.ceil((rest * UNITS_PER_SECOND) / PIT_HZ);
}

export class Pit8254 implements Device {
  readonly name = 'pit';
  readonly ports: readonly PortRange[] = [
    { base: PIT_PORT, size: 4 },
    { base: SYSTEM_CONTROL_PORT, size: 1 },
  ];
  private readonly counters = [new Counter(), new Counter(), new Counter()] as const;
  private control61 = 0;
  /** Pulses up to which edges of counter 0 were looked for. */
  private seen = 0;

  constructor(private readonly clock: Clock) {
    this.counters[2].setGate(false, 0);
  }

  /** The time of the next rising edge of counter 0's output; Infinity: none. */
  nextEdge(): number {
    const pulse = this.counters[0].nextEdge(Math.max(this.seen, this.pulses()));
    return pulse === Infinity ? Infinity : timeOfPulse(pulse);
  }

  /** Whether counter 0's output has risen since the last call. */
  takeEdge(): boolean {
    const now = this.pulses();
    const risen = this.counters[0].nextEdge(this.seen) <= now;
    this.seen = now;
    return risen;
  }

  portIn(port: number, _size: number): number {
    if (port === SYSTEM_CONTROL_PORT) return this.readSystemControl();
    // Data sheet, "Read/write logic": a read of the control word register does nothing; our choice: all ones.
    if (port - PIT_PORT === CONTROL) return 0xff;
    return this.counter(port - PIT_PORT).read(this.pulses());
  }

  portOut(port: number, value: number, _size: number): void {
    const byte = value & 0xff;
    if (port === SYSTEM_CONTROL_PORT) {
      this.control61 = byte & PORT_61.WRITABLE;
      this.counters[2].setGate((byte & PORT_61.GATE) !== 0, this.pulses());
    } else if (port - PIT_PORT === CONTROL) this.writeControl(byte);
    else this.counter(port - PIT_PORT).write(byte, this.pulses());
  }

  snapshot(): PitState {
    const counters = this.counters.map((counter) => counter.snapshot());
    return { counters, control61: this.control61, seen: this.seen };
  }

  restore(state: unknown): void {
    if (!isState(state)) {
      throw new InputError({ code: 'E_SNAPSHOT', reason: 'not the state of an 8254' });
    }
    for (const [index, each] of state.counters.entries()) this.counter(index).restore(each);
    this.control61 = state.control61;
    this.seen = state.seen;
  }

  private pulses(): number {
    return pulsesAt(this.clock.now);
  }

  private counter(index: number): Counter {
    return this.counters[index === 2 ? 2 : index === 1 ? 1 : 0];
  }

  private readSystemControl(): number {
    const refresh = Math.floor(this.clock.now / REFRESH_UNITS) % 2 === 0 ? 0 : PORT_61.REFRESH;
    const out = this.counters[2].output(this.pulses()) ? PORT_61.OUT : 0;
    return this.control61 | refresh | out;
  }

  private writeControl(byte: number): void {
    const select = byte >> SELECT_SHIFT;
    const now = this.pulses();
    if (select !== READ_BACK) {
      if ((byte & 1) !== 0) throw new UnmodelledError('8254 control word, BCD: decimal counting');
      this.counter(select).writeControl(byte, now);
      return;
    }
    for (const [index, counter] of this.counters.entries()) {
      if (((byte >> (index + 1)) & 1) === 0) continue;
      if ((byte & READ_BACK_BITS.NO_COUNT) === 0) counter.latchCount(now);
      if ((byte & READ_BACK_BITS.NO_STATUS) === 0) counter.latchStatus(now);
    }
  }
}

interface PitState {
  readonly counters: readonly CounterState[];
  readonly control61: number;
  readonly seen: number;
}

function isState(state: unknown): state is PitState {
  return typeof state === 'object' && state !== null && 'counters' in state && 'seen' in state;
}

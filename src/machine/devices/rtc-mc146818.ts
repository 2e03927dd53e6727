/**
 * The real-time clock and CMOS memory of a PC/AT (Motorola MC146818A data sheet, ADI-856R2) with the register of the century
 * at 0x32. Time goes on in virtual time. Its interrupts are not modelled: enabling one throws E_UNMODELLED.
 */
import { InputError } from '../../base/errors.js';
import type { Device, PortRange } from '../bus.js';
import { UNITS_PER_SECOND, type Clock } from '../platform.js';
import { UnmodelledError } from '../unmodelled.js';
import { later, type CalendarTime } from './calendar.js';

export const CMOS_PORT = 0x70;
const SIZE = 128;
/** Registers (data sheet, figure 11; the century as ACPI's FADT names it). */
const REGISTER = {
  SECONDS: 0,
  MINUTES: 2,
  HOURS: 4,
  WEEKDAY: 6,
  DAY: 7,
  MONTH: 8,
  YEAR: 9,
  A: 10,
  B: 11,
  C: 12,
  D: 13,
  CENTURY: 0x32,
} as const;
const A_UIP = 0x80;
/** Register B: SET, the three interrupt enables, DM (binary), 24-hour form. */
const B = { SET: 0x80, INTERRUPTS: 0x70, BINARY: 0x04, HOURS_24: 0x02 } as const;
const C_UPDATE_ENDED = 0x10;
const D_VALID = 0x80;
const PM = 0x80;
/** Our choice: 32.768 kHz time base, as a BIOS sets it. */
const A_RESET = 0x26;
/** Our choice: the clock shows this time when the machine is started, so that runs are the same. */
const START: CalendarTime = {
  year: 2016,
  month: 4,
  day: 26,
  weekday: 3,
  hours: 22,
  minutes: 0,
  seconds: 0,
};
/** UIP is set from 244 µs before an update cycle of 1984 µs to its end (data sheet, table 3). */
const UIP_UNITS = (244 + 1984) * (UNITS_PER_SECOND / 1e6);

interface RtcState {
  readonly index: number;
  readonly memory: Uint8Array;
  /** What the clock showed at time `since`. */
  readonly set: CalendarTime;
  readonly since: number;
  /** The flag of an update before `since`. */
  readonly updated: boolean;
  /** Seconds after `since` of which register C has told. */
  readonly told: number;
}

const bcd = (value: number): number => Math.floor(value / 10) * 16 + (value % 10);
const fromBcd = (value: number): number => (value >> 4) * 10 + (value & 15);

export class Rtc implements Device {
  readonly name = 'rtc';
  readonly ports: readonly PortRange[] = [{ base: CMOS_PORT, size: 2 }];
  private index = 0;
  private memory = new Uint8Array(SIZE);
  private set = START;
  private since = 0;
  private updated = false;
  private told = 0;

  constructor(private readonly clock: Clock) {
    this.memory[REGISTER.A] = A_RESET;
    this.memory[REGISTER.B] = B.HOURS_24;
  }

  portIn(port: number, _size: number): number {
    // Our choice: the index register cannot be read.
    return port === CMOS_PORT ? 0xff : this.read(this.index);
  }

  portOut(port: number, value: number, _size: number): void {
    const byte = value & 0xff;
    // Bit 7 of the index masks NMI, which nothing here causes.
    if (port === CMOS_PORT) this.index = byte & (SIZE - 1);
    else this.write(this.index, byte);
  }

  snapshot(): RtcState {
    const { index, memory, set, since, updated, told } = this;
    return { index, memory: memory.slice(), set, since, updated, told };
  }

  restore(state: unknown): void {
    if (!isState(state)) {
      throw new InputError({ code: 'E_SNAPSHOT', reason: 'not the state of a real-time clock' });
    }
    this.index = state.index;
    this.memory = state.memory.slice();
    this.set = state.set;
    this.since = state.since;
    this.updated = state.updated;
    this.told = state.told;
  }

  private get b(): number {
    return this.memory[REGISTER.B] ?? 0;
  }

  /** Whole seconds since the time was set. Register B's SET stops the clock. */
  private elapsed(): number {
    if ((this.b & B.SET) !== 0) return 0;
    return Math.floor((this.clock.now - this.since) / UNITS_PER_SECOND);
  }

  private read(register: number): number {
    switch (register) {
      case REGISTER.A:
        return (this.memory[register] ?? 0) | (this.updating() ? A_UIP : 0);
      case REGISTER.C:
        return this.flags();
      case REGISTER.D:
        return D_VALID;
      default:
        return this.timeRegister(register) ?? this.memory[register] ?? 0;
    }
  }

  private updating(): boolean {
    if ((this.b & B.SET) !== 0) return false;
    return (this.clock.now - this.since) % UNITS_PER_SECOND >= UNITS_PER_SECOND - UIP_UNITS;
  }

  /** Register C: the flag of the update's end; a read clears it. Our choice: the alarm and periodic flags stay clear. */
  private flags(): number {
    const elapsed = this.elapsed();
    const flag = this.updated || elapsed !== this.told ? C_UPDATE_ENDED : 0;
    this.updated = false;
    this.told = elapsed;
    return flag;
  }

  /** A register of the time, in the form that register B selects; undefined: it is none. */
  private timeRegister(register: number): number | undefined {
    const time = later(this.set, this.elapsed());
    const form = (this.b & B.BINARY) === 0 ? bcd : (value: number) => value;
    switch (register) {
      case REGISTER.SECONDS:
        return form(time.seconds);
      case REGISTER.MINUTES:
        return form(time.minutes);
      case REGISTER.HOURS: {
        const { hours } = time;
        if ((this.b & B.HOURS_24) !== 0) return form(hours);
        return form(hours % 12 === 0 ? 12 : hours % 12) | (hours >= 12 ? PM : 0);
      }
      case REGISTER.WEEKDAY:
        return form(time.weekday);
      case REGISTER.DAY:
        return form(time.day);
      case REGISTER.MONTH:
        return form(time.month);
      case REGISTER.YEAR:
        return form(time.year % 100);
      case REGISTER.CENTURY:
        return form(Math.floor(time.year / 100));
      default:
        return undefined;
    }
  }

  private write(register: number, byte: number): void {
    if (register === REGISTER.C || register === REGISTER.D) return;
    if (register === REGISTER.B) this.writeB(byte);
    else if (this.timeRegister(register) !== undefined) this.setTime(register, byte);
    else this.memory[register] = register === REGISTER.A ? byte & ~A_UIP : byte;
  }

  private writeB(byte: number): void {
    if ((byte & B.INTERRUPTS) !== 0) {
      throw new UnmodelledError('MC146818 register B: interrupts of the real-time clock');
    }
    // SET stops the clock with the time that it shows; a second begins when it is cleared.
    this.begin(later(this.set, this.elapsed()));
    this.memory[REGISTER.B] = byte;
  }

  private begin(time: CalendarTime): void {
    this.updated ||= this.elapsed() !== this.told;
    this.told = 0;
    this.set = time;
    this.since = this.clock.now;
  }

  /** Replaces one register of the time; a second begins. */
  private setTime(register: number, byte: number): void {
    const time = later(this.set, this.elapsed());
    const value = (this.b & B.BINARY) === 0 ? fromBcd(byte) : byte;
    switch (register) {
      case REGISTER.SECONDS:
        this.begin({ ...time, seconds: value });
        break;
      case REGISTER.MINUTES:
        this.begin({ ...time, minutes: value });
        break;
      case REGISTER.HOURS:
        this.begin({ ...time, hours: this.hoursOf(byte) });
        break;
      case REGISTER.WEEKDAY:
        this.begin({ ...time, weekday: value });
        break;
      case REGISTER.DAY:
        this.begin({ ...time, day: value });
        break;
      case REGISTER.MONTH:
        this.begin({ ...time, month: value });
        break;
      case REGISTER.YEAR:
        this.begin({ ...time, year: time.year - (time.year % 100) + value });
        break;
      default:
        this.begin({ ...time, year: 100 * value + (time.year % 100) });
    }
  }

  private hoursOf(byte: number): number {
    const value = (this.b & B.BINARY) === 0 ? fromBcd(byte & ~PM) : byte & ~PM;
    if ((this.b & B.HOURS_24) !== 0) return value;
    return (value % 12) + ((byte & PM) === 0 ? 0 : 12);
  }
}

function isState(state: unknown): state is RtcState {
  return typeof state === 'object' && state !== null && 'memory' in state && 'since' in state;
}

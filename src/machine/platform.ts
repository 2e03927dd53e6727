/** What is outside a CPU that executes instructions: virtual time, the events of devices, and the interrupt request. */

/** Units of virtual time in a second: one unit is 10 ns, the time of an instruction (our choice). */
export const UNITS_PER_SECOND = 100_000_000;

/** Virtual time, in units of 10 ns since the machine was started. The executor of instructions sets `read`. */
export class Clock {
  read: () => number = () => 0;

  get now(): number {
    return this.read();
  }
}

/** The devices of a machine that act by themselves. */
export interface Platform {
  readonly clock: Clock;
  /** The time of the next event that changes anything without an access; Infinity: none. */
  nextEvent(): number;
  /** Lets all events up to now happen. */
  advance(): void;
  /** INTR: an interrupt is requested. */
  readonly requested: boolean;
  /** The processor acknowledges the interrupt: its vector. */
  acknowledge(): number;
}

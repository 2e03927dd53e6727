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

/** The devices of a machine that act by themselves. CPUs are given by their number. */
export interface Platform {
  readonly clock: Clock;
  /** The time of the next event that changes anything without an access; Infinity: none. */
  nextEvent(): number;
  /** Lets all events up to now happen. */
  advance(): void;
  /** INTR of a CPU: an interrupt is requested. */
  requested(cpu: number): boolean;
  /** The CPU acknowledges the interrupt: its vector. */
  acknowledge(cpu: number): number;
  /** A non-maskable interrupt of a CPU is requested. */
  nmiRequested(cpu: number): boolean;
  /** The CPU takes it. */
  acknowledgeNmi(cpu: number): void;
  /** CR8 of a CPU where the devices have it, bits 7:4 of its local APIC's TPR (APM vol. 2, 16.6.4). */
  taskPriority(cpu: number): number | undefined;
  /** Sets it. Returns false where they have none. */
  setTaskPriority(cpu: number, value: number): boolean;
}

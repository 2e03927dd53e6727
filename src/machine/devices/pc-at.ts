/** The devices of a PC/AT that interrupt the processor, on a machine's bus: 8259A pair, 8254, real-time clock, COM1. */
import type { Machine } from '../machine.js';
import { Clock, type Platform } from '../platform.js';
import { Pic8259 } from './pic-8259.js';
import { Pit8254 } from './pit-8254.js';
import { Rtc } from './rtc-mc146818.js';
import { Uart16550 } from './uart-16550.js';

/** Interrupt inputs of the 8259A pair (IBM PC/AT technical reference). */
export const IRQ = { TIMER: 0, COM1: 4 } as const;

export class PcAt implements Platform {
  readonly clock = new Clock();
  readonly pic: Pic8259;
  readonly pit: Pit8254;
  readonly rtc: Rtc;
  readonly uart: Uart16550;

  /** Puts the devices on the bus. */
  constructor(machine: Machine) {
    this.pic = machine.attach(new Pic8259());
    this.pit = machine.attach(new Pit8254(this.clock));
    this.rtc = machine.attach(new Rtc(this.clock));
    this.uart = machine.attach(new Uart16550());
    this.uart.onInterrupt = (level) => this.pic.setLine(IRQ.COM1, level);
  }

  /** An edge of the timer changes nothing while its request is there: it is no event then. */
  nextEvent(): number {
    return this.pic.latched(IRQ.TIMER) ? Infinity : this.pit.nextEdge();
  }

  advance(): void {
    // Our choice: the request of an edge stays until it is acknowledged, though the output may fall before.
    if (this.pit.takeEdge()) this.pic.request(IRQ.TIMER);
  }

  get requested(): boolean {
    return this.pic.requested;
  }

  acknowledge(): number {
    return this.pic.acknowledge();
  }
}

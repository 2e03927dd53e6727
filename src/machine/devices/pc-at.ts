/**
 * The devices of a PC/AT that interrupt the processors, on a machine's bus: 8259A pair, 8254, real-time clock, COM1; on a machine
 * that has local APICs also an I/O APIC.
 */
import type { Machine } from '../machine.js';
import { Clock, type Platform } from '../platform.js';
import { IoApic, type IoApicPlace } from './io-apic.js';
import { LocalApic } from './local-apic.js';
import { Pic8259 } from './pic-8259.js';
import { Pit8254 } from './pit-8254.js';
import { Rtc } from './rtc-mc146818.js';
import { Uart16550 } from './uart-16550.js';

/** Interrupt inputs of the 8259A pair (IBM PC/AT technical reference). */
export const IRQ = { TIMER: 0, COM1: 4 } as const;
/** Those of the I/O APIC: the same, but for the timer, which the MADT's interrupt source override names. */
export const IO_APIC_INPUT = { TIMER: 2, COM1: IRQ.COM1 } as const;
/** CR8 is bits 7:4 of the task-priority register (APM vol. 2, 16.6.4). */
const CR8_SHIFT = 4;

export class PcAt implements Platform {
  readonly clock = new Clock();
  readonly pic: Pic8259;
  readonly pit: Pit8254;
  readonly rtc: Rtc;
  readonly uart: Uart16550;
  /** The local APICs that the machine has; null: a CPU's INTR is that of the 8259A pair. */
  readonly apic: LocalApic | null;
  readonly ioApic: IoApic | null;

  /**
   * Puts the devices on the bus.
   *
   * @param ioApic where the I/O APIC of a machine with local APICs is; null: there is none.
   */
  constructor(machine: Machine, ioApic: IoApicPlace | null = null) {
    this.pic = machine.attach(new Pic8259());
    this.pit = machine.attach(new Pit8254(this.clock));
    this.rtc = machine.attach(new Rtc(this.clock));
    this.uart = machine.attach(new Uart16550());
    const apic = machine.bus.all.find((device) => device instanceof LocalApic);
    this.apic = apic ?? null;
    this.ioApic =
      apic === undefined || ioApic === null
        ? null
        : machine.attach(new IoApic(ioApic, (message, to) => apic.message(message, to)));
    apic?.connect({ clock: this.clock, ended: (vector) => this.ioApic?.ended(vector) });
    this.uart.onInterrupt = (level) => {
      this.pic.setLine(IRQ.COM1, level);
      this.ioApic?.setLine(IO_APIC_INPUT.COM1, level);
    };
  }

  /** An edge of the timer is no event where it changes nothing: its request is there, and the I/O APIC masks it. */
  nextEvent(): number {
    const sees = !this.pic.latched(IRQ.TIMER) || this.ioApic?.passes(IO_APIC_INPUT.TIMER) === true;
    let next = sees ? this.pit.nextEdge() : Infinity;
    if (this.apic !== null) {
      for (const unit of this.apic.units) next = Math.min(next, unit.nextEvent());
    }
    return next;
  }

  advance(): void {
    // Our choice: the request of an edge stays until it is acknowledged, though the output may fall before.
    if (this.pit.takeEdge()) {
      this.pic.request(IRQ.TIMER);
      this.ioApic?.pulse(IO_APIC_INPUT.TIMER);
    }
    if (this.apic === null) return;
    const { now } = this.clock;
    for (const unit of this.apic.units) unit.advance(now);
  }

  requested(cpu: number): boolean {
    if (this.apic === null) return this.pic.requested;
    const unit = this.apic.of(cpu);
    return unit.pending >= 0 || (unit.passesExtInt && this.pic.requested);
  }

  /** Our choice of the order: a request of the local APIC, then one of the 8259A pair. */
  acknowledge(cpu: number): number {
    if (this.apic === null) return this.pic.acknowledge();
    const unit = this.apic.of(cpu);
    const external = unit.pending < 0 && unit.passesExtInt && this.pic.requested;
    return external ? this.pic.acknowledge() : unit.acknowledge();
  }

  nmiRequested(cpu: number): boolean {
    return this.apic?.of(cpu).state.nmi === true;
  }

  acknowledgeNmi(cpu: number): void {
    if (this.apic !== null) this.apic.of(cpu).state.nmi = false;
  }

  taskPriority(cpu: number): number | undefined {
    const tpr = this.apic?.of(cpu).state.tpr;
    return tpr === undefined ? undefined : tpr >> CR8_SHIFT;
  }

  setTaskPriority(cpu: number, value: number): boolean {
    if (this.apic === null) return false;
    this.apic.of(cpu).state.tpr = value << CR8_SHIFT;
    return true;
  }
}

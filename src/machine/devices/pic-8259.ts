/**
 * The two 8259A interrupt controllers of a PC/AT, the second at input 2 of the first (Intel 8259A data sheet, 231468-003).
 * Inputs are edge-triggered; requests stay until they are acknowledged or their input falls.
 */
import { InputError } from '../../base/errors.js';
import type { Device, PortRange } from '../bus.js';
import { UnmodelledError } from '../unmodelled.js';
import { Controller, type ControllerState } from './pic-controller.js';

/** Ports of a PC/AT: command and data of each controller. */
export const PIC_PORTS = { FIRST: 0x20, SECOND: 0xa0 } as const;
/** The input of the first controller that the second has. */
const CASCADE = 2;
const INPUTS = 8;

export class Pic8259 implements Device {
  readonly name = 'pic';
  readonly ports: readonly PortRange[] = [
    { base: PIC_PORTS.FIRST, size: 2 },
    { base: PIC_PORTS.SECOND, size: 2 },
  ];
  // Our choice: as a BIOS leaves them, with vectors 8 and 0x70 and all inputs masked.
  private readonly first = new Controller(0x08, true);
  private readonly second = new Controller(0x70, false);

  /** INTR of the processor. */
  get requested(): boolean {
    return this.first.pending >= 0;
  }

  /** Whether a rising edge at an input, 0 to 15, would change nothing: its request is already there. */
  latched(input: number): boolean {
    return this.of(input).has(input % INPUTS);
  }

  /** Sets the level of an input, 0 to 15: a rising edge is a request, a falling one takes it back (data sheet, "Edge and level"). */
  setLine(input: number, level: boolean): void {
    this.of(input).setLine(input % INPUTS, level);
    this.cascade();
  }

  /** A request at an input, 0 to 15, that stays until it is acknowledged. */
  request(input: number): void {
    this.of(input).request(input % INPUTS);
    this.cascade();
  }

  /** INTA: the vector. The second controller answers where the first one's input is its (data sheet, "Cascade mode"). */
  acknowledge(): number {
    const input = this.first.acknowledge();
    if (input !== CASCADE) return this.first.vector(input);
    const other = this.second.acknowledge();
    // INTA takes the second one's INT back: with automatic EOI a further request of it is a new edge (data sheet, "INT").
    this.first.setLine(CASCADE, false);
    this.cascade();
    return this.second.vector(other);
  }

  portIn(port: number, _size: number): number {
    const controller = this.at(port);
    const value = (port & 1) === 0 ? controller.readCommand() : controller.readData();
    this.cascade();
    return value;
  }

  portOut(port: number, value: number, _size: number): void {
    const byte = value & 0xff;
    const controller = this.at(port);
    if ((port & 1) === 0) controller.writeCommand(byte);
    else controller.writeData(byte);
    this.cascade();
  }

  snapshot(): { readonly first: ControllerState; readonly second: ControllerState } {
    return { first: this.first.snapshot(), second: this.second.snapshot() };
  }

  restore(state: unknown): void {
    if (!isState(state)) {
      throw new InputError({ code: 'E_SNAPSHOT', reason: 'not the state of two 8259A' });
    }
    this.first.restore(state.first);
    this.second.restore(state.second);
  }

  private at(port: number): Controller {
    return port < PIC_PORTS.SECOND ? this.first : this.second;
  }
  private of(input: number): Controller {
    if (input === CASCADE)
      throw new UnmodelledError('a device at input 2, which has the second 8259A');
    return input < INPUTS ? this.first : this.second;
  }

  /** The second controller's INT is the first one's input 2. */
  private cascade(): void {
    this.first.setLine(CASCADE, this.second.pending >= 0);
  }
}

function isState(state: unknown): state is ReturnType<Pic8259['snapshot']> {
  return typeof state === 'object' && state !== null && 'first' in state && 'second' in state;
}

/**
 * A 16550 UART at the ports of COM1 (National Semiconductor PC16550D data sheet). What is transmitted is the text of the
 * serial console; nothing is ever received, and a transmission takes no time (our choice).
 */
import { InputError } from '../../base/errors.js';
import type { Device, PortRange } from '../bus.js';

/** COM1's ports. */
export const COM1 = { base: 0x3f8, size: 8 } as const;

/** Registers by their offset (data sheet, table 2). With LCR.DLAB, offsets 0 and 1 are the divisor. */
const REGISTER = { DATA: 0, IER: 1, IIR_FCR: 2, LCR: 3, MCR: 4, LSR: 5, MSR: 6, SCR: 7 } as const;
const DLAB = 0x80;
/** Line status (data sheet 8.4): transmitter holding register and transmitter empty. */
const LSR_IDLE = 0x60;
const LSR_DATA_READY = 0x01;
/** Interrupt identification (8.6): none pending, transmitter holding register empty, FIFOs enabled. */
const IIR = { NONE: 0x01, THRE: 0x02, FIFO: 0xc0 } as const;
const FCR_ENABLE = 0x01;
const IER_BITS = 0x0f;
const IER_THRE = 0x02;
const MCR_BITS = 0x1f;
const MCR_LOOPBACK = 0x10;
/** Modem status (8.8) of a connected terminal: CTS, DSR, DCD. */
const MSR_CONNECTED = 0xb0;

interface UartState {
  readonly registers: readonly [ier: number, fcr: number, lcr: number, mcr: number, scr: number];
  readonly divisor: number;
  readonly received: number | null;
  readonly pending: boolean;
  readonly text: string;
}

export class Uart16550 implements Device {
  readonly name = 'uart';
  readonly ports: readonly PortRange[];
  /** Called after each access with the level of the interrupt line. */
  onInterrupt: ((level: boolean) => void) | null = null;
  /** All characters that were transmitted; bytes above 127 as Latin 1. */
  text = '';
  private ier = 0;
  private fcr = 0;
  private lcr = 0;
  private mcr = 0;
  private scr = 0;
  private divisor = 0;
  /** The byte that loopback has returned; null: none. */
  private received: number | null = null;
  /** The interrupt of the empty holding register is pending. */
  private pending = false;

  constructor(private readonly range: PortRange = COM1) {
    this.ports = [range];
  }

  /** The level of its interrupt line: MCR.OUT2 gates it on a PC. */
  get interrupt(): boolean {
    return this.pending && (this.ier & IER_THRE) !== 0 && (this.mcr & 0x08) !== 0;
  }

  portIn(port: number, _size: number): number {
    const value = this.readRegister(port);
    this.onInterrupt?.(this.interrupt);
    return value;
  }

  portOut(port: number, value: number, _size: number): void {
    this.writeRegister(port, value & 0xff);
    this.onInterrupt?.(this.interrupt);
  }

  private readRegister(port: number): number {
    const dlab = (this.lcr & DLAB) !== 0;
    switch (port - this.range.base) {
      case REGISTER.DATA:
        return dlab ? this.divisor & 0xff : this.receive();
      case REGISTER.IER:
        return dlab ? this.divisor >> 8 : this.ier;
      case REGISTER.IIR_FCR:
        return this.identify();
      case REGISTER.LCR:
        return this.lcr;
      case REGISTER.MCR:
        return this.mcr;
      case REGISTER.LSR:
        return LSR_IDLE | (this.received === null ? 0 : LSR_DATA_READY);
      case REGISTER.MSR:
        return this.modemStatus();
      default:
        return this.scr;
    }
  }

  private writeRegister(port: number, byte: number): void {
    const dlab = (this.lcr & DLAB) !== 0;
    switch (port - this.range.base) {
      case REGISTER.DATA:
        if (dlab) this.divisor = (this.divisor & 0xff00) | byte;
        else this.transmit(byte);
        break;
      case REGISTER.IER:
        if (dlab) this.divisor = (this.divisor & 0xff) | (byte << 8);
        else {
          // 8.6: enabling the interrupt while the holding register is empty makes it pending.
          if ((byte & ~this.ier & IER_THRE) !== 0) this.pending = true;
          this.ier = byte & IER_BITS;
        }
        break;
      case REGISTER.IIR_FCR:
        this.fcr = byte;
        break;
      case REGISTER.LCR:
        this.lcr = byte;
        break;
      case REGISTER.MCR:
        this.mcr = byte & MCR_BITS;
        break;
      case REGISTER.SCR:
        this.scr = byte;
        break;
      default:
      // LSR and MSR are read-only.
    }
  }

  snapshot(): UartState {
    const { ier, fcr, lcr, mcr, scr, divisor, received, pending, text } = this;
    return { registers: [ier, fcr, lcr, mcr, scr], divisor, received, pending, text };
  }

  restore(state: unknown): void {
    if (!isUartState(state)) {
      throw new InputError({ code: 'E_SNAPSHOT', reason: 'not the state of a UART' });
    }
    [this.ier, this.fcr, this.lcr, this.mcr, this.scr] = state.registers;
    this.divisor = state.divisor;
    this.received = state.received;
    this.pending = state.pending;
    this.text = state.text;
  }

  private transmit(byte: number): void {
    // 8.7: in loopback the transmitter's output is the receiver's input.
    if ((this.mcr & MCR_LOOPBACK) !== 0) this.received = byte;
    else this.text += String.fromCharCode(byte);
    this.pending = true;
  }

  private receive(): number {
    const byte = this.received ?? 0;
    this.received = null;
    return byte;
  }

  /** 8.6: reading the register while it identifies the empty holding register resets that interrupt. */
  private identify(): number {
    const fifo = (this.fcr & FCR_ENABLE) === 0 ? 0 : IIR.FIFO;
    if (!this.pending || (this.ier & IER_THRE) === 0) return IIR.NONE | fifo;
    this.pending = false;
    return IIR.THRE | fifo;
  }

  /** 8.7: in loopback the modem's inputs are MCR's outputs: RTS is CTS, DTR is DSR, OUT1 is RI, OUT2 is DCD. */
  private modemStatus(): number {
    const { mcr } = this;
    if ((mcr & MCR_LOOPBACK) === 0) return MSR_CONNECTED;
    return ((mcr & 0x0c) << 4) | ((mcr & 0x02) << 3) | ((mcr & 0x01) << 5);
  }
}

function isUartState(state: unknown): state is UartState {
  if (typeof state !== 'object' || state === null) return false;
  const { registers, divisor, text, pending } = state as Partial<UartState>;
  return (
    Array.isArray(registers) &&
    registers.length === 5 &&
    typeof divisor === 'number' &&
    typeof pending === 'boolean' &&
    typeof text === 'string'
  );
}

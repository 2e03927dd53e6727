/**
 * The attribute controller and the DAC of a VGA (IBM PS/2 Hardware Interface Technical Reference, Video Subsystem; FreeVGA:
 * attribute controller and colour registers). Registers only: the screen has no colours but the attributes of its cells.
 */
import type { PortRange } from '../bus.js';

const PORT = {
  attribute: 0x3c0,
  attributeRead: 0x3c1,
  mask: 0x3c6,
  readIndex: 0x3c7,
  writeIndex: 0x3c8,
  colour: 0x3c9,
  status: 0x3da,
} as const;

/** Palette, mode control, overscan, plane enable, panning, colour select. */
const ATTRIBUTES = 0x15;
/** Red, green and blue, 6 bits each. */
const COLOURS = 256 * 3;
const SIX_BITS = 0x3f;
/** Input status 1: bit 3 vertical retrace, bit 0 the display is off. */
const RETRACE = 0x09;
/** The DAC state register: the last index was written for writes of colours, or for reads. */
const [WRITING, READING] = [0, 3];

/** The state of the registers. */
export interface VgaPaletteState {
  readonly attributes: Uint8Array;
  readonly index: number;
  readonly isData: boolean;
  readonly retrace: boolean;
  readonly colours: Uint8Array;
  readonly mask: number;
  readonly at: number;
  readonly reading: boolean;
}

export class VgaPalette {
  readonly ports: readonly PortRange[] = [
    { base: PORT.attribute, size: 2 },
    { base: PORT.mask, size: 4 },
    { base: PORT.status, size: 1 },
  ];
  private attributes = new Uint8Array(ATTRIBUTES);
  /** The attribute controller's index register, with the palette address source in bit 5. */
  private index = 0;
  /** The next write to the attribute controller is data, not an index. */
  private isData = false;
  private retrace = false;
  private colours = new Uint8Array(COLOURS);
  private mask = 0xff;
  /** The next byte of `colours`. */
  private at = 0;
  private reading = false;

  has(port: number): boolean {
    return this.ports.some(({ base, size }) => port >= base && port < base + size);
  }

  /** IN of `size` bytes: each of its own port, ones where there is none of these. */
  in(port: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) {
      value = value * 0x100 + (this.has(port + i) ? this.byteIn(port + i) : 0xff);
    }
    return value;
  }

  /** OUT of `size` bytes, each to its own port. */
  out(port: number, value: number, size: number): void {
    for (let i = 0; i < size; i++) {
      if (this.has(port + i)) this.byteOut(port + i, (value >>> (8 * i)) & 0xff);
    }
  }

  snapshot(): VgaPaletteState {
    const { attributes, index, isData, retrace, colours, mask, at, reading } = this;
    return {
      ...{ attributes: attributes.slice(), index, isData, retrace },
      ...{ colours: colours.slice(), mask, at, reading },
    };
  }

  restore(state: VgaPaletteState): void {
    Object.assign(this, {
      ...state,
      attributes: state.attributes.slice(),
      colours: state.colours.slice(),
    });
  }

  private byteIn(port: number): number {
    switch (port) {
      case PORT.attribute:
        return this.index;
      case PORT.attributeRead:
        return this.attributes[this.index & 0x1f] ?? 0;
      case PORT.mask:
        return this.mask;
      case PORT.readIndex:
        return this.reading ? READING : WRITING;
      case PORT.writeIndex:
        return Math.floor(this.at / 3);
      case PORT.colour:
        return this.colours[this.next()] ?? 0;
      default:
        // It also makes the next write to the attribute controller an index. Our choice: every other read sees a retrace.
        this.isData = false;
        this.retrace = !this.retrace;
        return this.retrace ? RETRACE : 0;
    }
  }

  /** Input status 1 is read-only: a write is of the feature control register, which has no effect here. */
  private byteOut(port: number, value: number): void {
    switch (port) {
      case PORT.attribute:
        this.writeAttribute(value);
        return;
      case PORT.mask:
        this.mask = value;
        return;
      case PORT.readIndex:
      case PORT.writeIndex:
        this.at = value * 3;
        this.reading = port === PORT.readIndex;
        return;
      case PORT.colour:
        this.colours[this.next()] = value & SIX_BITS;
        return;
      default:
    }
  }

  private writeAttribute(value: number): void {
    if (!this.isData) this.index = value & SIX_BITS;
    else if ((this.index & 0x1f) < ATTRIBUTES) this.attributes[this.index & 0x1f] = value;
    this.isData = !this.isData;
  }

  /** The place of the next access to a colour; after blue the next index follows. */
  private next(): number {
    const { at } = this;
    this.at = (at + 1) % COLOURS;
    return at;
  }
}

/** Whether a value is the state of the registers. */
export function isVgaPaletteState(state: unknown): state is VgaPaletteState {
  if (typeof state !== 'object' || state === null) return false;
  const { attributes, colours, index, mask, at } = state as Partial<VgaPaletteState>;
  return (
    attributes instanceof Uint8Array &&
    attributes.length === ATTRIBUTES &&
    colours instanceof Uint8Array &&
    colours.length === COLOURS &&
    [index, mask, at].every((each) => typeof each === 'number')
  );
}

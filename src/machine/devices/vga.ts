/**
 * A VGA adapter in text mode 3: 80 columns, 25 lines, 16 colours; cells of character and attribute (IBM PS/2 Hardware
 * Interface Technical Reference, Video Subsystem; FreeVGA).
 *
 * Not modelled: graphics modes, fonts, sequencer and graphics controller (their ports: see UNMODELLED).
 */
import { InputError } from '../../base/errors.js';
import type { Pa } from '../address.js';
import type { Device, PortRange } from '../bus.js';
import type { PhysicalRange } from '../cpu/mtrr.js';
import { UnmodelledError } from '../unmodelled.js';
import { cp437 } from './cp437.js';
import { isVgaPaletteState, VgaPalette, type VgaPaletteState } from './vga-palette.js';

/** The address range of a video adapter in a PC; it has no DRAM. */
export const VGA_WINDOW = { base: 0xa_0000, size: 0x2_0000 } as const;
/** Graphics controller, Miscellaneous register, memory map select 11b: the colour text modes' 32 KiB. */
export const VGA_TEXT = { base: 0xb_8000, size: 0x8000 } as const;
/** Mode 3. */
export const VGA_COLUMNS = 80;
export const VGA_LINES = 25;
/** Bytes of a cell: the character, then its attribute. */
export const VGA_CELL = 2;
const VGA_ROW = VGA_COLUMNS * VGA_CELL;
const SPACE = 0x20;
/** Light grey on black. */
export const VGA_DEFAULT_ATTRIBUTE = 0x07;

/** The CRT controller's index and data ports of a colour adapter. */
export const VGA_PORTS = { crtcIndex: 0x3d4, crtcData: 0x3d5 } as const;
/** The CRT controller's registers that have an effect here, by index (FreeVGA: CRTC registers). */
export const CRTC = {
  CURSOR_START: 0x0a,
  CURSOR_END: 0x0b,
  START_HI: 0x0c,
  START_LO: 0x0d,
  CURSOR_HI: 0x0e,
  CURSOR_LO: 0x0f,
} as const;
const CRTC_REGISTERS = 0x19;
/** Ports of a VGA that the model does not have. */
const UNMODELLED: readonly (PortRange & { readonly what: string })[] = [
  { base: 0x3c2, size: 1, what: 'miscellaneous output, input status 0' },
  { base: 0x3c4, size: 2, what: 'sequencer' },
  { base: 0x3ce, size: 2, what: 'graphics controller' },
];

/** The contents of the screen. */
export interface VgaScreen {
  /** 25 lines of 80 characters. */
  readonly lines: readonly string[];
  /** The attributes of each line's cells: bits 3:0 foreground, 6:4 background, 7 blink. */
  readonly attributes: readonly Uint8Array[];
  /** Position of the cursor; undefined if it is not on the screen. */
  readonly cursor: { readonly line: number; readonly column: number } | undefined;
}

/** The state of the adapter. */
interface VgaState {
  readonly memory: Uint8Array;
  readonly crtcIndex: number;
  readonly crtc: Uint8Array;
  readonly palette: VgaPaletteState;
}

export class VgaAdapter implements Device {
  readonly name = 'vga';
  readonly mmio: readonly PhysicalRange[] = [VGA_WINDOW];
  private readonly palette = new VgaPalette();
  readonly ports: readonly PortRange[] = [
    { base: VGA_PORTS.crtcIndex, size: 2 },
    ...this.palette.ports,
    ...UNMODELLED.map(({ base, size }) => ({ base, size })),
  ];
  private readonly memory = new Uint8Array(VGA_TEXT.size);
  private readonly crtc = new Uint8Array(CRTC_REGISTERS);
  private crtcIndex = 0;

  /** The video BIOS's mode set (INT 10h, AH=0, mode 3): a blank screen, the cursor at the top (our choice: by firmware). */
  setTextMode(): void {
    for (let at = 0; at < this.memory.length; at += VGA_CELL) {
      this.memory[at] = SPACE;
      this.memory[at + 1] = VGA_DEFAULT_ATTRIBUTE;
    }
    this.crtc.fill(0);
  }

  mmioRead(address: Pa, out: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < length; i++) {
      // Our choice: outside the 32 KiB that the mode selects reads return all ones.
      out[offset + i] = this.memory[address + i - VGA_TEXT.base] ?? 0xff;
    }
  }

  mmioWrite(address: Pa, data: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < length; i++) {
      const at = address + i - VGA_TEXT.base;
      if (at >= 0 && at < this.memory.length) this.memory[at] = data[offset + i] ?? 0;
    }
  }

  portIn(port: number, size: number): number {
    if (this.palette.has(port)) return this.palette.in(port, size);
    this.refuse(port);
    if (port === VGA_PORTS.crtcIndex) return this.crtcIndex;
    return this.crtc[this.crtcIndex] ?? 0xff;
  }

  /** OUT of one byte to a port, or of two to the index and the data port at once. */
  portOut(port: number, value: number, size: number): void {
    if (this.palette.has(port)) {
      this.palette.out(port, value, size);
      return;
    }
    this.refuse(port);
    if (port === VGA_PORTS.crtcIndex) this.crtcIndex = value & 0xff;
    if (port === VGA_PORTS.crtcIndex && size === 1) return;
    const data = port === VGA_PORTS.crtcIndex ? value >> 8 : value;
    if (this.crtcIndex < CRTC_REGISTERS) this.crtc[this.crtcIndex] = data & 0xff;
  }

  /** The screen: the cells from the CRT controller's start address on; they wrap at the end of the memory. */
  render(): VgaScreen {
    const start = this.pair(CRTC.START_HI, CRTC.START_LO) * VGA_CELL;
    const lines: string[] = [];
    const attributes: Uint8Array[] = [];
    for (let line = 0; line < VGA_LINES; line++) {
      let text = '';
      const colours = new Uint8Array(VGA_COLUMNS);
      for (let column = 0; column < VGA_COLUMNS; column++) {
        const at = (start + line * VGA_ROW + column * VGA_CELL) % VGA_TEXT.size;
        text += cp437(this.memory[at] ?? 0);
        colours[column] = this.memory[at + 1] ?? 0;
      }
      lines.push(text);
      attributes.push(colours);
    }
    const cursor = this.pair(CRTC.CURSOR_HI, CRTC.CURSOR_LO) - start / VGA_CELL;
    const shown = cursor >= 0 && cursor < VGA_COLUMNS * VGA_LINES;
    return {
      lines,
      attributes,
      cursor: shown
        ? { line: Math.floor(cursor / VGA_COLUMNS), column: cursor % VGA_COLUMNS }
        : undefined,
    };
  }

  snapshot(): VgaState {
    const { memory, crtc, crtcIndex, palette } = this;
    return {
      ...{ memory: memory.slice(), crtc: crtc.slice(), crtcIndex },
      palette: palette.snapshot(),
    };
  }

  restore(state: unknown): void {
    if (!isVgaState(state)) {
      throw new InputError({ code: 'E_SNAPSHOT', reason: 'not the state of a VGA adapter' });
    }
    this.memory.set(state.memory);
    this.crtc.set(state.crtc);
    this.crtcIndex = state.crtcIndex;
    this.palette.restore(state.palette);
  }

  private pair(high: number, low: number): number {
    return (this.crtc[high] ?? 0) * 0x100 + (this.crtc[low] ?? 0);
  }

  private refuse(port: number): void {
    const hit = UNMODELLED.find(({ base, size }) => port >= base && port < base + size);
    if (hit !== undefined) throw new UnmodelledError(`port 0x${port.toString(16)} (${hit.what})`);
  }
}

function isVgaState(state: unknown): state is VgaState {
  if (typeof state !== 'object' || state === null) return false;
  const { memory, crtc, crtcIndex, palette } = state as Partial<VgaState>;
  return (
    memory instanceof Uint8Array &&
    memory.length === VGA_TEXT.size &&
    crtc instanceof Uint8Array &&
    crtc.length === CRTC_REGISTERS &&
    typeof crtcIndex === 'number' &&
    isVgaPaletteState(palette)
  );
}

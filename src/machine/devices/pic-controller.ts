/** One 8259A: its registers, command words and priorities (Intel 8259A data sheet, 231468-003). */
import { UnmodelledError } from '../unmodelled.js';

/** Initialization command words (figure 7). */
const ICW1 = { INIT: 0x10, LEVEL: 0x08, SINGLE: 0x02, ICW4: 0x01 } as const;
const ICW2_BASE = 0xf8;
const ICW4 = { NESTED: 0x10, AUTO_EOI: 0x02, X86: 0x01 } as const;
/** Operation command words (figure 8). OCW2: rotate, specific, end of interrupt, and a level. */
const OCW2 = { ROTATE: 0x80, SPECIFIC: 0x40, EOI: 0x20, LEVEL: 0x07 } as const;
const OCW3 = {
  SELECT: 0x08,
  MASK_CHANGE: 0x40,
  MASK_ON: 0x20,
  POLL: 0x04,
  READ_CHANGE: 0x02,
  READ_ISR: 0x01,
} as const;
const LAST = 7;

/** The state of a controller, all plain numbers and flags. */
export interface ControllerState {
  /** Requests, inputs in service, masked inputs and the inputs' levels, a bit each. */
  readonly irr: number;
  readonly isr: number;
  readonly imr: number;
  readonly levels: number;
  /** Vector of input 0. */
  readonly base: number;
  /** The input of lowest priority. */
  readonly lowest: number;
  readonly autoEoi: boolean;
  readonly rotateOnAutoEoi: boolean;
  readonly specialMask: boolean;
  readonly readIsr: boolean;
  readonly poll: boolean;
  /** The next initialization word, 2 to 4; 0: none. */
  readonly expects: number;
  readonly wantsIcw4: boolean;
}

export class Controller {
  private state: { -readonly [K in keyof ControllerState]: ControllerState[K] };

  constructor(
    base: number,
    private readonly master: boolean,
  ) {
    this.state = {
      irr: 0,
      isr: 0,
      imr: 0xff,
      levels: 0,
      base,
      lowest: LAST,
      autoEoi: false,
      rotateOnAutoEoi: false,
      specialMask: false,
      readIsr: false,
      poll: false,
      expects: 0,
      wantsIcw4: false,
    };
  }

  has(input: number): boolean {
    return ((this.state.irr >> input) & 1) !== 0;
  }

  setLine(input: number, level: boolean): void {
    const bit = 1 << input;
    const { state } = this;
    const was = (state.levels & bit) !== 0;
    if (level === was) return;
    state.levels ^= bit;
    if (level) state.irr |= bit;
    else state.irr &= ~bit;
  }

  request(input: number): void {
    this.state.irr |= 1 << input;
  }

  /**
   * The input that INT asks for: the highest unmasked request above all that is in service; −1: none. In special mask
   * mode only the input's own service blocks it (data sheet, "Special mask mode").
   */
  get pending(): number {
    const { irr, imr, isr, lowest, specialMask, expects } = this.state;
    // Our choice: no request is made during an initialization.
    if (expects !== 0) return -1;
    const requests = irr & ~imr;
    if (requests === 0) return -1;
    for (let rank = 1; rank <= 8; rank++) {
      const input = (lowest + rank) & LAST;
      const bit = 1 << input;
      if ((isr & bit) !== 0 && !(specialMask && (imr & bit) !== 0)) return -1;
      if ((requests & bit) !== 0) return input;
    }
    return -1;
  }

  /** INTA: the input that is now in service; 7 where the request has gone (data sheet, "Interrupt sequence"). */
  acknowledge(): number {
    const input = this.pending;
    if (input < 0) return LAST;
    const { state } = this;
    const bit = 1 << input;
    state.irr &= ~bit;
    if (!state.autoEoi) state.isr |= bit;
    else if (state.rotateOnAutoEoi) state.lowest = input;
    return input;
  }

  vector(input: number): number {
    return this.state.base + input;
  }

  readCommand(): number {
    const { state } = this;
    if (state.poll) return this.readPoll();
    return state.readIsr ? state.isr : state.irr;
  }

  readData(): number {
    return this.state.poll ? this.readPoll() : this.state.imr;
  }

  /** A poll is an acknowledge: bit 7 and the input, or 0 (data sheet, "Poll command"). */
  private readPoll(): number {
    this.state.poll = false;
    return this.pending < 0 ? 0 : 0x80 | this.acknowledge();
  }

  writeCommand(byte: number): void {
    if ((byte & ICW1.INIT) !== 0) this.initialize(byte);
    else if ((byte & OCW3.SELECT) !== 0) this.writeOcw3(byte);
    else this.writeOcw2(byte);
  }

  /** ICW1: edges are sensed anew, the mask is cleared, input 7 has the lowest priority (data sheet, "ICW1"). */
  private initialize(byte: number): void {
    if ((byte & ICW1.LEVEL) !== 0)
      throw new UnmodelledError('8259A ICW1.LTIM: level-triggered inputs');
    if ((byte & ICW1.SINGLE) !== 0)
      throw new UnmodelledError('8259A ICW1.SNGL: a single controller');
    const { base, levels } = this.state;
    this.state = {
      ...new Controller(base, this.master).state,
      imr: 0,
      levels,
      expects: 2,
      wantsIcw4: (byte & ICW1.ICW4) !== 0,
    };
  }

  writeData(byte: number): void {
    const { state } = this;
    switch (state.expects) {
      case 2:
        state.base = byte & ICW2_BASE;
        state.expects = 3;
        break;
      case 3:
        this.checkCascade(byte);
        if (!state.wantsIcw4) throw new UnmodelledError('8259A without ICW4: 8085 mode');
        state.expects = 4;
        break;
      case 4:
        if ((byte & ICW4.X86) === 0) throw new UnmodelledError('8259A ICW4.uPM: 8085 mode');
        if ((byte & ICW4.NESTED) !== 0) throw new UnmodelledError('8259A ICW4.SFNM');
        state.autoEoi = (byte & ICW4.AUTO_EOI) !== 0;
        state.expects = 0;
        break;
      default:
        state.imr = byte;
    }
  }

  /** ICW3: of the first controller the inputs that have others, of the second its number (data sheet, "ICW3"). */
  private checkCascade(byte: number): void {
    const wired = this.master ? 1 << 2 : 2;
    if (byte !== wired) throw new UnmodelledError("8259A ICW3: another wiring than the PC/AT's");
  }

  private writeOcw2(byte: number): void {
    const { state } = this;
    const level = byte & OCW2.LEVEL;
    const rotate = (byte & OCW2.ROTATE) !== 0;
    const specific = (byte & OCW2.SPECIFIC) !== 0;
    if ((byte & OCW2.EOI) !== 0) {
      const input = specific ? level : this.highestInService();
      if (input < 0) return;
      state.isr &= ~(1 << input);
      if (rotate) state.lowest = input;
    } else if (specific && rotate) state.lowest = level;
    else if (!specific) state.rotateOnAutoEoi = rotate;
  }

  /** The input in service of the highest priority; in special mask mode masked ones are passed over. */
  private highestInService(): number {
    const { isr, imr, lowest, specialMask } = this.state;
    for (let rank = 1; rank <= 8; rank++) {
      const input = (lowest + rank) & LAST;
      const bit = 1 << input;
      if ((isr & bit) !== 0 && !(specialMask && (imr & bit) !== 0)) return input;
    }
    return -1;
  }

  private writeOcw3(byte: number): void {
    const { state } = this;
    if ((byte & OCW3.MASK_CHANGE) !== 0) state.specialMask = (byte & OCW3.MASK_ON) !== 0;
    state.poll = (byte & OCW3.POLL) !== 0;
    if ((byte & OCW3.READ_CHANGE) !== 0) state.readIsr = (byte & OCW3.READ_ISR) !== 0;
  }

  snapshot(): ControllerState {
    return { ...this.state };
  }
  restore(state: ControllerState): void {
    this.state = { ...state };
  }
}

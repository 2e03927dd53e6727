/** The state of one decoding: prefixes, ModRM, and the bytes from which operands are read. */
import {
  BASE_RIP,
  MAX_LENGTH,
  NO_REGISTER,
  NO_SEGMENT,
  SEGMENT,
  type CodeWidth,
  type ImmediateOperand,
  type MemoryOperand,
  type PointerOperand,
  type RelativeOperand,
} from './instruction.js';

/** Thrown inside the decoder where the bytes end, or after the 15th. */
export class BytesEnd extends Error {}

/** Base and index registers of 16-bit addresses by ModRM.r/m (APM vol. 3, table A-33): BX 3, BP 5, SI 6, DI 7. */
const ADDRESS_16 = [
  [3, 6],
  [3, 7],
  [5, 6],
  [5, 7],
  [6, NO_REGISTER],
  [7, NO_REGISTER],
  [5, NO_REGISTER],
  [3, NO_REGISTER],
] as const;
/** ModRM.mod 3. */
const MOD_REGISTER = 0xc0;
const ESP = 4;
const EBP = 5;

export class Cursor {
  /** Offset of the next byte. */
  at: number;
  rex = false;
  rexW = false;
  /** REX.R, X and B (VEX's inverted bits) as 0 or 8, and EVEX's further bits as 0 or 16. */
  extendReg = 0;
  extendIndex = 0;
  extendBase = 0;
  vvvv = 0;
  vectorSize = 16;
  lock = false;
  /** The last of F2 and F3, else 0. */
  repeat = 0;
  operandPrefix = false;
  addressPrefix = false;
  /** The segment override; NO_SEGMENT without one. */
  segment: number = NO_SEGMENT;
  operandSize = 4;
  opcode = 0;
  private modRm = 0;
  /** Offset past ModRM, SIB and displacement, once read. */
  private address: Omit<MemoryOperand, 'size'> | null = null;

  constructor(
    readonly bytes: Uint8Array,
    readonly start: number,
    readonly end: number,
    readonly width: CodeWidth,
  ) {
    this.at = start;
  }

  get length(): number {
    return this.at - this.start;
  }
  get mod(): number {
    return this.modRm >> 6;
  }
  get reg(): number {
    return ((this.modRm >> 3) & 7) | this.extendReg;
  }
  get rm(): number {
    return (this.modRm & 7) | this.extendBase;
  }
  get modRmReg(): number {
    return (this.modRm >> 3) & 7;
  }
  get modRmRm(): number {
    return this.modRm & 7;
  }
  get opcodeRegister(): number {
    return (this.opcode & 7) | this.extendBase;
  }
  /** APM vol. 3, table 1-3. */
  get addressSize(): number {
    if (this.width === 64) return this.addressPrefix ? 4 : 8;
    return (this.width === 32) === this.addressPrefix ? 2 : 4;
  }

  byte(): number {
    if (this.at >= this.end || this.at - this.start >= MAX_LENGTH) throw new BytesEnd();
    return this.bytes[this.at++] ?? 0;
  }
  peek(): number {
    const value = this.byte();
    this.at--;
    return value;
  }
  private word(): number {
    const low = this.byte();
    return low | (this.byte() << 8);
  }
  private double(): number {
    const low = this.word();
    return low | (this.word() << 16);
  }
  /** A little-endian value of 1, 2 or 4 bytes, sign-extended to 32 bits. */
  private signed(size: number): number {
    if (size === 1) return (this.byte() << 24) >> 24;
    return size === 2 ? (this.word() << 16) >> 16 : this.double();
  }

  /**
   * Reads ModRM, and with it SIB and displacement, so that immediates can follow.
   *
   * @param register whether r/m is a register, whatever mod is.
   */
  readModRm(register: boolean): void {
    this.modRm = this.byte() | (register ? MOD_REGISTER : 0);
    if (this.mod !== 3) this.address = this.addressSize === 2 ? this.address16() : this.address32();
  }

  /** The memory operand of ModRM. */
  memory(size: number): MemoryOperand | null {
    return this.address === null ? null : { ...this.address, size };
  }

  private displacement(): number {
    if (this.mod === 1) return this.signed(1);
    return this.mod === 2 ? this.signed(this.addressSize === 2 ? 2 : 4) : 0;
  }

  private made(
    base: number,
    index: number,
    scale: number,
    displacement: number,
  ): Omit<MemoryOperand, 'size'> {
    const stack = base === ESP || base === EBP;
    const { segment, addressSize } = this;
    return {
      kind: 'memory',
      segment: segment === NO_SEGMENT ? (stack ? SEGMENT.ss : SEGMENT.ds) : segment,
      base,
      index,
      scale,
      displacement,
      displacementHigh: displacement >> 31,
      addressSize,
    };
  }

  private address16(): Omit<MemoryOperand, 'size'> {
    const { modRmRm: rm, mod } = this;
    if (mod === 0 && rm === 6) return this.made(NO_REGISTER, NO_REGISTER, 1, this.signed(2));
    const [base, index] = ADDRESS_16[rm] ?? [NO_REGISTER, NO_REGISTER];
    return this.made(base, index, 1, this.displacement());
  }

  /** ModRM and SIB of 32 and 64 bits (APM vol. 3, 1.4.1 to 1.4.4). */
  private address32(): Omit<MemoryOperand, 'size'> {
    const { mod, modRmRm: rm } = this;
    if (rm !== ESP) {
      if (mod !== 0 || rm !== EBP) {
        return this.made(rm | this.extendBase, NO_REGISTER, 1, this.displacement());
      }
      // In 64-bit mode the disp32 form is relative to RIP; neither base extension changes that.
      const base = this.width === 64 ? BASE_RIP : NO_REGISTER;
      return this.made(base, NO_REGISTER, 1, this.signed(4));
    }
    const sib = this.byte();
    const index = ((sib >> 3) & 7) | this.extendIndex;
    const field = sib & 7;
    const none = field === EBP && mod === 0;
    const base = none ? NO_REGISTER : field | this.extendBase;
    const scale = 1 << (sib >> 6);
    const displacement = none ? this.signed(4) : this.displacement();
    return this.made(base, index === ESP ? NO_REGISTER : index, scale, displacement);
  }

  /** An immediate of `bytes` bytes, sign-extended to `size`. */
  immediate(bytes: number, size: number): ImmediateOperand {
    if (bytes === 8) {
      const low = this.double();
      return { kind: 'immediate', size, low, high: this.double() };
    }
    const value = this.signed(bytes);
    if (size === 8) return { kind: 'immediate', size, low: value, high: value >> 31 };
    const low = size === 4 ? value : value & (2 ** (8 * size) - 1);
    return { kind: 'immediate', size, low, high: 0 };
  }

  /** A branch offset; with an operand size of 16 bits the target is truncated (APM vol. 3, JMP Near). */
  relative(size: number): RelativeOperand {
    return { kind: 'relative', size: this.operandSize, offset: this.signed(size) };
  }

  /** MOV with an absolute address, of the address size (APM vol. 3, MOV). */
  absolute(size: number): MemoryOperand {
    const { addressSize } = this;
    const displacement = addressSize === 2 ? this.word() : this.double();
    const displacementHigh = addressSize === 8 ? this.double() : 0;
    return {
      ...this.made(NO_REGISTER, NO_REGISTER, 1, displacement),
      displacementHigh,
      size,
    };
  }

  pointer(): PointerOperand {
    const { operandSize: size } = this;
    const offset = size === 2 ? this.word() : this.double();
    return { kind: 'pointer', size: size + 2, offset, selector: this.word() };
  }
}

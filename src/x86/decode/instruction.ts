/** A decoded instruction: its form, operands, sizes, prefixes and length. */

/** The width of code: the operating mode's default (APM vol. 1, 1.2; vol. 3, 1.2.2). */
export type CodeWidth = 16 | 32 | 64;

/** Files of registers. `bnd`, `k` and `tmm` are not AMD's, but kernels contain their encodings. */
export type RegisterFile =
  'gpr' | 'segment' | 'control' | 'debug' | 'x87' | 'mmx' | 'xmm' | 'ymm' | 'zmm' | 'k';

/** Segment registers by number (APM vol. 3, table 1-10). */
export const SEGMENT = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5 } as const;
/** The number of a segment where there is none. */
export const NO_SEGMENT = -1;
/** The number of a base or index register where there is none. */
export const NO_REGISTER = -1;
/** The number of the base register for RIP (in 64-bit mode, ModRM.mod 0 with r/m 5; APM vol. 3, 1.4.2). */
export const BASE_RIP = 16;

export interface RegisterOperand {
  readonly kind: 'register';
  readonly file: RegisterFile;
  /** Bytes. */
  readonly size: number;
  readonly number: number;
  /** AH, CH, DH or BH: bits 15:8 of registers 0 to 3; `number` is that register's. */
  readonly high: boolean;
}

export interface MemoryOperand {
  readonly kind: 'memory';
  /** Bytes that are accessed; 0: none, or not a fixed number. */
  readonly size: number;
  /** The segment in force: the override, else the default of the base register. */
  readonly segment: number;
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  /** The displacement, sign-extended, as two halves. */
  readonly displacement: number;
  readonly displacementHigh: number;
  /** Bytes of the address: 2, 4 or 8. */
  readonly addressSize: number;
}

export interface ImmediateOperand {
  readonly kind: 'immediate';
  /** Bytes of the value, after the extension. */
  readonly size: number;
  readonly low: number;
  readonly high: number;
}

/** A branch target relative to the next instruction. */
export interface RelativeOperand {
  readonly kind: 'relative';
  /** Bytes of the instruction pointer that results: 2, 4 or 8. */
  readonly size: number;
  readonly offset: number;
}

/** A far pointer in the instruction (not in 64-bit mode). */
export interface PointerOperand {
  readonly kind: 'pointer';
  readonly size: number;
  readonly selector: number;
  readonly offset: number;
}

export type Operand =
  RegisterOperand | MemoryOperand | ImmediateOperand | RelativeOperand | PointerOperand;

/** A row of the opcode tables: a mnemonic with its operands' codes (operand-codes.ts). */
export interface Form {
  readonly mnemonic: string;
  readonly operands: readonly string[];
  readonly flags: ReadonlySet<string>;
}

export interface Instruction {
  readonly form: Form;
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
  /** The effective operand size in bytes: 2, 4 or 8 (APM vol. 3, table 1-2). */
  readonly operandSize: number;
  /** The effective address size in bytes: 2, 4 or 8 (APM vol. 3, table 1-3). */
  readonly addressSize: number;
  /** The repeat prefix that is not part of the opcode: 0, 0xf2 or 0xf3. */
  readonly repeat: number;
  readonly lock: boolean;
  /** Bytes. */
  readonly length: number;
}

/** The outcome of a decoding that gave no instruction. */
export interface Undecoded {
  /** `truncated`: the bytes end within the instruction. `invalid`: no instruction has this encoding (#UD). */
  readonly undecoded: 'truncated' | 'invalid' | 'too-long';
  /** Bytes that were read. */
  readonly length: number;
}

export function isUndecoded(result: Instruction | Undecoded): result is Undecoded {
  return 'undecoded' in result;
}

/** APM vol. 3, 1.1: an instruction has at most 15 bytes. */
export const MAX_LENGTH = 15;

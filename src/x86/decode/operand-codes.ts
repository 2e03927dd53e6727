/**
 * Operand codes of the opcode tables: a letter for where the operand is, and a size (APM vol. 3, appendix A).
 *
 * Letters: `E` ModRM.r/m as general register or memory, `R` register only, `M` memory only, `G` ModRM.reg, `Z` the
 * opcode's bits 2:0, `S` `C` `D` segment, control and debug register in ModRM.reg, `I` immediate, `J` branch offset, `O`
 * absolute address, `A` far pointer, `X` DS:rSI, `Y` ES:rDI, `P` `Q` `N` MMX register in reg, in r/m or memory, in r/m,
 * `KDI` memory at DS:rDI, `V` `W` `U` `H` the same for XMM and VEX.vvvv, `B` general register in VEX.vvvv.
 *
 * Sizes: `b` 1, `w` 2, `d` 4, `q` 8, `t` 10, `o` 16 bytes, `x` the vector's, `v` the operand size, `z` the same but at most
 * 4, `y` 8 with REX.W, else 4, `m` 8 in 64-bit mode, else 4, `a` twice the operand size (BOUND), `p` a far pointer, `s` a
 * descriptor-table register. After a slash, the size of a memory operand.
 */
import {
  NO_REGISTER,
  NO_SEGMENT,
  SEGMENT,
  type MemoryOperand,
  type Operand,
  type RegisterFile,
  type RegisterOperand,
} from './instruction.js';
import type { Cursor } from './cursor.js';

const RDI = 7;
const RSI = 6;
const EXTENSION = 8;

/** Operands that the opcode itself names: register file, number and size code. */
const FIXED: ReadonlyMap<string, readonly [RegisterFile, number, string]> = new Map(
  Object.entries({
    AL: ['gpr', 0, 'b'],
    CL: ['gpr', 1, 'b'],
    AX: ['gpr', 0, 'w'],
    DX: ['gpr', 2, 'w'],
    EAX: ['gpr', 0, 'd'],
    ECX: ['gpr', 1, 'd'],
    eAX: ['gpr', 0, 'z'],
    rAX: ['gpr', 0, 'v'],
    arAX: ['gpr', 0, 'A'],
    ES: ['segment', SEGMENT.es, 'w'],
    CS: ['segment', SEGMENT.cs, 'w'],
    SS: ['segment', SEGMENT.ss, 'w'],
    DS: ['segment', SEGMENT.ds, 'w'],
    FS: ['segment', SEGMENT.fs, 'w'],
    GS: ['segment', SEGMENT.gs, 'w'],
    ST0: ['x87', 0, 't'],
  } as const),
);

/** Whether an operand code needs the ModRM byte. */
export function usesModRm(code: string): boolean {
  return code === 'STi' || (!FIXED.has(code) && /^[EGMRSCDVWUPQN]/.test(code));
}

const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries({ b: 1, w: 2, d: 4, q: 8, t: 10, o: 16 }),
);

/** Bytes of a size code. */
function sizeOf(cursor: Cursor, code: string): number {
  const fixed = NUMBERS.get(code);
  if (fixed !== undefined) return fixed;
  const { operandSize, width, rexW } = cursor;
  switch (code) {
    case '':
      return 0;
    case 'v':
      return operandSize;
    case 'z':
      return Math.min(operandSize, 4);
    case 'y':
      return rexW && width === 64 ? 8 : 4;
    case 'm':
      return width === 64 ? 8 : 4;
    case 'A':
      return cursor.addressSize;
    case 'a':
      return 2 * operandSize;
    case 'p':
      // APM vol. 3, CALL Far: a far pointer in memory has at most 32 bits of offset.
      return 2 + Math.min(operandSize, 4);
    case 's':
      return width === 64 ? 10 : 6;
    case 'x':
      return cursor.vectorSize;
    default:
      return Number(code);
  }
}

function register(file: RegisterFile, size: number, number: number): RegisterOperand {
  return { kind: 'register', file, size, number, high: false };
}

/** A general register; without a REX prefix, numbers 4 to 7 of a byte are AH to BH (APM vol. 3, 1.2.7). */
function general(cursor: Cursor, size: number, number: number): RegisterOperand {
  const high = size === 1 && number >= 4 && number < EXTENSION && !cursor.rex;
  return { kind: 'register', file: 'gpr', size, number: high ? number - 4 : number, high };
}

const VECTOR_FILES: Readonly<Record<number, RegisterFile>> = { 16: 'xmm', 32: 'ymm', 64: 'zmm' };
/** A vector register: the file of the operation's length. */
function vector(cursor: Cursor, code: string, number: number): RegisterOperand {
  const size = code === 'x' ? cursor.vectorSize : 16;
  return register(VECTOR_FILES[size] ?? 'xmm', size, number);
}

/** A memory operand of ModRM, or null where ModRM names a register. */
function memory(cursor: Cursor, size: number): MemoryOperand | null {
  return cursor.mod === 3 ? null : cursor.memory(size);
}

/** A string operand: no displacement; the segment of the source can be overridden, that of the destination not. */
function stringOperand(cursor: Cursor, base: number, size: number): MemoryOperand {
  const { addressSize, segment } = cursor;
  return {
    kind: 'memory',
    size,
    segment: base === RDI ? SEGMENT.es : segment === NO_SEGMENT ? SEGMENT.ds : segment,
    base,
    index: NO_REGISTER,
    scale: 1,
    displacement: 0,
    displacementHigh: 0,
    addressSize,
  };
}

/** DS:rDI of MASKMOVDQU, whose segment can be overridden. */
function maskedDestination(cursor: Cursor, size: number): MemoryOperand {
  const { segment } = cursor;
  const operand = stringOperand(cursor, RDI, size);
  return { ...operand, segment: segment === NO_SEGMENT ? SEGMENT.ds : segment };
}

/** An operand of ModRM.r/m: a register of one of two files, or memory. */
function registerOrMemory(
  cursor: Cursor,
  code: string,
  make: (number: number, size: string) => Operand,
): Operand {
  const [inRegister = '', inMemory = inRegister] = code.split('/');
  return memory(cursor, sizeOf(cursor, inMemory)) ?? make(cursor.rm, inRegister);
}

/** Registers that MOV CRn and MOV DRn can name (APM vol. 3): a missing control register is a #UD. */
const CONTROL_REGISTERS: ReadonlySet<number> = new Set([0, 2, 3, 4, 8]);
const SEGMENT_REGISTERS = 6;

type Reader = (cursor: Cursor, size: string) => Operand | null;

/** How each letter reads its operand; null: an invalid encoding. */
const LETTERS: Readonly<Record<string, Reader>> = {
  E: (c, code) => registerOrMemory(c, code, (n, size) => general(c, sizeOf(c, size), n)),
  R: (c, size) => (c.mod === 3 ? general(c, sizeOf(c, size), c.rm) : null),
  M: (c, code) => {
    const [small = '', large] = code.split('/');
    const size = large !== undefined && c.operandSize !== 2 ? large : small;
    return memory(c, sizeOf(c, size));
  },
  G: (c, size) => general(c, sizeOf(c, size), c.reg),
  Z: (c, size) => general(c, sizeOf(c, size), c.opcodeRegister),
  B: (c, size) => general(c, sizeOf(c, size), c.vvvv),
  S: (c) => ((c.reg & 7) < SEGMENT_REGISTERS ? register('segment', 2, c.reg & 7) : null),
  C: (c, size) => {
    // APM vol. 3, MOV CRn: LOCK selects CR8 outside 64-bit mode.
    const number = c.lock ? c.reg | EXTENSION : c.reg;
    return CONTROL_REGISTERS.has(number) ? register('control', sizeOf(c, size), number) : null;
  },
  D: (c, size) => (c.reg < EXTENSION ? register('debug', sizeOf(c, size), c.reg) : null),
  P: (c) => register('mmx', 8, c.reg & 7),
  Q: (c, code) => registerOrMemory(c, code, (n) => register('mmx', 8, n & 7)),
  N: (c) => (c.mod === 3 ? register('mmx', 8, c.rm & 7) : null),
  V: (c, size) => vector(c, size, c.reg),
  W: (c, code) => registerOrMemory(c, code, (n, size) => vector(c, size, n)),
  U: (c, size) => (c.mod === 3 ? vector(c, size, c.rm) : null),
  H: (c, size) => vector(c, size, c.vvvv),
  X: (c, size) => stringOperand(c, RSI, sizeOf(c, size)),
  Y: (c, size) => stringOperand(c, RDI, sizeOf(c, size)),
  I: (c, size) => {
    // `s` is a byte that is extended to the operand size; `z` is too, in 64-bit operations.
    if (size === 's') return c.immediate(1, c.operandSize);
    const bytes = sizeOf(c, size);
    return c.immediate(bytes, size === 'z' ? c.operandSize : bytes);
  },
  J: (c, size) => c.relative(sizeOf(c, size)),
  O: (c, size) => c.absolute(sizeOf(c, size)),
  A: (c) => c.pointer(),
};
const READERS: ReadonlyMap<string, Reader> = new Map(Object.entries(LETTERS));

/** Reads the operand of a code; null: an invalid encoding. */
export function readOperand(cursor: Cursor, code: string): Operand | null {
  const fixed = FIXED.get(code);
  if (fixed !== undefined) {
    const [file, number, size] = fixed;
    return register(file, sizeOf(cursor, size), number);
  }
  if (code === 'STi') return register('x87', 10, cursor.rm & 7);
  if (code === '1') return { kind: 'immediate', size: 1, low: 1, high: 0 };
  if (code.startsWith('KDI')) return maskedDestination(cursor, sizeOf(cursor, code.slice(3)));
  return READERS.get(code.charAt(0))?.(cursor, code.slice(1)) ?? null;
}

/** Arithmetic, logic and shifts, with the flags that the operations of alu.ts and shifts.ts record. */
import type { Operand } from '../decode/instruction.js';
import { OP } from './code.js';
import { LOCAL, type Context } from './context.js';
import { cut, push, write } from './operand-code.js';
import { BINARY, CARRYING, COMPARE, isZeroShift, ROTATE, SHIFT, STEP } from './traits.js';

type Kind = 'add' | 'subtract' | 'logic';
const OPERATIONS: ReadonlyMap<string, readonly [Kind, number]> = new Map<
  string,
  readonly [Kind, number]
>([
  ['add', ['add', OP.i64Add]],
  ['adc', ['add', OP.i64Add]],
  ['sub', ['subtract', OP.i64Sub]],
  ['sbb', ['subtract', OP.i64Sub]],
  ['cmp', ['subtract', OP.i64Sub]],
  ['neg', ['subtract', OP.i64Sub]],
  ['and', ['logic', OP.i64And]],
  ['test', ['logic', OP.i64And]],
  ['or', ['logic', OP.i64Or]],
  ['xor', ['logic', OP.i64Xor]],
]);

/** Whether the instruction is one of these; its code is made then. */
export function alu(context: Context): boolean {
  const { code, instruction, flags, seen } = context;
  const { mnemonic, operands } = instruction;
  const [first, second] = operands;
  if (first === undefined) return false;
  const { size } = first;
  const [kind, op] = OPERATIONS.get(mnemonic) ?? ['logic', OP.i64And];
  const compute = (): void => {
    code.get(LOCAL.A);
    code.get(LOCAL.B);
    code.op(op);
    if (CARRYING.has(mnemonic)) {
      code.get(LOCAL.CARRY);
      code.op(OP.i64ExtendI32U, op);
    }
    if (kind !== 'logic') cut(code, size);
    code.set(LOCAL.RESULT);
  };
  if (BINARY.has(mnemonic) && second !== undefined) {
    if (CARRYING.has(mnemonic)) {
      flags.carry();
      code.set(LOCAL.CARRY);
    }
    // The source is read first, as the operation does.
    push(context, second);
    code.set(LOCAL.B);
    push(context, first);
    code.set(LOCAL.A);
    compute();
    write(context, first, LOCAL.RESULT, true);
    flags.record(kind, size, seen);
    if (CARRYING.has(mnemonic)) flags.resultOnly();
    return true;
  }
  if (COMPARE.has(mnemonic) && second !== undefined) {
    push(context, first);
    code.set(LOCAL.A);
    push(context, second);
    code.set(LOCAL.B);
    compute();
    flags.record(kind, size, seen);
    return true;
  }
  if (mnemonic === 'neg') {
    code.i64(0, 0);
    code.set(LOCAL.A);
    push(context, first);
    code.set(LOCAL.B);
    compute();
    write(context, first, LOCAL.RESULT, true);
    flags.record(kind, size, seen);
    return true;
  }
  if (mnemonic === 'not') {
    push(context, first);
    code.i64(-1, -1);
    code.op(OP.i64Xor);
    cut(code, size);
    code.set(LOCAL.VALUE);
    write(context, first, LOCAL.VALUE, true);
    return true;
  }
  if (STEP.has(mnemonic)) {
    step(context, first, mnemonic === 'inc');
    return true;
  }
  if (second?.kind !== 'immediate') return false;
  if (ROTATE.has(mnemonic) && !seen) {
    rotate(context, first, second.low);
    return true;
  }
  if (!SHIFT.has(mnemonic)) return false;
  shift(context, first, second.low);
  return true;
}

/** INC and DEC. */
function step(context: Context, first: Operand, up: boolean): void {
  const { code, flags } = context;
  const { size } = first;
  flags.carry();
  code.set(LOCAL.CARRY);
  push(context, first);
  code.set(LOCAL.A);
  code.i64(1, 0);
  code.set(LOCAL.B);
  code.get(LOCAL.A);
  code.get(LOCAL.B);
  code.op(up ? OP.i64Add : OP.i64Sub);
  cut(code, size);
  code.set(LOCAL.RESULT);
  write(context, first, LOCAL.RESULT, true);
  flags.step(up, size);
}

/** ROL and ROR of a register by a constant, whose flags nothing sees. */
function rotate(context: Context, first: Operand, count: number): void {
  const { code, instruction, flags } = context;
  const { size } = first;
  const bits = 8 * size;
  const n = (count & (size === 8 ? 63 : 31)) % bits;
  const left = instruction.mnemonic === 'rol' ? n : (bits - n) % bits;
  push(context, first);
  code.i64(left, 0);
  if (size === 8) code.op(OP.i64Rotl);
  else {
    code.op(OP.i64Shl);
    push(context, first);
    code.i64(bits - left, 0);
    code.op(OP.i64ShrU, OP.i64Or);
    cut(code, size);
  }
  code.set(LOCAL.VALUE);
  write(context, first, LOCAL.VALUE);
  flags.forget();
}

/** SHL, SHR and SAR by a constant of at most the size. */
function shift(context: Context, first: Operand, count: number): void {
  const { code, flags, instruction, seen } = context;
  const { mnemonic } = instruction;
  const { size } = first;
  const n = count & (size === 8 ? 63 : 31);
  push(context, first);
  if (isZeroShift(instruction)) {
    // A 32-bit register is zero-extended all the same.
    code.set(LOCAL.VALUE);
    write(context, first, LOCAL.VALUE, true);
    return;
  }
  const left = mnemonic === 'shl' || mnemonic === 'sal';
  const signed = mnemonic === 'sar';
  if (signed && size < 8) {
    code.op(size === 4 ? OP.i64Extend32S : size === 2 ? OP.i64Extend16S : OP.i64Extend8S);
  }
  code.tee(LOCAL.A);
  code.i64(n, 0);
  code.op(left ? OP.i64Shl : signed ? OP.i64ShrS : OP.i64ShrU);
  if (left || signed) cut(code, size);
  code.set(LOCAL.RESULT);
  write(context, first, LOCAL.RESULT, true);
  /** Puts bit `k` of a local on the stack. */
  const bit = (local: number, k: number): void => {
    code.get(local);
    code.i64(k, 0);
    code.op(OP.i64ShrU);
    code.i64(1, 0);
    code.op(OP.i64And);
  };
  const carry = (): void => bit(LOCAL.A, left ? 8 * size - n : n - 1);
  const overflow = (): void => {
    if (signed) {
      code.i64(0, 0);
    } else if (left) {
      bit(LOCAL.RESULT, 8 * size - 1);
      carry();
      code.op(OP.i64Xor);
    } else bit(LOCAL.A, 8 * size - 1);
  };
  flags.shift(size, carry, overflow, seen);
}

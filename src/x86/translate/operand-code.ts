/** The code of operands: effective addresses, reads and writes. Values are of 64 bits, zero-extended from the operand's size. */
import {
  BASE_RIP,
  NO_REGISTER,
  SEGMENT,
  type MemoryOperand,
  type Operand,
  type RegisterOperand,
} from '../decode/instruction.js';
import { MEMORY, OP, type Code } from './code.js';
import { constant, LOCAL, type Context } from './context.js';
import { helperIndex, loadOf, storeOf, type Helper } from './helpers.js';
import type { Layout } from './layout.js';
import { hasBase } from './traits.js';

/** The place of a register. */
export function placeOf(layout: Layout, { number, high }: RegisterOperand): number {
  return layout.registers + 8 * number + (high ? 1 : 0);
}

/** Puts a register of 64 bits on the stack. */
export function pushRegister({ code, layout }: Context, number: number): void {
  code.load(MEMORY.i64Load, layout.registers + 8 * number);
}

/** Cuts what is on the stack to a size. */
export function cut(code: Code, size: number): void {
  if (size === 8) return;
  code.i64(size === 4 ? -1 : (1 << (8 * size)) - 1, 0);
  code.op(OP.i64And);
}

/** Puts the effective address of an operand on the stack, without a segment's base. */
export function pushEffective(context: Context, operand: MemoryOperand): void {
  const { code, next } = context;
  const { base, index, scale, displacement, displacementHigh } = operand;
  if (base === BASE_RIP) {
    constant(code, next + displacement);
    return;
  }
  let empty = true;
  const add = (): void => {
    if (!empty) code.op(OP.i64Add);
    empty = false;
  };
  if (base !== NO_REGISTER) {
    pushRegister(context, base);
    add();
  }
  if (index !== NO_REGISTER) {
    pushRegister(context, index);
    if (scale > 1) {
      code.i64(31 - Math.clz32(scale), 0);
      code.op(OP.i64Shl);
    }
    add();
  }
  if (empty || displacement !== 0 || displacementHigh !== 0) {
    code.i64(displacement, displacementHigh);
    add();
  }
}

/** Puts the linear address of a memory operand on the stack. */
function pushAddress(context: Context, operand: MemoryOperand): void {
  const { code, layout } = context;
  pushEffective(context, operand);
  const { segment } = operand;
  if (!hasBase(segment)) return;
  code.load(MEMORY.i64Load32U, layout.segmentLow + 4 * segment);
  code.load(MEMORY.i64Load32U, layout.segmentHigh + 4 * segment);
  code.i64(32, 0);
  code.op(OP.i64Shl, OP.i64Or, OP.i64Add);
}

const stackOf = ({ segment }: MemoryOperand): number => (segment === SEGMENT.ss ? 1 : 0);
const helper = (name: 'load' | 'store', size: number): number =>
  helperIndex(`${name}${String(size)}` as Helper);

/** Puts an operand on the stack. The address of one in memory is in LOCAL.ADDRESS afterwards. */
export function push(context: Context, operand: Operand): void {
  const { code, layout, mark } = context;
  const { size } = operand;
  if (operand.kind === 'memory') {
    mark();
    pushAddress(context, operand);
    code.tee(LOCAL.ADDRESS);
    code.i32(stackOf(operand));
    code.call(helper('load', size));
  } else if (operand.kind === 'register') {
    code.load(loadOf(size), placeOf(layout, operand));
  } else if (operand.kind === 'immediate') {
    const { low, high } = operand;
    if (size === 8) code.i64(low, high);
    else code.i64(size === 4 ? low : low & ((1 << (8 * size)) - 1), 0);
  } else throw new RangeError(operand.kind);
}

/** Writes a destination whose value is in a local. @param read it was read before: its address is in LOCAL.ADDRESS. */
export function write(context: Context, operand: Operand, value: number, read = false): void {
  const { code, layout, mark } = context;
  const { size } = operand;
  if (operand.kind === 'memory') {
    if (!read) {
      mark();
      pushAddress(context, operand);
    } else code.get(LOCAL.ADDRESS);
    code.get(value);
    code.i32(stackOf(operand));
    code.call(helper('store', size));
    code.set(LOCAL.STOP);
    return;
  }
  if (operand.kind !== 'register') throw new RangeError(operand.kind);
  // A 32-bit result is zero-extended (APM vol. 1, 3.1.2.3).
  const op = size === 4 ? MEMORY.i64Store : storeOf(size);
  code.store(op, placeOf(layout, operand), () => code.get(value));
}

/** Pushes a value of 64 bits: RSP changes after the store. */
export function pushOnStack(context: Context, value: () => void): void {
  const { code, layout, mark } = context;
  const rsp = layout.registers + 8 * 4;
  mark();
  code.load(MEMORY.i64Load, rsp);
  code.i64(-8, -1);
  code.op(OP.i64Add);
  code.tee(LOCAL.ADDRESS);
  value();
  code.i32(1);
  code.call(helperIndex('store8'));
  code.set(LOCAL.STOP);
  code.store(MEMORY.i64Store, rsp, () => code.get(LOCAL.ADDRESS));
}

/** Puts the value of 64 bits at the address of a register on the stack; the segment is that of the stack. */
export function pushFromStack(context: Context, register: number): void {
  const { code, mark } = context;
  mark();
  pushRegister(context, register);
  code.i32(1);
  code.call(helperIndex('load8'));
}

/** Sets RSP to a register plus 8. */
export function raiseStack(context: Context, from: number): void {
  const { code, layout } = context;
  code.store(MEMORY.i64Store, layout.registers + 8 * 4, () => {
    pushRegister(context, from);
    code.i64(8, 0);
    code.op(OP.i64Add);
  });
}

/** Moves, extensions, LEA, conditional moves and sets, PUSH, POP and LEAVE. */
import { RAX, RBP, RDX, RSP } from '../core.js';
import type { Instruction, Operand } from '../decode/instruction.js';
import { MEMORY, OP } from './code.js';
import { LOCAL, type Context } from './context.js';
import {
  cut,
  placeOf,
  push,
  pushEffective,
  pushFromStack,
  pushOnStack,
  pushRegister,
  raiseStack,
  write,
} from './operand-code.js';
import { CONVERSIONS, NOTHING } from './traits.js';

/** Whether the instruction is one of these; its code is made then. */
export function move(context: Context): boolean {
  const { code, instruction } = context;
  const { mnemonic, operands } = instruction;
  const [first, second] = operands;
  if (NOTHING.has(mnemonic)) return true;
  if (CONVERSIONS.has(mnemonic)) {
    convert(context, instruction);
    return true;
  }
  if (mnemonic === 'leave') {
    pushFromStack(context, RBP);
    code.set(LOCAL.VALUE);
    raiseStack(context, RBP);
    set(context, RBP, LOCAL.VALUE);
    return true;
  }
  if (first === undefined) return false;
  if (mnemonic === 'push') {
    push(context, first);
    code.set(LOCAL.VALUE);
    pushOnStack(context, () => code.get(LOCAL.VALUE));
    return true;
  }
  if (mnemonic === 'pop') {
    pushFromStack(context, RSP);
    code.set(LOCAL.VALUE);
    raiseStack(context, RSP);
    write(context, first, LOCAL.VALUE);
    return true;
  }
  if (mnemonic.startsWith('set')) {
    if (!context.flags.condition(mnemonic.slice(3))) return false;
    code.op(OP.i64ExtendI32U);
    code.set(LOCAL.VALUE);
    write(context, first, LOCAL.VALUE);
    return true;
  }
  return second !== undefined && moveFrom(context, mnemonic, first, second);
}

/** Instructions with a destination and a source. */
function moveFrom(context: Context, mnemonic: string, first: Operand, second: Operand): boolean {
  const { code } = context;
  if (mnemonic.startsWith('cmov')) return conditional(context, mnemonic.slice(4), first, second);
  if (mnemonic === 'mov' || mnemonic === 'movzx') push(context, second);
  else if (mnemonic === 'movsx' || mnemonic === 'movsxd') {
    push(context, second);
    signExtend(context, second.size);
    cut(code, first.size);
  } else if (mnemonic === 'lea' && second.kind === 'memory') {
    pushEffective(context, second);
    cut(code, first.size);
  } else return false;
  code.set(LOCAL.VALUE);
  write(context, first, LOCAL.VALUE);
  return true;
}

function signExtend({ code }: Context, size: number): void {
  if (size === 4) code.op(OP.i64Extend32S);
  else if (size < 4) code.op(size === 2 ? OP.i64Extend16S : OP.i64Extend8S);
}

/** CMOVcc: the source is read in both cases, and a 32-bit destination is zero-extended in both. */
function conditional(context: Context, suffix: string, first: Operand, second: Operand): boolean {
  const { code, layout, flags } = context;
  if (first.kind !== 'register') return false;
  push(context, second);
  code.set(LOCAL.VALUE);
  if (!flags.condition(suffix)) return false;
  const high = placeOf(layout, first) + 4;
  code.if(
    () => write(context, first, LOCAL.VALUE),
    first.size === 4 ? () => code.storeI32(high, 0) : undefined,
  );
  return true;
}

/** Sets a register of 64 bits to a local. */
function set({ code, layout }: Context, number: number, local: number): void {
  code.store(MEMORY.i64Store, layout.registers + 8 * number, () => code.get(local));
}

/** CDQE, CWDE, CDQ and CQO. */
function convert(context: Context, { mnemonic }: Instruction): void {
  const { code } = context;
  pushRegister(context, RAX);
  if (mnemonic === 'cwde') {
    code.op(OP.i64Extend16S);
    cut(code, 4);
  } else if (mnemonic !== 'cqo') code.op(OP.i64Extend32S);
  if (mnemonic === 'cqo' || mnemonic === 'cdq') {
    code.i64(63, 0);
    code.op(OP.i64ShrS);
    if (mnemonic === 'cdq') cut(code, 4);
  }
  code.set(LOCAL.VALUE);
  set(context, mnemonic === 'cqo' || mnemonic === 'cdq' ? RDX : RAX, LOCAL.VALUE);
}

/** Near branches and calls, relative and indirect, and near returns. */
import { vaAdd } from '../../machine/address.js';
import { RSP } from '../core.js';
import type { Operand } from '../decode/instruction.js';
import { MEMORY, OP } from './code.js';
import { constant, LOCAL, setRip, type Context } from './context.js';
import { helperIndex } from './helpers.js';
import { CELL } from './layout.js';
import { push, pushFromStack, pushOnStack, raiseStack } from './operand-code.js';

/** Whether the instruction is one of these; its code is made then. */
export function branch(context: Context): boolean {
  const { code, layout, instruction, next, go, goTo, leave, flags } = context;
  const { mnemonic, operands } = instruction;
  if (mnemonic === 'ret') {
    pushFromStack(context, RSP);
    code.set(LOCAL.VALUE);
    checkTarget(context);
    raiseStack(context, RSP);
    goTo(LOCAL.VALUE);
    return true;
  }
  const [operand] = operands;
  if (operand === undefined) return false;
  if (operand.kind !== 'relative') return indirect(context, operand);
  const target = vaAdd(next, operand.offset);
  if (mnemonic === 'jmp') {
    go(target, 0);
    return true;
  }
  if (mnemonic === 'call') {
    pushOnStack(context, () => constant(code, next));
    code.get(LOCAL.STOP);
    code.if(() => {
      setRip(code, layout, target);
      leave(() => code.i32(1));
    });
    go(target, 0);
    return true;
  }
  if (!flags.condition(mnemonic.slice(1))) return false;
  code.if(() => go(target, 1));
  go(next, 0);
  return true;
}

/** JMP and CALL to an address in a register or in memory. */
function indirect(context: Context, operand: Operand): boolean {
  const { code, layout, instruction, next, leave, goTo } = context;
  const { mnemonic } = instruction;
  if (mnemonic !== 'jmp' && mnemonic !== 'call') return false;
  push(context, operand);
  code.set(LOCAL.VALUE);
  checkTarget(context);
  if (mnemonic === 'jmp') {
    goTo(LOCAL.VALUE);
    return true;
  }
  pushOnStack(context, () => constant(code, next));
  code.store(MEMORY.i64Store, layout.cell(CELL.RIP), () => code.get(LOCAL.VALUE));
  leave(() => code.get(LOCAL.STOP));
  return true;
}

/** A #GP where the target in LOCAL.VALUE is not canonical (APM vol. 2, 1.1.3). */
function checkTarget({ code, mark }: Context): void {
  code.get(LOCAL.VALUE);
  code.i64(0, 0x8000);
  code.op(OP.i64Add);
  code.i64(48, 0);
  code.op(OP.i64ShrU, OP.i64Eqz, OP.i32Eqz);
  code.if(() => {
    mark();
    code.call(helperIndex('gp'));
    code.op(OP.drop);
  });
}

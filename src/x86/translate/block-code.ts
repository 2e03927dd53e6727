/** The code of one block: its instructions in their order, up to the branch or to the next block. */
import type { Va } from '../../machine/address.js';
import type { Block } from '../block.js';
import { BRANCHES } from '../control-flow.js';
import type { Instruction } from '../decode/instruction.js';
import type { Op } from '../operands.js';
import { alu } from './alu-code.js';
import { branch } from './branch-code.js';
import { MEMORY, OP, type Code } from './code.js';
import { LOCAL, setRip, type Context } from './context.js';
import { FlagCode } from './flag-code.js';
import { helperIndex } from './helpers.js';
import { CELL, type Layout } from './layout.js';
import { move } from './move-code.js';
import { recordIsSeen, traitsOf } from './traits.js';

/** What a block's code needs of its region. */
export interface Exits {
  /** The number of the block at an address; undefined: the region has none. */
  numberOf(target: Va): number | undefined;
  /** Blocks that follow calls: a return may go to them. */
  readonly returns: readonly { readonly at: Va; readonly number: number }[];
  /** The number by which the code calls an operation. */
  operation(op: Op): number;
}

/** Adds the code of a block. @param around blocks of WebAssembly between it and the region's loop. */
export function blockCode(
  code: Code,
  layout: Layout,
  block: Block,
  exits: Exits,
  around: number,
): void {
  const { ops, instructions, addresses, branches } = block;
  const flags = new FlagCode(code, layout);
  const traits = instructions.map((each) => traitsOf(each));
  const left = layout.cell(CELL.LEFT);
  const countDown = (n: number): void => {
    code.store(MEMORY.i32Store, left, () => {
      code.load(MEMORY.i32Load, left);
      code.i32(n);
      code.op(OP.i32Sub);
    });
  };
  const goOn = (number: number, depth: number): void => {
    code.i32(number);
    code.set(LOCAL.BLOCK);
    code.branch(around + depth);
  };
  const goUncounted = (target: Va, depth: number): void => {
    const number = exits.numberOf(target);
    if (number !== undefined) {
      goOn(number, depth);
      return;
    }
    setRip(code, layout, target);
    code.i32(0);
    code.op(OP.return);
  };
  const go = (target: Va, depth: number): void => {
    countDown(ops.length);
    goUncounted(target, depth);
  };
  const goTo = (local: number): void => {
    countDown(ops.length);
    for (const { at, number } of exits.returns) {
      code.get(local);
      code.i64(at | 0, Math.floor(at / 2 ** 32));
      code.op(OP.i64Eq);
      code.if(() => goOn(number, 1));
    }
    code.store(MEMORY.i64Store, layout.cell(CELL.RIP), () => code.get(local));
    code.i32(0);
    code.op(OP.return);
  };
  const leaveAt = (i: number, stop: () => void): void => {
    countDown(i + 1);
    stop();
    code.op(OP.return);
  };
  const one = (): void => code.i32(1);
  for (const [i, op] of ops.entries()) {
    const instruction = instructions[i];
    const here = addresses[i] ?? block.start;
    const next = addresses[i + 1] ?? here;
    const mark = (): void => {
      code.store(MEMORY.i64Store, layout.cell(CELL.MARK), () => {
        code.i64(((here | 0) << 8) | i, Math.floor(here / 2 ** 24));
      });
    };
    const seen = recordIsSeen(traits, i);
    const leave = (stop: () => void): void => leaveAt(i, stop);
    if (
      instruction !== undefined &&
      traits[i]?.translated === true &&
      codeOf({ code, layout, instruction, flags, seen, next, mark, go, goTo, leave })
    ) {
      // A store may have met code: the rest of the block must not run.
      if (traits[i].stores && !isBranch(instruction)) {
        code.get(LOCAL.STOP);
        code.if(() => {
          setRip(code, layout, next);
          leaveAt(i, one);
        });
      }
      continue;
    }
    flags.forget();
    mark();
    code.i32(exits.operation(op));
    if (i === ops.length - 1 && branches) {
      // It sets RIP.
      code.call(helperIndex('branch'));
      code.set(LOCAL.STOP);
      leaveAt(i, () => code.get(LOCAL.STOP));
      continue;
    }
    code.call(helperIndex('operation'));
    code.if(() => {
      setRip(code, layout, next);
      leaveAt(i, one);
    });
  }
  const after = addresses[ops.length];
  if (!branches && after !== undefined) go(after, 0);
}

const isBranch = (instruction: Instruction): boolean => BRANCHES.has(instruction.mnemonic);

/** Adds the code of an instruction, if it has one. */
function codeOf(context: Context): boolean {
  return alu(context) || move(context) || branch(context);
}

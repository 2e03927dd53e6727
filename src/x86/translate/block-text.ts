/** The text of one block: its instructions in their order, up to the branch or to the next block. */
import type { Va } from '../../machine/address.js';
import type { Block } from '../code-cache.js';
import { BRANCHES } from '../control-flow.js';
import type { Instruction } from '../decode/instruction.js';
import type { Op } from '../operands.js';
import { alu } from './alu-text.js';
import { branch } from './branch-text.js';
import { FlagText } from './flag-text.js';
import { move } from './move-text.js';
import { Operands } from './operand-text.js';
import { recordIsSeen, traitsOf } from './traits.js';

export interface Exits {
  /** Goes on at an address; the variable `n` counts all instructions before it. */
  go(target: Va): string;
  /** Goes on at an address of two halves, if the region has a block there that follows a call. */
  returned(low: string, high: string): string[];
  /** The name of an operation. */
  operation(op: Op): string;
  /** The number of a place: what the variable `at` is where an instruction may fault. */
  place(address: Va, number: number): string;
}

/** What the text of an instruction is made with. */
export interface Context {
  readonly instruction: Instruction;
  readonly operands: Operands;
  readonly flags: FlagText;
  /** Whether anything may see the flags that the instruction records. */
  readonly seen: boolean;
  readonly next: Va;
  /** Text that counts the whole block and goes on at an address. */
  readonly go: (target: Va) => string;
  /** Text that counts the whole block and leaves the region; RIP is set. */
  readonly leave: string;
  /** Text that counts the whole block and goes on at an address of two halves, which RIP is. */
  readonly returned: (low: string, high: string) => string[];
  /** Text before an access that may fault. */
  readonly mark: string;
}

/** The text of a block, without its entry. */
export function blockText(block: Block, exits: Exits): string[] {
  const { ops, instructions, addresses, branches } = block;
  const flags = new FlagText();
  const operands = new Operands();
  const count = `n += ${String(ops.length)};`;
  const traits = instructions.map((each) => traitsOf(each));
  const lines: string[] = [];
  const leaveAt = (i: number): string => `core.retired = start + n + ${String(i + 1)}; return;`;
  for (const [i, op] of ops.entries()) {
    const instruction = instructions[i];
    const here = addresses[i] ?? block.start;
    const next = addresses[i + 1] ?? here;
    const mark = `at = ${exits.place(here, i)};`;
    const context = instruction && {
      instruction,
      operands,
      flags,
      seen: recordIsSeen(traits, i),
      next,
      go: (target: Va) => `${count} ${exits.go(target)}`,
      returned: (low: string, high: string) => [
        count,
        ...exits.returned(low, high),
        'core.retired = start + n; return;',
      ],
      leave: `${count} core.retired = start + n; return;`,
      mark,
    };
    const text = context && traits[i]?.translated === true ? textOf(context) : undefined;
    if (text !== undefined) {
      lines.push(...text);
      // A store may have met code: the rest of the block must not run.
      if (traits[i]?.stores === true && !isBranch(instruction)) {
        lines.push(`if (core.stop) { core.rip = ${String(next)}; ${leaveAt(i)} }`);
      }
      continue;
    }
    flags.forget();
    lines.push(mark, 'core.retired = start + n;', `${exits.operation(op)}();`);
    if (i === ops.length - 1 && branches) lines.push(leaveAt(i));
    else lines.push(`if (core.stop) { core.rip = ${String(next)}; ${leaveAt(i)} }`);
  }
  const after = addresses[ops.length];
  const last = instructions.at(-1);
  const ended =
    branches && (last === undefined || instructions.length < ops.length || isBranch(last));
  if (!ended && after !== undefined) lines.push(`${count} ${exits.go(after)}`);
  return lines;
}

const isBranch = (instruction: Instruction | undefined): boolean =>
  instruction !== undefined && BRANCHES.has(instruction.mnemonic);

/** The text of an instruction, if it has one. */
function textOf(context: Context): string[] | undefined {
  return alu(context) ?? move(context) ?? branch(context);
}

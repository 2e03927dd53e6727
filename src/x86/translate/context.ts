/** What the code of an instruction is made with. */
import type { Va } from '../../machine/address.js';
import type { Instruction } from '../decode/instruction.js';
import type { Code } from './code.js';
import type { FlagCode } from './flag-code.js';
import { CELL, type Layout } from './layout.js';
import { MEMORY } from './code.js';

/** Locals of a region's function. */
export const LOCAL = {
  /** The number of the block to run: the parameter. */
  BLOCK: 0,
  /** Whether a store has ended the run. */
  STOP: 1,
  /** CF before INC or DEC. */
  CARRY: 2,
  /** Operands and result of the last operation that recorded flags, zero-extended. */
  A: 3,
  B: 4,
  RESULT: 5,
  /** The address of a destination in memory. */
  ADDRESS: 6,
  VALUE: 7,
} as const;

export interface Context {
  readonly code: Code;
  readonly layout: Layout;
  readonly instruction: Instruction;
  readonly flags: FlagCode;
  /** Whether anything may see the flags that the instruction records. */
  readonly seen: boolean;
  readonly next: Va;
  /** Before what may fault: says which instruction runs. */
  readonly mark: () => void;
  /** Counts the whole block and goes on at an address. `depth`: blocks of the instruction's code around it. */
  readonly go: (target: Va, depth: number) => void;
  /** Counts the whole block and goes on at the address in a local. */
  readonly goTo: (local: number) => void;
  /** Counts the whole block and returns; RIP is set. What is on the stack says whether the run ends. */
  readonly leave: (stop: () => void) => void;
}

/** Sets RIP to a constant. */
export function setRip(code: Code, layout: Layout, at: Va): void {
  code.store(MEMORY.i64Store, layout.cell(CELL.RIP), () => constant(code, at));
}

/** An address as a constant. */
export function constant(code: Code, at: number): void {
  code.i64(at | 0, Math.floor(at / 2 ** 32));
}

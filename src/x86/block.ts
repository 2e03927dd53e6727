/** Blocks of decoded instructions, and the pages of code that have them. */
import type { KeyId, Va } from '../machine/address.js';
import type { Origin } from '../machine/types.js';
import type { CodeWidth, Instruction } from './decode/instruction.js';
import type { Op } from './operands.js';

/** Instructions up to a branch, with their operations. */
export interface Block {
  readonly start: Va;
  readonly ops: readonly Op[];
  readonly instructions: readonly Instruction[];
  /** The address of each instruction, and of the one after the last. */
  readonly addresses: readonly Va[];
  /** The last instruction sets RIP. */
  readonly branches: boolean;
  /** The page of the last instruction's end, if it is another. */
  readonly crosses: CodePage | null;
  /** The number of the bytes of `crosses` in which the block was made. */
  readonly crossesId: number;
  readonly stops: boolean;
  /** The origin of its accesses. */
  readonly origin: Origin;
  /** The number of its page's bytes, and their place. */
  readonly id: number;
  readonly index: number;
  /** Two blocks that ran after it. */
  taken: Block | null;
  other: Block | null;
  /** Times that it was executed as it is. */
  runs: number;
  /** The number of the region that has it, and its number there. */
  region: number | null;
  entry: number;
}

/** A page of code under one translation. */
export interface CodePage {
  /** The number of these bytes: another one when they have changed. */
  id: number;
  readonly at: Va;
  readonly pa: number;
  readonly key: KeyId;
  readonly width: CodeWidth;
  /** Blocks by their numbers, and for each offset the number of the block there plus 1; 0: none. */
  blocks: Block[];
  readonly blockAt: Uint16Array;
  /** The lines that blocks use, as bits of two words, and their bytes. */
  readonly lines: Int32Array;
  readonly bytes: Uint8Array;
  /** For each line a slot of the cache that may hold it. */
  readonly slots: Int32Array;
}

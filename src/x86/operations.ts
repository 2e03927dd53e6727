/**
 * The operations of a CPU's code. What does not depend on the address is made once for all places with the same bytes: a
 * kernel has most of its instructions in many places, and an operation is a chain of closures.
 */
import { BRANCHES } from './control-flow.js';
import { BASE_RIP, type CodeWidth, type Instruction } from './decode/instruction.js';
import { operationOf } from './handlers.js';
import type { Op, Site } from './operands.js';
import { traitsOf } from './translate/traits.js';

/** An instruction, and its operation where that is the same at any address; null: it is made for each. */
interface Shared {
  readonly instruction: Instruction;
  readonly op: Op | null;
}

/** What an instruction does at a place. */
export interface Placed {
  readonly instruction: Instruction;
  readonly op: Op;
}

export class Operations {
  private readonly shared = new Map<CodeWidth, Map<string, Shared>>();

  /** @param bytes the instruction's */
  at(site: Site, bytes: Uint8Array): Placed {
    const { width } = site.core;
    let shared = this.shared.get(width);
    if (shared === undefined) this.shared.set(width, (shared = new Map<string, Shared>()));
    const key = String.fromCharCode(...bytes);
    let one = shared.get(key);
    if (one === undefined) {
      const { instruction } = site;
      one = { instruction, op: isPlaceless(instruction) ? operationOf(site) : null };
      shared.set(key, one);
    }
    const { instruction, op } = one;
    return { instruction, op: op ?? operationOf({ ...site, instruction }) };
  }
}

/** Whether an instruction does the same at any address, and at any place in its block. */
function isPlaceless(instruction: Instruction): boolean {
  if (BRANCHES.has(instruction.mnemonic) || !traitsOf(instruction).translated) return false;
  return instruction.operands.every(
    (operand) => operand.kind !== 'memory' || operand.base !== BASE_RIP,
  );
}

/**
 * Regions: blocks that run often, translated to one function of WebAssembly. It does what their operations do, in the
 * same order and with the same effect on the machine, registers, flags and counts; what has no translation calls the
 * operation. The operations remain: they run where code may not be generated, for blocks that seldom run, and for the last
 * instructions before a limit.
 */
import type { Va } from '../../machine/address.js';
import type { Block } from '../block.js';
import type { Op } from '../operands.js';
import { blockCode } from './block-code.js';
import { Code, I32, I64, MEMORY, moduleOf, OP } from './code.js';
import { LOCAL, setRip } from './context.js';
import { HELPER_IMPORTS, ONE_TO_ONE, TYPES } from './helpers.js';
import { CELL, type Layout } from './layout.js';

/** A block and its page: the block runs as it is while `valid[index]` is `id`. */
export interface PlacedBlock {
  readonly block: Block;
  readonly index: number;
  readonly id: number;
}

/** The most blocks and instructions of a region (our choice). */
const MOST_BLOCKS = 40;
const MOST_INSTRUCTIONS = 400;
/** A block joins a region if it ran at least once for this many runs of the first (our choice). */
const SHARE = 16;

/** The blocks that `first` leads to without a computed branch, nearest first. */
export function blocksAround(
  first: Block,
  blockAt: (at: Va) => PlacedBlock | undefined,
): PlacedBlock[] {
  const found = new Map<Va, PlacedBlock>();
  let size = 0;
  const add = (at: Va): void => {
    const next = blockAt(at);
    if (next === undefined || found.has(at) || !joins(next.block, first)) return;
    const { length } = next.block.ops;
    if (found.size === MOST_BLOCKS || size + length > MOST_INSTRUCTIONS) return;
    found.set(at, next);
    size += length;
  };
  add(first.start);
  for (const { block } of found.values()) targetsOf(block).forEach(add);
  return [...found.values()];
}

function joins(block: Block, first: Block): boolean {
  if (block.stops || block.crosses !== null || block.region !== null) return false;
  return block.runs * SHARE >= first.runs;
}

/** The addresses at which a block goes on, as far as its text says. */
export function targetsOf({ branches, addresses, instructions }: Block): Va[] {
  const next = addresses.at(-1);
  if (next === undefined) return [];
  const operand = branches ? instructions.at(-1)?.operands[0] : undefined;
  const target = operand?.kind === 'relative' ? [(next + operand.offset) as Va] : [];
  return [...target, next];
}

/**
 * The module of a region. Its function takes the number of a block and runs from there, until it comes to an address that
 * the region has not (0), or to a block that is not valid or longer than what is left, or the run ends (1). RIP is set.
 */
export function regionModule(
  blocks: readonly PlacedBlock[],
  layout: Layout,
  operation: (op: Op) => number,
  memoryPages: number,
): Uint8Array {
  const numbers = new Map(blocks.map(({ block }, number) => [block.start, number]));
  const returns = blocks.flatMap(({ block }) => {
    const at = returnOf(block);
    const number = at && numbers.get(at);
    return at === undefined || number === undefined ? [] : [{ at, number }];
  });
  const exits = { numberOf: (at: Va) => numbers.get(at), returns, operation };
  const code = new Code();
  /** The first `n` blocks: a branch out of the k-th nested block of WebAssembly goes to block k. */
  const nest = (n: number): void => {
    const placed = blocks[n - 1];
    if (placed === undefined) {
      code.get(LOCAL.BLOCK);
      code.branchTable(blocks.length);
      return;
    }
    code.block(() => nest(n - 1));
    blockEntry(code, layout, placed);
    blockCode(code, layout, placed.block, exits, blocks.length - n);
  };
  code.loop(() => nest(blocks.length));
  code.op(OP.unreachable);
  return moduleOf({
    types: TYPES,
    imports: HELPER_IMPORTS,
    functions: [
      {
        type: ONE_TO_ONE,
        locals: [I32, I32, ...Array.from({ length: 5 }, () => I64)],
        code,
        name: 'run',
      },
    ],
    memoryPages,
  });
}

/** What comes before a block: it runs if it is valid and not longer than what is left. */
function blockEntry(code: Code, layout: Layout, { block, index, id }: PlacedBlock): void {
  code.load(MEMORY.i32Load, layout.cell(CELL.LEFT));
  code.i32(block.ops.length);
  code.op(OP.i32LtS);
  code.load(MEMORY.i32Load, layout.valid + 4 * index);
  code.i32(id);
  code.op(OP.i32Ne, OP.i32Or);
  code.if(() => {
    setRip(code, layout, block.start);
    code.i32(1);
    code.op(OP.return);
  });
  code.storeI32(layout.cell(CELL.ORIGIN), block.origin);
}

/** Where a call that ends a block returns to. */
function returnOf({ instructions, addresses }: Block): Va | undefined {
  return instructions.at(-1)?.mnemonic === 'call' ? addresses.at(-1) : undefined;
}

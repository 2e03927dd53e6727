/**
 * Regions: blocks that run often, translated to one function of JavaScript. It does what their operations do, in
 * the same order and with the same effect on the machine, registers, flags and counts; what has no translation calls the
 * operation. The operations remain: they run where code may not be generated, for blocks that seldom run, and for the last
 * instructions before a limit.
 */
import type { Va } from '../../machine/address.js';
import type { Block } from '../code-cache.js';
import type { Core } from '../core.js';
import type { Op } from '../operands.js';
import { textOf } from './text.js';

/**
 * Runs blocks from the one with number `entry`, until one that the region has not, or that has more instructions than are
 * left of `limit`. Sets RIP and the count of retired instructions, also where an exception is thrown.
 */
export type Region = (entry: number, limit: number) => void;

/** A block and its page: the block runs as it is while `valid[index]` is `id`. */
export interface PlacedBlock {
  readonly block: Block;
  readonly index: number;
  readonly id: number;
}

/** The most blocks and instructions of a region (our choice: larger functions take V8 too long). */
const MOST_BLOCKS = 40;
const MOST_INSTRUCTIONS = 400;
/** A block joins a region if it ran at least once for this many runs of the first (our choice). */
const SHARE = 16;

/** Makes a region of the blocks that are reached from `first`, and enters it in those that have none. */
export function translateAround(
  core: Core,
  first: Block,
  valid: Int32Array,
  blockAt: (at: Va) => PlacedBlock | undefined,
): void {
  const blocks = blocksAround(first, blockAt);
  const region = blocks.length === 0 ? null : compile(core, blocks, valid);
  if (region === null) return;
  for (const [number, { block }] of blocks.entries()) {
    if (block.region !== null) continue;
    block.region = region;
    block.entry = number;
  }
}

/** The blocks that `first` leads to without a computed branch, nearest first. */
function blocksAround(first: Block, blockAt: (at: Va) => PlacedBlock | undefined): PlacedBlock[] {
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
  if (block.stops || block.crosses !== null) return false;
  return block.region !== null || block.runs * SHARE >= first.runs;
}

/** The addresses at which a block goes on, as far as its text says. */
export function targetsOf({ branches, addresses, instructions }: Block): Va[] {
  const next = addresses.at(-1);
  if (next === undefined) return [];
  const operand = branches ? instructions.at(-1)?.operands[0] : undefined;
  const target = operand?.kind === 'relative' ? [(next + operand.offset) as Va] : [];
  return [...target, next];
}

/** What the text of a region names. */
type Factory = (core: Core, operations: readonly Op[], valid: Int32Array) => Region;

function compile(core: Core, blocks: readonly PlacedBlock[], valid: Int32Array): Region | null {
  const { text, operations } = textOf(blocks);
  try {
    // The only code of the project that is made while it runs.
    const make = new Function('core', 'operations', 'valid', text) as Factory;
    return make(core, operations, valid);
  } catch (error) {
    // A page's content security policy forbids it.
    if (error instanceof EvalError) return null;
    throw error;
  }
}

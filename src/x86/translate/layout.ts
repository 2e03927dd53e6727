/** Where translated code finds the state of a core and of the cache: offsets in bytes in one memory. */
import { Arena } from '../../base/arena.js';
import type { DirectLines } from '../../machine/cache/direct-lines.js';
import type { Core } from '../core.js';

/** Words that translated code and its callers share. */
export const CELL = {
  /** Instructions that may still be executed: counted at the end of each block. */
  LEFT: 0,
  /** The origin of the accesses of the block that runs. */
  ORIGIN: 1,
  /** RIP after translated code has run, two halves. */
  RIP: 2,
  /** The instruction that may fault: its address times 256, plus its number in its block; two halves. */
  MARK: 4,
} as const;
const CELLS = 6;

/** Blocks that are found by address, direct-mapped (our choice): a power of two. */
export const TARGETS = 2 ** 14;
/** Words of a target: the address in two halves, the function's number in the table, the block's number in it. */
export const TARGET_WORDS = 4;

/** Bytes of an arena for the cells and targets of a core. */
export const LAYOUT_BYTES = Arena.sizeOf(4 * CELLS, 4 * TARGET_WORDS * TARGETS);

export class Layout {
  readonly cells: Int32Array;
  readonly targets: Int32Array;
  readonly registers: number;
  readonly flags: number;
  readonly segmentLow: number;
  readonly segmentHigh: number;
  readonly transfer: number;
  readonly reads: { readonly pages: number; readonly tags: number; readonly slots: number };
  readonly writes: { readonly pages: number; readonly tags: number; readonly slots: number };
  readonly lines: ReturnType<DirectLines['places']>;
  readonly valid: number;

  constructor(core: Core, valid: Int32Array, arena: Arena) {
    this.cells = arena.int32(CELLS);
    // No block begins at the address that is not canonical.
    this.targets = arena.int32(TARGET_WORDS * TARGETS).fill(0x7fff_ffff);
    const { memory } = core;
    this.registers = core.r.byteOffset;
    this.flags = core.flags.words.byteOffset;
    this.segmentLow = core.segmentLow.byteOffset;
    this.segmentHigh = core.segmentHigh.byteOffset;
    this.transfer = memory.bytes.byteOffset;
    const table = ({ pages, tags, slots }: typeof memory.reads): Layout['reads'] => ({
      pages: pages.byteOffset,
      tags: tags.byteOffset,
      slots: slots.byteOffset,
    });
    this.reads = table(memory.reads);
    this.writes = table(memory.writes);
    this.lines = core.cpu.behind.cache.direct.places();
    this.valid = valid.byteOffset;
  }

  /** The offset of a cell. */
  cell(index: number): number {
    return this.cells.byteOffset + 4 * index;
  }
  /** The offset of a word of the flags' record. */
  flag(index: number): number {
    return this.flags + 4 * index;
  }
}

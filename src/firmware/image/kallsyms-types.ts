/** Common to the readers of kallsyms' tables: the image's bytes, alignment, and the bound of the search. */

/** Alignment of the tables: ALGN in scripts/kallsyms.c for 64 bits; from 7.0 on its output_label aligns to 4. */
export const ALIGNS = [8, 4] as const;
export type Align = (typeof ALIGNS)[number];

/** The bytes of the segment that is searched, and a view of them. */
export interface Bytes {
  readonly u8: Uint8Array;
  readonly view: DataView;
  /** Virtual address of the first byte, sign-extended. */
  readonly vaddr: number;
}

export interface TokenTable {
  /** Offset of token_table. */
  readonly start: number;
  /** Offset of the end of token_index. */
  readonly end: number;
  readonly tokens: readonly string[];
}

export interface Names {
  /** Offset of num_syms. */
  readonly numSyms: number;
  readonly count: number;
  /** Offsets of the start and the end of each name's tokens. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

export const alignUp = (at: number, align: Align): number => Math.ceil(at / align) * align;
export const alignDown = (at: number, align: Align): number => Math.floor(at / align) * align;
export const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** The budget in steps: a constant, and per byte (our choice: a kernel takes less than one per byte). */
const STEPS = 20_000_000;
const STEPS_PER_BYTE = 2;

/** Bounds the steps of a search for any image. */
export class SearchBudget {
  private remaining: number;

  constructor(bytes: number) {
    this.remaining = STEPS + STEPS_PER_BYTE * bytes;
  }

  spend(steps: number): void {
    this.remaining -= steps;
  }

  get spent(): boolean {
    return this.remaining < 0;
  }
}

/** What the readers of kallsyms' parts share: the image's bytes, alignment, and the bound of the search. */

/** Alignment of the tables: ALGN in scripts/kallsyms.c for 64 bits; from 7.0 on its output_label aligns to 4. */
export const ALIGNS = [8, 4] as const;
export type Align = (typeof ALIGNS)[number];

/** The image's bytes in which the tables stand, and a view of them. */
export interface Bytes {
  readonly u8: Uint8Array;
  readonly view: DataView;
  /** Virtual address of the first of them, sign-extended. */
  readonly vaddr: number;
}

export interface TokenTable {
  /** Where token_table starts. */
  readonly start: number;
  /** Where token_index ends. */
  readonly end: number;
  readonly tokens: readonly string[];
}

export interface Names {
  /** Where num_syms stands. */
  readonly numSyms: number;
  readonly count: number;
  /** Where each name's tokens start, and where they end. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

export const alignUp = (at: number, align: Align): number => Math.ceil(at / align) * align;
export const alignDown = (at: number, align: Align): number => Math.floor(at / align) * align;
export const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** Steps for an image of no bytes, and for each byte (our choice: a kernel takes less than one for each byte). */
const STEPS = 20_000_000;
const STEPS_PER_BYTE = 2;

/** Counts the steps of a search, so that no image makes it endless. */
export class SearchBudget {
  private left: number;

  constructor(bytes: number) {
    this.left = STEPS + STEPS_PER_BYTE * bytes;
  }

  spend(steps: number): void {
    this.left -= steps;
  }

  get spent(): boolean {
    return this.left < 0;
  }
}

/** What the sanitizer gets from the program that runs the machine: names for its reports. It needs nothing else of a kernel. */
import type { Annotation } from './annotations.js';

/** The code that runs: a function, its source file, the patch and hunk. */
export interface Site {
  readonly in: string;
  readonly file?: string;
  readonly patch?: number;
  readonly hunk?: string;
}

/** A range of physical memory that another party put there or keeps: sizes in bytes. */
export interface OwnedRange {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  /** `reader`: it was filled for the kernel to read. `firmware`: firmware goes on using it, without the C-bit. */
  readonly use: 'reader' | 'firmware';
}

/** A variable that holds bits for page-table entries, the C-bit among them: sizes in bytes, at its physical address. */
export interface MaskVariable {
  readonly name: string;
  readonly base: number;
  readonly size: number;
}

export interface SanitizerHost {
  /** The annotations that the running code makes; rules that need others are not checked. */
  annotations(): readonly Annotation[];
  /** The code that runs now. */
  site(): Site;
  /** The number of the CPU that runs it. */
  cpu(): number;
  /** A number that changes whenever `site()` may give another answer. */
  version(): number;
  /** The label of the running boot step. */
  step(): string;
  /** The name of an interned origin of an access: a function or device. */
  nameOf(origin: number): string | undefined;
  /** A range as text, with its symbol or region. */
  rangeText(space: 'va' | 'pa', start: number, length: number): string;
  /** Ranges with an owner other than the running code, once memory is filled; they do not change. */
  owned(): readonly OwnedRange[];
  /** The masks, once memory is filled; undefined before. */
  masks(): readonly MaskVariable[] | undefined;
}

/** What the sanitizer is told by whoever runs the machine: names for its reports. It needs nothing else of a kernel. */

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

export interface SanitizerHost {
  /** The code that runs now. */
  site(): Site;
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
}

/** What the sanitizer is told by whoever runs the machine: names for its reports. It needs nothing else of a kernel. */

/** The code that runs: a function, its source file, the patch and hunk. */
export interface Site {
  readonly in: string;
  readonly file?: string;
  readonly patch?: number;
  readonly hunk?: string;
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
}

/** A command's streams and environment; tests pass their own. */
import type { ChalkInstance } from 'chalk';

export interface Output {
  write(text: string): void;
  /** Writes bytes; absent: they are written as Latin-1 text. */
  writeBytes?(bytes: Uint8Array): void;
  readonly isTTY: boolean;
  /** Of a terminal; 0 or undefined: it does not state its width. */
  readonly columns: number | undefined;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Paints for stdout; plain when colours are off. */
  paint: ChalkInstance;
  /** Paints for stderr; absent: plain. */
  paintError?: ChalkInstance;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds of a clock; absent: that of the process. */
  readonly now?: () => number;
  /** Asks on the terminal and returns the line; undefined at the end of input. Absent if there is no terminal. */
  readonly ask?: (question: string) => Promise<string | undefined>;
  /** A code of exit-codes.ts. */
  exitCode: number;
}

/** A command's streams and environment; tests pass their own. */
import type { ChalkInstance } from 'chalk';

export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number | undefined;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Paints for stdout; plain when colours are off. */
  paint: ChalkInstance;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A code of exit-codes.ts. */
  exitCode: number;
}

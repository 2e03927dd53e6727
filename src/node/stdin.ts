/** The standard input, as a file whose name is `-`. */
import { readSync } from 'node:fs';
import { systemCode } from './file-errors.js';
import { pause } from './write-all.js';

/** The name of the standard input among the files of a command. */
export const STDIN = '-';

/** What was read; each reader of `-` gets the same bytes. */
let read: Uint8Array | undefined;

/** The whole standard input: `readAll` reads it once. */
export function stdinBytes(readAll: () => Uint8Array): Uint8Array {
  read ??= readAll();
  return read;
}

/** Hands over what another thread has read: a worker has no standard input of its own. */
export function setStdin(bytes: Uint8Array | undefined): void {
  read = bytes;
}

/** What was read so far; undefined: nothing. */
export const stdinSoFar = (): Uint8Array | undefined => read;

/** Milliseconds between two attempts to read a non-blocking input (our choice). */
const PAUSE = 10;

/** As readSync; waits while an input that another program made non-blocking has nothing. */
export function readWaiting(fd: number, into: Uint8Array, offset: number, length: number): number {
  for (;;) {
    try {
      return readSync(fd, into, offset, length, null);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      pause(PAUSE);
    }
  }
}

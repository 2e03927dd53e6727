/** Synchronous writes to a descriptor. */
import { writeSync } from 'node:fs';
import { systemCode } from './file-errors.js';

/** Milliseconds between two attempts where the descriptor does not block. */
const RETRY_PAUSE = 5;
const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Waits for some milliseconds; Ctrl-C ends it. */
export function pause(milliseconds: number): void {
  Atomics.wait(never, 0, 0, milliseconds);
}

/** Writes all bytes. Waits where a pipe or terminal that does not block is full. Throws errors of the system. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
      pause(RETRY_PAUSE);
    }
  }
}

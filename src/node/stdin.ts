/** What can be read only once: the standard input, as a file whose name is `-`, and pipes. */
import { readSync, statSync } from 'node:fs';
import { systemCode } from './file-errors.js';
import { pause } from './write-all.js';

/** The name of the standard input among the files of a command. */
export const STDIN = '-';

/** What was read so far; each reader of a stream gets the same bytes. */
const read = new Map<string, Uint8Array>();

/** The name of a stream that is read only once: `-`, or a pipe by its device and inode; undefined: a file or a device. */
export function streamOf(file: string): string | undefined {
  if (file === STDIN) return STDIN;
  // Before it is opened: that would wait for another writer.
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFIFO() === true ? `${String(stats.dev)}:${String(stats.ino)}` : undefined;
}

/** All bytes of a stream: `readAll` reads them once. */
export function streamBytes(stream: string, readAll: () => Uint8Array): Uint8Array {
  const bytes = read.get(stream) ?? readAll();
  read.set(stream, bytes);
  return bytes;
}

/** Sets what a reader of the standard input gets; undefined: it is read. */
export function setStdin(bytes: Uint8Array | undefined): void {
  if (bytes === undefined) read.delete(STDIN);
  else read.set(STDIN, bytes);
}

/** What was read so far, for another thread. */
export const streamsSoFar = (): ReadonlyMap<string, Uint8Array> => read;

/** Takes over what another thread has read: a worker has no standard input of its own, and a pipe is empty by then. */
export function setStreams(streams: ReadonlyMap<string, Uint8Array>): void {
  for (const [stream, bytes] of streams) read.set(stream, bytes);
}

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

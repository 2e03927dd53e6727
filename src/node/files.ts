/** Reads and writes files for the command line: errors have a code and a place; a written file is whole. */
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { sourceOf, type ByteSource } from '../base/byte-source.js';
import { InputError } from '../base/errors.js';
import { LIMITS, limitError, type Limit } from '../base/limits.js';
import { decodeUtf8 } from '../base/utf8.js';
import { fileError } from './file-errors.js';
import { readWaiting, STDIN, streamBytes, streamOf } from './stdin.js';

export { kindOfPath } from './path-kind.js';
export { checkWritable, makeFolder, writeWhole } from './write-file.js';

/** Bytes of one read of a stream. */
const CHUNK = 1 << 20;

/** Calls `body` with an open file. Throws E_READ for errors of the system. */
function withFile<T>(file: string, body: (fd: number, stats: Stats) => T): T {
  try {
    const fd = openSync(file, 'r');
    try {
      return body(fd, fstatSync(fd));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError('E_READ', file, error);
  }
}

/** Reads into an array from a position of a file (null: the current one); returns the number of bytes read. */
function fill(fd: number, into: Uint8Array, position: number | null): number {
  let done = 0;
  while (done < into.length) {
    const at = position === null ? null : position + done;
    const count =
      at === null
        ? readWaiting(fd, into, done, into.length - done)
        : readSync(fd, into, done, into.length - done, at);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Reads up to the end of a file whose size is not known: a pipe, a device. Throws the limit's error. */
function readStream(fd: number, file: string, limit: Limit): Uint8Array {
  const bound = limit.most < LIMITS.stream.most ? limit : LIMITS.stream;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK);
    const count = fill(fd, chunk, null);
    length += count;
    if (length > bound.most) throw limitError(bound, 'more', { file });
    chunks.push(chunk.subarray(0, count));
    if (count < CHUNK) break;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The stream that a name means; undefined: a file or a device. Throws E_READ for errors of the system. */
function streamAt(file: string): string | undefined {
  try {
    return streamOf(file);
  } catch (error) {
    throw fileError('E_READ', file, error);
  }
}

/** All bytes of a stream, also if it was read before. Throws E_READ, and the limit's error. */
function readOnce(stream: string, file: string, limit: Limit): Uint8Array {
  try {
    const bytes = streamBytes(stream, () =>
      file === STDIN
        ? readStream(0, STDIN, limit)
        : withFile(file, (fd) => readStream(fd, file, limit)),
    );
    if (bytes.length > limit.most) throw limitError(limit, String(bytes.length), { file });
    return bytes;
  } catch (error) {
    throw fileError('E_READ', file, error);
  }
}

/**
 * The bytes of a file, or of stdin (`-`); those of a pipe or of stdin again for each reader. Throws E_READ, and the limit's
 * error before more than that is read.
 */
export function readBytes(file: string, limit: Limit = LIMITS.kernelFile): Uint8Array {
  const stream = streamAt(file);
  if (stream !== undefined) return readOnce(stream, file, limit);
  return withFile(file, (fd, stats) => {
    if (!stats.isFile() || stats.size === 0) return readStream(fd, file, limit);
    if (stats.size > limit.most) throw limitError(limit, String(stats.size), { file });
    const bytes = new Uint8Array(stats.size);
    return bytes.subarray(0, fill(fd, bytes, 0));
  });
}

/**
 * The bytes of a file, read on demand if it is a regular file, else at once. Throws E_READ, also from a later read: if the
 * file cannot be read any more or was changed.
 */
export function openBytes(file: string): ByteSource {
  if (streamAt(file) !== undefined) return sourceOf(readBytes(file));
  const first = withFile(file, (_fd, stats) => stats);
  if (!first.isFile() || first.size === 0) return sourceOf(readBytes(file));
  const readInto = (at: number, into: Uint8Array): void => {
    withFile(file, (fd, { size, mtimeMs, ino }) => {
      const same = size === first.size && mtimeMs === first.mtimeMs && ino === first.ino;
      if (same && fill(fd, into, at) === into.length) return;
      throw new InputError({
        code: 'E_READ',
        place: { file, offset: at },
        reason: 'the file was changed during the run',
      });
    });
  };
  return {
    length: first.size,
    readInto,
    read: (at, length) => {
      const bytes = new Uint8Array(length);
      readInto(at, bytes);
      return bytes;
    },
  };
}

/** The text of a file, or of stdin (`-`). Throws E_READ, the limit's error, and E_UTF8 for bytes that are not UTF-8. */
export function readText(file: string, limit: Limit = LIMITS.yamlFile): string {
  return decodeUtf8(file, readBytes(file, limit));
}

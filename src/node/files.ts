/** Files as the command line reads and writes them: errors with code and place, nothing half written. */
import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { sourceOf, type ByteSource } from '../base/byte-source.js';
import { InputError } from '../base/errors.js';

/** Why a file could not be had, in words, by the system's code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  ENOSPC: 'no space left',
  EROFS: 'the file system is read-only',
};

/** The most that is read of a file into memory; what has no size of its own (a pipe, a device) ends sooner (our choice). */
const FILE_MAX = 2 ** 31 - 1;
const STREAM_MAX = 2 ** 29;
const PIECE = 1 << 20;

function fileError(code: string, file: string, cause: unknown): InputError {
  if (cause instanceof InputError) return cause;
  const system = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : '';
  return new InputError({
    code,
    place: { file },
    reason: REASONS[String(system)] ?? String(system),
    cause,
  });
}

function tooLarge(file: string, most: number, found: string): InputError {
  return new InputError({
    code: 'E_FILE_TOO_LARGE',
    place: { file },
    expected: `at most ${String(most)} bytes`,
    found,
  });
}

/** Does something with an open file. Throws E_READ for what the system refuses. */
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

/** Fills an array from a position of a file on; how much of it there was. */
function fill(fd: number, into: Uint8Array, position: number | null): number {
  let done = 0;
  while (done < into.length) {
    const at = position === null ? null : position + done;
    const count = readSync(fd, into, done, into.length - done, at);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Reads up to the end, whatever size the system gives. */
function readStream(fd: number, file: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = new Uint8Array(PIECE);
    const count = fill(fd, piece, null);
    length += count;
    if (length > STREAM_MAX) throw tooLarge(file, STREAM_MAX, 'more');
    pieces.push(piece.subarray(0, count));
    if (count < PIECE) break;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The bytes of a file. Throws E_READ, and E_FILE_TOO_LARGE from 2 GiB on. */
export function readBytes(file: string): Uint8Array {
  return withFile(file, (fd, stats) => {
    if (!stats.isFile() || stats.size === 0) return readStream(fd, file);
    if (stats.size > FILE_MAX) throw tooLarge(file, FILE_MAX, String(stats.size));
    const bytes = new Uint8Array(stats.size);
    return bytes.subarray(0, fill(fd, bytes, 0));
  });
}

/**
 * The bytes of a file, read when they are needed; of what is no regular file, read now. Throws E_READ, also later: where
 * the file can no longer be read, or is no longer the same.
 */
export function openBytes(file: string): ByteSource {
  const first = withFile(file, (_fd, stats) => stats);
  if (!first.isFile() || first.size === 0) return sourceOf(readBytes(file));
  const readInto = (at: number, into: Uint8Array): void => {
    withFile(file, (fd, { size, mtimeMs, ino }) => {
      const same = size === first.size && mtimeMs === first.mtimeMs && ino === first.ino;
      if (same && fill(fd, into, at) === into.length) return;
      throw new InputError({
        code: 'E_READ',
        place: { file, offset: at },
        reason: 'the file was changed while it was read',
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

/** The text of a file. Throws E_READ. */
export function readText(file: string): string {
  return new TextDecoder().decode(readBytes(file));
}

/** Writes a file whole or not at all: to a name beside it, then renamed. Throws E_WRITE. */
export function writeWhole(file: string, data: string | Uint8Array): void {
  const beside = `${file}.${String(process.pid)}.part`;
  try {
    writeFileSync(beside, data);
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw fileError('E_WRITE', file, error);
  }
}

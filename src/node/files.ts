/** Files as the command line reads and writes them: errors with code and place, nothing half written. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { InputError } from '../trace/errors.js';

/** Why a file could not be had, in words, by the system's code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  ENOSPC: 'no space left',
  EROFS: 'the file system is read-only',
};

function fileError(code: string, file: string, cause: unknown): InputError {
  const system = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : '';
  return new InputError({
    code,
    place: { file },
    reason: REASONS[String(system)] ?? String(system),
    cause,
  });
}

/** The bytes of a file. Throws E_READ. */
export function readBytes(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw fileError('E_READ', file, error);
  }
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

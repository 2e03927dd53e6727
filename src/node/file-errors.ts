/** Errors of the file system as input errors. */
import { dirname } from 'node:path';
import { InputError } from '../base/errors.js';
import { own } from '../base/own.js';
import { Interrupted } from './interrupt.js';
import { nearFiles } from './near-files.js';

/** Reasons of file errors in words, by the system's error code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EEXIST: 'a file has that name',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is exceeded',
  EFBIG: 'the file is larger than the limit of the process or the file system',
  EIO: 'input/output error',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  ENXIO: 'it is a socket, or a device that is not there',
  EPIPE: 'the reader has closed the pipe',
  EBADF: 'it is closed, or not open for this',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
};

/** The system's code of an error; '' if it has none. */
export const systemCode = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';

/** System calls that change a file system. */
const WRITES = new Set(['write', 'mkdir', 'rename', 'unlink', 'rm', 'rmdir', 'ftruncate', 'fsync']);

/** An error of the system that no one has turned into an input error: one with a path is that; else as it is. */
export function known(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  if (!('path' in error && 'syscall' in error)) return error;
  return fileError(
    WRITES.has(String(error.syscall)) ? 'E_WRITE' : 'E_READ',
    String(error.path),
    error,
  );
}

/** An error of the system at a file. An InputError is returned as it is; throws Interrupted for EINTR. */
export function fileError(code: string, file: string, cause: unknown): Error {
  if (cause instanceof InputError || cause instanceof Interrupted) return cause;
  const system = systemCode(cause);
  if (system === 'EINTR') return new Interrupted();
  // An error without a code is not the system's: it is a fault of the program.
  if (system === '') return cause instanceof Error ? cause : new Error(String(cause));
  return new InputError({
    code,
    place: { file: file === '' ? '""' : file },
    reason:
      code === 'E_WRITE' && system === 'ENOENT'
        ? `there is no folder ${dirname(file)}`
        : (own(REASONS, system) ?? system),
    ...(code === 'E_READ' && system === 'ENOENT' && nearFiles(file)),
    cause,
  });
}

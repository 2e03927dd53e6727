/** Standard output and standard error, written synchronously: an error is known where it happens. */
import { fileError, systemCode } from './file-errors.js';
import { writeAll } from './write-all.js';

/** The streams by descriptor, as errors name them. */
const NAMES = { 1: 'standard output', 2: 'standard error' } as const;

/**
 * Returns a function that writes text or bytes to a descriptor. After its reader has closed the pipe (`| head`), text is dropped.
 * Throws E_WRITE.
 */
export function writerOf(fd: keyof typeof NAMES): (data: string | Uint8Array) => void {
  const encoder = new TextEncoder();
  let closed = false;
  return (data) => {
    if (closed) return;
    try {
      writeAll(fd, typeof data === 'string' ? encoder.encode(data) : data);
    } catch (error) {
      closed = systemCode(error) === 'EPIPE';
      if (!closed) throw fileError('E_WRITE', NAMES[fd], error);
    }
  };
}

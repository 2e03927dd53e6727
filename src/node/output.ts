/** Standard output and standard error, written synchronously: an error is known where it happens. */
import { fileError, systemCode } from './file-errors.js';
import { writeAll } from './write-all.js';

/** The streams by descriptor, as errors name them. */
const NAMES = { 1: 'standard output', 2: 'standard error' } as const;

/**
 * Returns a function that writes text to a descriptor. After its reader has closed the pipe (`| head`), text is dropped.
 * Throws E_WRITE.
 */
export function writerOf(fd: keyof typeof NAMES): (text: string) => void {
  const encoder = new TextEncoder();
  let closed = false;
  return (text) => {
    if (closed) return;
    try {
      writeAll(fd, encoder.encode(text));
    } catch (error) {
      closed = systemCode(error) === 'EPIPE';
      if (!closed) throw fileError('E_WRITE', NAMES[fd], error);
    }
  };
}

/** Decodes text that must be UTF-8. */
import { InputError } from './errors.js';

/** Whether the first `length` bytes have no invalid sequence; one may be cut at the end. */
function isValid(bytes: Uint8Array, length: number): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Offset of the first byte that is not UTF-8: the start of a sequence that is cut. */
function firstInvalid(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (middle <= bytes.length && isValid(bytes, middle)) good = middle;
    else bad = middle;
  }
  // The valid prefix may end within a sequence: its lead byte has the two highest bits set (RFC 3629, 3).
  for (let start = good - 1; start >= Math.max(0, good - 3); start--) {
    const byte = bytes[start] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return start + length > good ? start : good;
    }
  }
  return good;
}

/** The text of a file's bytes. Throws E_UTF8 with line and offset for bytes that are not UTF-8. */
export function decodeUtf8(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const offset = firstInvalid(bytes);
    let line = 1;
    for (let at = 0; at < offset; at++) if (bytes[at] === 0x0a) line++;
    throw new InputError({
      code: 'E_UTF8',
      place: { file, line, offset },
      expected: 'text in UTF-8',
      found: `byte 0x${(bytes[offset] ?? 0).toString(16)}`,
      cause,
    });
  }
}

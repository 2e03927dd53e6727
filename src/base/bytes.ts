/** Byte arrays: concatenation, comparison, and conversion to and from text of one byte a character. */

/** The concatenation of `parts`, as a new array. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** One byte a character: the low 8 bits of each UTF-16 unit. The inverse of `latin1` for characters below U+0100. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** One character a byte (ISO 8859-1), for any number of bytes. */
export function latin1(bytes: Iterable<number>): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Bytes as two hexadecimal digits each. @param separator between two bytes. */
export function hexBytes(bytes: Iterable<number>, separator = ''): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(separator);
}

/** Whether `a` and `b` have the same length and the same bytes. */
export function equalBytes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && startsWith(a, b);
}

/** Whether `all` begins with `first`; true if `first` is empty. */
export function startsWith(all: ArrayLike<number>, first: ArrayLike<number>): boolean {
  return hasBytesAt(all, 0, first);
}

/** Whether `all` holds `expected` at `offset`; false if `all` ends before `expected` does. */
export function hasBytesAt(
  all: ArrayLike<number>,
  offset: number,
  expected: ArrayLike<number>,
): boolean {
  if (offset + expected.length > all.length) return false;
  for (let i = 0; i < expected.length; i++) if (all[offset + i] !== expected[i]) return false;
  return true;
}

/** Offset of the first byte that differs, or the length of the shorter array; undefined if they are equal. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) if (a[at] !== b[at]) return at;
  return a.length === b.length ? undefined : common;
}

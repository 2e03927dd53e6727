/** Bytes: joined, compared, and as text of one byte a character. */

/** The pieces one after the other. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** One byte a character: the low 8 bits of each UTF-16 unit. The reverse of `latin1` for characters below U+0100. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** One character a byte (ISO 8859-1). Any length. */
export function latin1(bytes: Iterable<number>): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Whether two have the same length and the same bytes. */
export function equalBytes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && startsWith(a, b);
}

/** Whether bytes begin with others, of which there may be none. */
export function startsWith(all: ArrayLike<number>, first: ArrayLike<number>): boolean {
  return hasBytesAt(all, 0, first);
}

/** Whether others are at an offset; false where `all` ends before they do. */
export function hasBytesAt(
  all: ArrayLike<number>,
  offset: number,
  wanted: ArrayLike<number>,
): boolean {
  if (offset + wanted.length > all.length) return false;
  for (let i = 0; i < wanted.length; i++) if (all[offset + i] !== wanted[i]) return false;
  return true;
}

/** Offset of the first byte that differs, or where the shorter ends; undefined if they are equal. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) if (a[at] !== b[at]) return at;
  return a.length === b.length ? undefined : common;
}

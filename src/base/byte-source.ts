/** Bytes that are read where they are when they are needed: what is long is not held in memory for that. */
export interface ByteSource {
  /** How many there are. */
  readonly length: number;
  /** The bytes [at, at + length), which are there; an array that is not changed elsewhere. */
  read(at: number, length: number): Uint8Array;
  /** Fills an array with the bytes from `at` on. */
  readInto(at: number, into: Uint8Array): void;
}

/** Bytes that are read at once where all are wanted (our choice). */
const PIECE = 1 << 20;

/** Bytes in memory as a source. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    length: bytes.length,
    read: (at, length) => bytes.subarray(at, at + length),
    readInto: (at, into) => into.set(bytes.subarray(at, at + into.length)),
  };
}

/** A source as it is, bytes in memory as one. */
export function asSource(bytes: Uint8Array | ByteSource): ByteSource {
  return bytes instanceof Uint8Array ? sourceOf(bytes) : bytes;
}

/** All bytes of a source in their order, with the offset of each piece, which is good until the next one. */
export function* piecesOf(source: ByteSource): Generator<{ at: number; bytes: Uint8Array }> {
  const piece = new Uint8Array(Math.min(PIECE, source.length));
  for (let at = 0; at < source.length; at += PIECE) {
    const bytes = piece.subarray(0, Math.min(PIECE, source.length - at));
    source.readInto(at, bytes);
    yield { at, bytes };
  }
}

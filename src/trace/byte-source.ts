/** Bytes that are read where they are when somebody needs them: what is long is not held in memory for that. */
export interface ByteSource {
  /** How many there are. */
  readonly length: number;
  /** The bytes [at, at + length), which are there; an array that nobody else changes. */
  read(at: number, length: number): Uint8Array;
}

/** Bytes that are read at once where all are wanted (our choice). */
const PIECE = 1 << 20;

/** Bytes in memory as a source. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return { length: bytes.length, read: (at, length) => bytes.subarray(at, at + length) };
}

/** A source as it is, bytes in memory as one. */
export function asSource(bytes: Uint8Array | ByteSource): ByteSource {
  return bytes instanceof Uint8Array ? sourceOf(bytes) : bytes;
}

/** All bytes of a source in their order, with the offset of each piece. */
export function* piecesOf(source: ByteSource): Generator<{ at: number; bytes: Uint8Array }> {
  for (let at = 0; at < source.length; at += PIECE) {
    yield { at, bytes: source.read(at, Math.min(PIECE, source.length - at)) };
  }
}

/** A random-access source of bytes, read on demand: a large file need not be in memory as a whole. */
export interface ByteSource {
  /** Size in bytes. */
  readonly length: number;
  /** The bytes [at, at + length), which must be inside the source; the caller must not change the array. */
  read(at: number, length: number): Uint8Array;
  /** Fills `into` with the bytes from offset `at`; all of [at, at + into.length) must be inside the source. */
  readInto(at: number, into: Uint8Array): void;
}

/** Chunk size of a sequential read, in bytes (our choice). */
const CHUNK = 1 << 20;

/** A source over bytes in memory; it does not copy them. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    length: bytes.length,
    read: (at, length) => bytes.subarray(at, at + length),
    readInto: (at, into) => into.set(bytes.subarray(at, at + into.length)),
  };
}

/** `bytes` as a source; a source is returned unchanged. */
export function asSource(bytes: Uint8Array | ByteSource): ByteSource {
  return bytes instanceof Uint8Array ? sourceOf(bytes) : bytes;
}

/** All bytes of a source in order, chunk by chunk, each with its offset. A chunk is valid until the next is taken. */
export function* chunksOf(source: ByteSource): Generator<{ at: number; bytes: Uint8Array }> {
  const chunk = new Uint8Array(Math.min(CHUNK, source.length));
  for (let at = 0; at < source.length; at += CHUNK) {
    const bytes = chunk.subarray(0, Math.min(CHUNK, source.length - at));
    source.readInto(at, bytes);
    yield { at, bytes };
  }
}

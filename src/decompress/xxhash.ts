/** XXH32 and XXH64 (xxHash fast digest algorithm, doc/xxhash_spec.md), seed 0: the checksums of LZ4 frames and of Zstandard. */

const PRIME32 = [0, 0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1] as const;
const rotl = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** XXH32 of bytes, unsigned. */
export function xxh32(bytes: Uint8Array): number {
  const [, P1, P2, P3, P4, P5] = PRIME32;
  const view = viewOf(bytes);
  const { length } = bytes;
  const round = (acc: number, at: number): number =>
    Math.imul(rotl(acc + Math.imul(view.getInt32(at, true), P2), 13), P1);
  let at = 0;
  let hash: number;
  if (length >= 16) {
    let a = (P1 + P2) | 0;
    let b = P2 | 0;
    let c = 0;
    let d = -P1 | 0;
    for (; at + 16 <= length; at += 16) {
      a = round(a, at);
      b = round(b, at + 4);
      c = round(c, at + 8);
      d = round(d, at + 12);
    }
    hash = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
  } else {
    hash = P5;
  }
  hash = (hash + length) | 0;
  for (; at + 4 <= length; at += 4) {
    hash = Math.imul(rotl((hash + Math.imul(view.getInt32(at, true), P3)) | 0, 17), P4);
  }
  for (; at < length; at++) {
    hash = Math.imul(rotl((hash + Math.imul(view.getUint8(at), P5)) | 0, 11), P1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), P2);
  hash = Math.imul(hash ^ (hash >>> 13), P3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const P64_1 = 0x9e37_79b1_85eb_ca87n;
const P64_2 = 0xc2b2_ae3d_27d4_eb4fn;
const P64_3 = 0x1656_67b1_9e37_79f9n;
const P64_4 = 0x85eb_ca77_c2b2_ae63n;
const P64_5 = 0x27d4_eb2f_1656_67c5n;
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotl64 = (value: bigint, bits: bigint): bigint =>
  u64((value << bits) | (u64(value) >> (64n - bits)));
const round64 = (acc: bigint, lane: bigint): bigint =>
  u64(rotl64(u64(acc + lane * P64_2), 31n) * P64_1);
const merge64 = (acc: bigint, lane: bigint): bigint =>
  u64((acc ^ round64(0n, lane)) * P64_1 + P64_4);

/**
 * The four accumulators after all whole stripes, and the offset of the rest. 64-bit arithmetic by 32-bit halves: BigInt
 * takes ten times as long (measured on 60 MB).
 */
function stripes(bytes: Uint8Array): { acc: bigint[]; at: number } {
  // Each accumulator as low and high 32-bit halves.
  const acc = new Int32Array(8);
  const halves = (index: number, value: bigint): void => {
    acc[2 * index] = Number(BigInt.asIntN(32, value));
    acc[2 * index + 1] = Number(BigInt.asIntN(32, value >> 32n));
  };
  halves(0, P64_1 + P64_2);
  halves(1, P64_2);
  halves(2, 0n);
  halves(3, -P64_1);
  const view = viewOf(bytes);
  const p1 = 0x85eb_ca87 | 0;
  const p1h = 0x9e37_79b1 | 0;
  const p2 = 0x27d4_eb4f | 0;
  const p2h = 0xc2b2_ae3d | 0;
  let at = 0;
  for (; at + 32 <= bytes.length; at += 32) {
    for (let lane = 0; lane < 4; lane++) {
      const low = view.getInt32(at + 8 * lane, true);
      const high = view.getInt32(at + 8 * lane + 4, true);
      // acc + lane × PRIME64_2
      const product = Math.imul(low, p2);
      const productHigh = mulHigh(low, p2) + Math.imul(low, p2h) + Math.imul(high, p2);
      const before = acc[2 * lane] as number;
      const sum = (before + product) | 0;
      const carry = sum >>> 0 < before >>> 0 ? 1 : 0;
      const sumHigh = ((acc[2 * lane + 1] as number) + productHigh + carry) | 0;
      // rotated left by 31
      const l = (sum << 31) | (sumHigh >>> 1);
      const h = (sumHigh << 31) | (sum >>> 1);
      acc[2 * lane] = Math.imul(l, p1);
      acc[2 * lane + 1] = mulHigh(l, p1) + Math.imul(l, p1h) + Math.imul(h, p1);
    }
  }
  const whole = (index: number): bigint =>
    (BigInt((acc[2 * index + 1] as number) >>> 0) << 32n) |
    BigInt((acc[2 * index] as number) >>> 0);
  return { acc: [whole(0), whole(1), whole(2), whole(3)], at };
}

/** The upper 32 bits of the unsigned product of two 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const low = (middle & 0xffff) + a0 * b1;
  // `middle` can reach 2^32, so its upper half is computed by division.
  return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(low / 65536)) | 0;
}

/** XXH64 of bytes. */
export function xxh64(bytes: Uint8Array): bigint {
  const view = viewOf(bytes);
  const { length } = bytes;
  let at = 0;
  let hash = P64_5;
  if (length >= 32) {
    const { acc, at: end } = stripes(bytes);
    const [a = 0n, b = 0n, c = 0n, d = 0n] = acc;
    hash = u64(rotl64(a, 1n) + rotl64(b, 7n) + rotl64(c, 12n) + rotl64(d, 18n));
    for (const lane of acc) hash = merge64(hash, lane);
    at = end;
  }
  hash = u64(hash + BigInt(length));
  for (; at + 8 <= length; at += 8) {
    hash = u64(rotl64(hash ^ round64(0n, view.getBigUint64(at, true)), 27n) * P64_1 + P64_4);
  }
  if (at + 4 <= length) {
    hash ^= u64(BigInt(view.getUint32(at, true)) * P64_1);
    hash = u64(rotl64(hash, 23n) * P64_2 + P64_3);
    at += 4;
  }
  for (; at < length; at++) {
    hash ^= u64(BigInt(view.getUint8(at)) * P64_5);
    hash = u64(rotl64(hash, 11n) * P64_1);
  }
  hash = u64((hash ^ (hash >> 33n)) * P64_2);
  hash = u64((hash ^ (hash >> 29n)) * P64_3);
  return hash ^ (hash >> 32n);
}

/** The checksums of all compressed formats: CRCs and xxHash. */
import { describe, expect, test } from '@jest/globals';
import { crc32, crc32Bzip2, crc64 } from '../../src/decompress/crc.js';
import { xxh32, xxh64 } from '../../src/decompress/xxhash.js';
import { ascii, noise } from '../firmware/image/build.js';

const check = ascii('123456789');

describe('checksums', () => {
  // Check values from the catalogue of parametrised CRC algorithms: CRC-32/ISO-HDLC, CRC-32/BZIP2, CRC-64/XZ.
  test('CRC32, bzip2 CRC32 and CRC64 of "123456789" are the check values', () => {
    expect(crc32(check)).toBe(0xcbf4_3926);
    expect(crc32Bzip2(check)).toBe(0xfc89_1918);
    expect(crc64(check)).toBe('995dc9bbdf1939fa');
  });

  // From xxHash's documentation (seed 0).
  test('XXH32 and XXH64 of no bytes and of "abc" are the published values', () => {
    expect(xxh32(new Uint8Array(0))).toBe(0x02cc_5d05);
    expect(xxh32(ascii('abc'))).toBe(0x32d1_53ff);
    expect(xxh64(new Uint8Array(0))).toBe(0xef46_db37_51d8_e999n);
    expect(xxh64(ascii('abc'))).toBe(0x44bc_2cf5_ad77_0999n);
  });

  test('CRC32 by eight bytes at once equals CRC32 by single bytes, at every length and alignment', () => {
    const bytes = noise(64);
    for (let from = 0; from < 8; from++) {
      for (let to = from; to <= 64; to++) {
        let crc = ~0;
        for (const byte of bytes.subarray(from, to)) {
          crc ^= byte;
          for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
        }
        expect(crc32(bytes.subarray(from, to))).toBe(~crc >>> 0);
      }
    }
  });

  test('XXH64 by 32-bit halves equals XXH64 by BigInt, at every length', () => {
    const P1 = 0x9e37_79b1_85eb_ca87n;
    const P2 = 0xc2b2_ae3d_27d4_eb4fn;
    const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
    const rotl = (value: bigint, bits: bigint): bigint =>
      u64((value << bits) | (u64(value) >> (64n - bits)));
    const round = (acc: bigint, lane: bigint): bigint => u64(rotl(u64(acc + lane * P2), 31n) * P1);
    const bytes = noise(32, 77);
    const view = new DataView(bytes.buffer);
    const acc = [u64(P1 + P2), P2, 0n, u64(-P1)].map((start, lane) =>
      round(start, view.getBigUint64(8 * lane, true)),
    );
    const [a = 0n, b = 0n, c = 0n, d = 0n] = acc;
    let hash = u64(rotl(a, 1n) + rotl(b, 7n) + rotl(c, 12n) + rotl(d, 18n));
    for (const lane of acc) hash = u64((hash ^ round(0n, lane)) * P1 + 0x85eb_ca77_c2b2_ae63n);
    hash = u64(hash + 32n);
    hash = u64((hash ^ (hash >> 33n)) * P2);
    hash = u64((hash ^ (hash >> 29n)) * 0x1656_67b1_9e37_79f9n);
    expect(xxh64(bytes)).toBe(hash ^ (hash >> 32n));
  });
});

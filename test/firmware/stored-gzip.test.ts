import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { storedGzip } from '../../src/firmware/stored-gzip.js';

const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

describe('a gzip member of stored blocks', () => {
  test.each([0, 1, 65534, 65535, 65536, 131070, 131071, 200_000])(
    'of %d bytes is decompressed by zlib',
    (length) => {
      const bytes = bytesOf(length);
      const member = storedGzip(bytes);
      // zlib checks CRC32, ISIZE and NLEN.
      expect(Buffer.compare(gunzipSync(member), bytes)).toBe(0);
      expect(member.length).toBe(18 + 5 * Math.max(1, Math.ceil(length / 65535)) + length);
    },
  );

  test('has no time in its header, so that it is the same on every run', () => {
    expect([...storedGzip(bytesOf(3)).subarray(0, 15)]).toEqual([
      0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3, 1, 3, 0, 0xfc, 0xff,
    ]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { gzipSync as nodeGzip } from 'node:zlib';
import { gzip } from 'pako';
import { crc32 } from '../../src/decompress/crc.js';
import { decompress } from '../../src/decompress/decompress.js';
import { ascii, concat, noise, refusal } from '../firmware/image/build.js';

const place = { file: 'vmlinuz', base: 0x4000 };
const bytes = concat(noise(5000), new Uint8Array(20_000), noise(5000));
const packed = gzip(bytes);
const limit = 1 << 20;
const gunzip = (src: Uint8Array, size?: number, verify = true): Uint8Array =>
  decompress('gzip', src, { limit, place, verify, ...(size !== undefined && { size }) }).bytes;

describe('a gzip member', () => {
  test.each([
    ['pako', packed],
    ['zlib, deflated', new Uint8Array(nodeGzip(bytes))],
    ['zlib, stored', new Uint8Array(nodeGzip(bytes, { level: 0 }))],
  ])('packed by %s decompresses and reports the bytes consumed', (_packer, src) => {
    const followed = concat(src, ascii('070701'));
    expect(decompress('gzip', followed, { limit })).toEqual({ bytes, consumed: src.length });
  });

  test('may have a comment, extra fields, a name and a header CRC', () => {
    const body = packed.subarray(10);
    const head = packed.slice(0, 10);
    head[3] = 2 | 4 | 8 | 16;
    const fields = concat([3, 0, 1, 2, 3], ascii('vmlinux\0'), ascii('a kernel\0'));
    const check = crc32(concat(head, fields)) & 0xffff;
    const member = (crc: number): Uint8Array => concat(head, fields, [crc & 0xff, crc >> 8], body);
    expect(gunzip(member(check))).toEqual(bytes);
    const at = 0x4000 + head.length + fields.length;
    const wrong = refusal(() => gunzip(member(check ^ 1)));
    expect(wrong).toMatchObject({ code: 'E_CORRUPT', place: { offset: at } });
    expect(gunzip(member(check ^ 1), undefined, false)).toEqual(bytes);
  });

  test('of no bytes decompresses to no bytes', () => {
    expect(gunzip(gzip(new Uint8Array(0)), 0)).toHaveLength(0);
  });

  test('truncated inside its stream is refused with the offset of the end', () => {
    const { code, place: at } = refusal(() => gunzip(packed.subarray(0, 3000)));
    expect({ code, at }).toEqual({
      code: 'E_TRUNCATED',
      at: { file: 'vmlinuz', offset: 0x4000 + 3000 },
    });
  });

  test.each([0, 1, 10, 19])('of %d bytes is refused as too short', (length) => {
    expect(refusal(() => gunzip(packed.subarray(0, length), 1)).code).toBe('E_TRUNCATED');
  });

  test.each([
    [-1, 'more'],
    [1, `${bytes.length}`],
  ])('with a size that differs by %d from the required one is refused', (more, found) => {
    const error = refusal(() => gunzip(packed, bytes.length + more));
    expect({ code: error.code, found: error.found }).toEqual({ code: 'E_CORRUPT', found });
  });

  test('of more than the limit is refused', () => {
    const error = refusal(() => decompress('gzip', packed, { limit: bytes.length - 1, place }));
    expect({ code: error.code, expected: error.expected }).toEqual({
      code: 'E_TOO_LARGE',
      expected: `at most ${bytes.length - 1} bytes`,
    });
  });

  test('with a block of the reserved type is refused', () => {
    const error = refusal(() => gunzip(packed.with(10, 0x07)));
    expect(error.code).toBe('E_CORRUPT');
    expect(error.place.file).toBe('vmlinuz');
  });

  test.each([
    ['CRC32', 8],
    ['ISIZE', 4],
  ])('with a wrong %s is refused, unless verify is false', (_field, back) => {
    const at = packed.length - back;
    const wrong = packed.with(at, (packed[at] ?? 0) ^ 1);
    const { code, place: where } = refusal(() => gunzip(wrong));
    expect({ code, offset: where.offset }).toEqual({ code: 'E_CORRUPT', offset: 0x4000 + at });
    expect(gunzip(wrong, undefined, false)).toEqual(bytes);
  });

  test('with another method, magic or a reserved flag is refused', () => {
    for (const [at, byte] of [
      [0, 0x1e],
      [2, 7],
      [3, 0x20],
    ] as const) {
      const { code, place: where } = refusal(() => gunzip(packed.with(at, byte)));
      expect({ code, offset: where.offset }).toEqual({ code: 'E_CORRUPT', offset: 0x4000 + at });
    }
  });
});

import { describe, expect, test } from '@jest/globals';
import { gzipSync as nodeGzip } from 'node:zlib';
import { gzipSync } from 'fflate';
import { decodeGzip } from '../../../src/firmware/image/gzip.js';
import { concat, noise, refusal } from './build.js';

const place = { file: 'vmlinuz', base: 0x4000 };
const bytes = concat(noise(5000), new Uint8Array(20_000), noise(5000));
const packed = gzipSync(bytes, { mtime: 0 });

describe('a gzip payload', () => {
  test.each([
    ['fflate', packed],
    ['zlib, deflated', new Uint8Array(nodeGzip(bytes))],
    ['zlib, stored', new Uint8Array(nodeGzip(bytes, { level: 0 }))],
  ])('packed by %s gives its bytes', (_packer, src) => {
    expect(decodeGzip(src, bytes.length, place)).toEqual(bytes);
  });

  test('of nothing gives nothing', () => {
    expect(decodeGzip(gzipSync(new Uint8Array(0), { mtime: 0 }), 0, place)).toHaveLength(0);
  });

  test('cut inside its stream is refused where it ends', () => {
    const { code, place: at } = refusal(() =>
      decodeGzip(packed.subarray(0, 3000), bytes.length, place),
    );
    expect({ code, at }).toEqual({
      code: 'E_TRUNCATED',
      at: { file: 'vmlinuz', offset: 0x4000 + 3000 },
    });
  });

  test.each([0, 1, 10, 19])('of %d bytes is refused as too short', (length) => {
    expect(refusal(() => decodeGzip(packed.subarray(0, length), 1, place)).code).toBe(
      'E_TRUNCATED',
    );
  });

  test.each([
    [-1, 'more'],
    [1, `${bytes.length}`],
  ])('that differs by %d from the size announced is refused', (more, found) => {
    const error = refusal(() => decodeGzip(packed, bytes.length + more, place));
    expect({ code: error.code, found: error.found }).toEqual({ code: 'E_CORRUPT', found });
  });

  test('stored and larger than announced is refused', () => {
    const stored = new Uint8Array(nodeGzip(bytes, { level: 0 }));
    expect(refusal(() => decodeGzip(stored, 10, place)).code).toBe('E_CORRUPT');
  });

  test('with a block of the reserved type is refused', () => {
    const error = refusal(() => decodeGzip(packed.with(10, 0x07), bytes.length, place));
    expect({ code: error.code, place: error.place }).toEqual({
      code: 'E_CORRUPT',
      place: { file: 'vmlinuz', offset: 0x4000 },
    });
  });
});

import { describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { crc32 } from '../../src/firmware/crc32.js';
import { noiseBytes } from '../../src/firmware/struct.js';
import { ascii } from '../../src/base/bytes.js';

describe('CRC-32', () => {
  test('of "123456789" is the check value of ISO 3309', () => {
    expect(crc32(ascii('123456789'))).toBe(0xcbf4_3926);
  });

  test.each([0, 1, 2, 255, 4096])('of %i bytes equals the trailer of gzip', (length) => {
    const bytes = noiseBytes(length, 1);
    const member = gzipSync(bytes);
    expect(crc32(bytes)).toBe(member.readUInt32LE(member.length - 8));
  });
});

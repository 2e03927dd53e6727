import { expect, test } from '@jest/globals';
import { sha256 as noble } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { sourceOf } from '../../src/base/byte-source.js';
import { sha256 } from '../../src/node/sha256.js';

test('is that of another implementation, for bytes, texts and files that are read in parts', () => {
  const bytes = new Uint8Array(9 << 20).map((_, i) => i * 7);
  const expected = bytesToHex(noble(bytes));
  expect(sha256(bytes)).toBe(expected);
  expect(sha256(sourceOf(bytes))).toBe(expected);
  expect(sha256('é')).toBe(bytesToHex(noble(new TextEncoder().encode('é'))));
});

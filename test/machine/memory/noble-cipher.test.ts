import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nobleCipher } from '../../../src/machine/memory/noble-cipher.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { describeAes128, text } from './block-cipher.js';

describeAes128('@noble/ciphers', nobleCipher);

describe('nobleCipher', () => {
  test('equals node:crypto for any key and blocks', () => {
    const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
      fc.uint8Array({ minLength: length, maxLength: length });
    const blocks = fc.integer({ min: 1, max: 6 }).chain((n) => bytes(n * 16));
    fc.assert(
      fc.property(bytes(16), blocks, (key, plain) => {
        const portable = plain.slice();
        const native = plain.slice();
        nobleCipher(key).encrypt(portable);
        nodeCipher(key).encrypt(native);
        expect(text(portable)).toBe(text(native));
        nobleCipher(key).decrypt(portable);
        nodeCipher(key).decrypt(native);
        expect([text(portable), text(native)]).toEqual([text(plain), text(plain)]);
      }),
    );
  });
});

/** The tests that every block cipher of the memory engine must pass. */
import { describe, expect, test } from '@jest/globals';
import type { BlockCipherFactory } from '../../../src/machine/types.js';

export const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const VECTORS = [
  // FIPS-197, appendix C.1.
  [
    '000102030405060708090a0b0c0d0e0f',
    '00112233445566778899aabbccddeeff',
    '69c4e0d86a7b0430d8cdb78070b4c55a',
  ],
  // SP 800-38A, F.1.1 and F.1.2: four blocks.
  [
    '2b7e151628aed2a6abf7158809cf4f3c',
    '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
      '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
    '3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf' +
      '43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4',
  ],
] as const;

export function describeAes128(name: string, factory: BlockCipherFactory): void {
  describe(`AES-128 by ${name}`, () => {
    test.each(VECTORS)(
      'with key %s encrypts to the published ciphertext and decrypts it',
      (key, plain, cipher) => {
        const aes = factory(hex(key));
        const bytes = hex(plain);
        aes.encrypt(bytes);
        expect(text(bytes)).toBe(cipher);
        aes.decrypt(bytes);
        expect(text(bytes)).toBe(plain);
      },
    );

    test('has no state between calls, and copies the caller’s key', () => {
      const [key, plain, cipher] = VECTORS[1];
      const given = hex(key);
      const aes = factory(given);
      given.fill(0);
      for (const size of [16, 32, 64]) {
        const bytes = hex(plain);
        for (let at = 0; at < 64; at += size) aes.encrypt(bytes.subarray(at, at + size));
        expect(text(bytes)).toBe(cipher);
        for (let at = 64 - size; at >= 0; at -= size) aes.decrypt(bytes.subarray(at, at + size));
        expect(text(bytes)).toBe(plain);
      }
    });

    test('changes the given blocks and no adjacent bytes, at any alignment', () => {
      const [key, plain, cipher] = VECTORS[0];
      const aes = factory(hex(key));
      for (let at = 0; at <= 4; at++) {
        const around = new Uint8Array(24).fill(0xee);
        around.set(hex(plain), at);
        const blocks = around.subarray(at, at + 16);
        const expected = around.slice();
        expected.set(hex(cipher), at);
        aes.encrypt(blocks);
        expect(text(around)).toBe(text(expected));
        expected.set(hex(plain), at);
        aes.decrypt(blocks);
        expect(text(around)).toBe(text(expected));
      }
    });

    test('accepts zero blocks', () => {
      const aes = factory(hex(VECTORS[0][0]));
      const none = new Uint8Array(0);
      aes.encrypt(none);
      aes.decrypt(none);
      expect(none).toHaveLength(0);
    });
  });
}

import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa } from '../../src/machine/address.js';
import { MemoryEngine, type EngineMode } from '../../src/machine/engine.js';
import { nobleCipher } from '../../src/machine/noble-cipher.js';
import type { BlockCipherFactory } from '../../src/machine/types.js';
import { nodeCipher } from '../../src/node/node-cipher.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const CIPHERS: [name: string, factory: BlockCipherFactory][] = [
  ['@noble/ciphers', nobleCipher],
  ['node:crypto', nodeCipher],
];

describe.each(CIPHERS)('AES-128 by %s', (_name, factory) => {
  test.each([
    // FIPS-197, appendix C.1.
    [
      '000102030405060708090a0b0c0d0e0f',
      '00112233445566778899aabbccddeeff',
      '69c4e0d86a7b0430d8cdb78070b4c55a',
    ],
    // SP 800-38A, F.1.1: four blocks.
    [
      '2b7e151628aed2a6abf7158809cf4f3c',
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
        '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
      '3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf' +
        '43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4',
    ],
  ])('with key %s gives the published ciphertext and takes it back', (key, plain, cipher) => {
    const aes = factory(hex(key));
    const bytes = hex(plain);
    aes.encrypt(bytes);
    expect(text(bytes)).toBe(cipher);
    aes.decrypt(bytes);
    expect(text(bytes)).toBe(plain);
  });

  test.each<EngineMode>(['XEX', 'XE'])(
    'the engine in mode %s gives what the formula gives, block by block',
    (mode) => {
      const engine = new MemoryEngine({ cipher: factory, mode, seed: 'test' });
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const found = bytes.slice();
      // From the middle of one page into the next, so that both the table and the page's constant matter.
      const address = 0x12_3456_7f80;
      engine.encrypt(KEY_HOST, pa(address), found, 0, found.length);
      const { keys, tweaks } = engine.describe();
      const aes = createCipheriv('aes-128-ecb', hex(keys[0]?.key ?? ''), null).setAutoPadding(
        false,
      );
      const wanted: number[] = [];
      for (let at = 0; at < bytes.length; at += 16) {
        const tweak = new Uint8Array(16);
        for (const { bit, constant } of tweaks) {
          if (Math.floor((address + at) / 2 ** bit) % 2 === 0) continue;
          hex(constant).forEach((byte, i) => (tweak[i] = (tweak[i] ?? 0) ^ byte));
        }
        const xor = (block: Uint8Array): Uint8Array => block.map((b, i) => b ^ (tweak[i] ?? 0));
        const inner = new Uint8Array(aes.update(xor(bytes.subarray(at, at + 16))));
        wanted.push(...(mode === 'XEX' ? xor(inner) : inner));
      }
      expect([...found]).toEqual(wanted);
      engine.decrypt(KEY_HOST, pa(address), found, 0, found.length);
      expect(found).toEqual(bytes);
    },
  );
});

describe('the memory engine', () => {
  const engine = new MemoryEngine({ cipher: nodeCipher, mode: 'XEX', seed: 'test' });

  test('leaves memory alone under key 0', () => {
    const bytes = new Uint8Array(64).fill(7);
    engine.encrypt(KEY_PLAIN, pa(0x1000), bytes, 0, 64);
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  test('gives the same plaintext another ciphertext at another address, and with another seed', () => {
    const at = (address: number, seed: string): string => {
      const bytes = new Uint8Array(16);
      const made = new MemoryEngine({ cipher: nodeCipher, mode: 'XEX', seed });
      made.encrypt(KEY_HOST, pa(address), bytes, 0, 16);
      return text(bytes);
    };
    expect(new Set([at(0, 'a'), at(16, 'a'), at(0x1000, 'a'), at(0, 'b')]).size).toBe(4);
  });

  test('does in batches of any length what it does at once, with either cipher', () => {
    const noble = new MemoryEngine({ cipher: nobleCipher, mode: 'XEX', seed: 'test' });
    const blocks = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        fc.nat(2 ** 30),
        fc.array(blocks, { minLength: 1, maxLength: 5 }),
        (page, runs) => {
          const total = runs.reduce((sum, n) => sum + n * 16, 0);
          const whole = Uint8Array.from({ length: total }, (_, i) => i * 7);
          const parts = whole.slice();
          const address = page * 16;
          engine.encrypt(KEY_HOST, pa(address), whole, 0, total);
          let done = 0;
          for (const n of runs) {
            noble.encrypt(KEY_HOST, pa(address + done), parts, done, n * 16);
            done += n * 16;
          }
          expect(parts).toEqual(whole);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('goes over its batch size', () => {
    const bytes = new Uint8Array(200_000 - (200_000 % 16)).fill(3);
    const copy = bytes.slice();
    engine.encrypt(KEY_HOST, pa(0), bytes, 0, bytes.length);
    expect(bytes).not.toEqual(copy);
    engine.decrypt(KEY_HOST, pa(0), bytes, 0, bytes.length);
    expect(bytes).toEqual(copy);
  });
});

import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../../src/machine/address.js';
import {
  MemoryEngine,
  requireLittleEndian,
  type EngineMode,
} from '../../../src/machine/memory/engine.js';
import { nobleCipher } from '../../../src/machine/memory/noble-cipher.js';
import type { BlockCipherFactory } from '../../../src/machine/types.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { sha256 } from '../../sha256.js';
import { hex, text } from './block-cipher.js';

const CIPHERS: [name: string, factory: BlockCipherFactory][] = [
  ['@noble/ciphers', nobleCipher],
  ['node:crypto', nodeCipher],
];

describe.each(CIPHERS)('the memory engine over %s', (_name, factory) => {
  test.each<EngineMode>(['XEX', 'XE'])('in mode %s encrypts each block by the formula', (mode) => {
    const engine = new MemoryEngine({ cipher: factory, mode, seed: 'test' });
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const found = bytes.slice();
    // From the middle of one page into the next, so that both the table and the page's constant matter.
    const address = 0x12_3456_7f80;
    engine.encrypt(KEY_HOST, pa(address), found, 0, found.length);
    const { keys, tweaks } = engine.describe();
    const aes = createCipheriv('aes-128-ecb', hex(keys[0]?.key ?? ''), null).setAutoPadding(false);
    const expected: number[] = [];
    for (let at = 0; at < bytes.length; at += 16) {
      const tweak = new Uint8Array(16);
      for (const { bit, constant } of tweaks) {
        if (Math.floor((address + at) / 2 ** bit) % 2 === 0) continue;
        hex(constant).forEach((byte, i) => (tweak[i] = (tweak[i] ?? 0) ^ byte));
      }
      const xor = (block: Uint8Array): Uint8Array => block.map((b, i) => b ^ (tweak[i] ?? 0));
      const inner = new Uint8Array(aes.update(xor(bytes.subarray(at, at + 16))));
      expected.push(...(mode === 'XEX' ? xor(inner) : inner));
    }
    expect([...found]).toEqual(expected);
    engine.decrypt(KEY_HOST, pa(address), found, 0, found.length);
    expect(found).toEqual(bytes);
  });

  test.each([
    ['XE', 'fe89ae4d9e43631f95473dbabfeb791c'],
    ['XEX', 'a6d0f118da1ca7793deddc94128b477b'],
  ] as const)('in mode %s gives the ciphertext computed by hand', (mode, expected) => {
    // Address 0x2010 has bits 13 and 4 set, so with the constants that `describe()` gives:
    //   t_4     87ed722b5663283f729faa92f080b8c4
    //   t_13    dfb42d7e123cec59da354bbc5de086a3
    //   T       58595f55445fc466a8aae12ead603e67   t_4 ⊕ t_13
    //   m       00112233445566778899aabbccddeeff
    //   m ⊕ T   58487d66000aa21120334b9561bdd098
    //   XE      fe89ae4d9e43631f95473dbabfeb791c   openssl enc -aes-128-ecb -nopad -K (the key below) of m ⊕ T
    //   XEX     a6d0f118da1ca7793deddc94128b477b   XE ⊕ T
    const engine = new MemoryEngine({ cipher: factory, mode, seed: 'test' });
    const block = hex('00112233445566778899aabbccddeeff');
    engine.encrypt(KEY_HOST, pa(0x2010), block, 0, 16);
    expect(text(block)).toBe(expected);
    expect(engine.describe()).toMatchObject({
      mode,
      keys: [{ id: 1, key: 'cb157ba81fd7d9640601d6fc0607e638' }],
    });
  });
});

describe('the memory engine', () => {
  const engine = new MemoryEngine({ cipher: nodeCipher, mode: 'XEX', seed: 'test' });

  test('does not change bytes under key 0', () => {
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

  test('gives the same result in batches of any length, with either cipher', () => {
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

  test('encrypts more than one batch', () => {
    const bytes = new Uint8Array(200_000 - (200_000 % 16)).fill(3);
    const plain = sha256(bytes);
    engine.encrypt(KEY_HOST, pa(0), bytes, 0, bytes.length);
    // Compared by digest: a report of 200,000 bytes that differ takes half a minute.
    expect(sha256(bytes)).not.toBe(plain);
    engine.decrypt(KEY_HOST, pa(0), bytes, 0, bytes.length);
    expect(sha256(bytes)).toBe(plain);
  });

  test('has one tweak constant for each address bit from 4 to 51', () => {
    expect(engine.describe().tweaks.map(({ bit }) => bit)).toEqual(
      Array.from({ length: 48 }, (_, i) => i + 4),
    );
  });

  test('has a tweak that is linear in the address bits', () => {
    // With the identity as cipher XE leaves m ⊕ T(p), so zeros become T(p).
    const bare = new MemoryEngine({
      cipher: () => ({ encrypt: () => undefined, decrypt: () => undefined }),
      mode: 'XE',
      seed: 'test',
    });
    const tweak = (block: bigint): bigint => {
      const bytes = new Uint8Array(16);
      bare.encrypt(KEY_HOST, pa(Number(block) * 16), bytes, 0, 16);
      return BigInt(`0x${text(bytes)}`);
    };
    const block = fc.bigInt({ min: 0n, max: 2n ** 48n - 1n });
    fc.assert(
      fc.property(block, block, (a, b) => {
        expect(tweak(a ^ b)).toBe(tweak(a) ^ tweak(b));
      }),
    );
    bare.describe().tweaks.forEach(({ constant }, i) => {
      expect(tweak(1n << BigInt(i))).toBe(BigInt(`0x${constant}`));
    });
  });

  test('gives each key its own ciphertext under the same tweaks', () => {
    const made = new MemoryEngine({ cipher: nodeCipher, mode: 'XEX', seed: 'keys' });
    const seen = [1, 2, 1006].map((id) => {
      const bytes = new Uint8Array(16);
      made.encrypt(id as KeyId, pa(0x1000), bytes, 0, 16);
      return text(bytes);
    });
    expect(new Set(seen).size).toBe(3);
    expect(made.describe().keys.map(({ id }) => id)).toEqual([1, 2, 1006]);
    const named = made.describe([7 as KeyId, KEY_HOST]).keys;
    expect(named.map(({ id }) => id)).toEqual([1, 2, 7, 1006]);
    expect(new Set(named.map(({ key }) => key)).size).toBe(4);
    expect(made.describe().keys.map(({ id }) => id)).toEqual([1, 2, 1006]);
  });

  test.each([
    ['an address', 0x1008, 16],
    ['a length', 0x1000, 24],
  ])('refuses %s that is not whole blocks, and changes nothing', (_what, address, length) => {
    for (const key of [KEY_PLAIN, KEY_HOST]) {
      const bytes = new Uint8Array(32);
      for (const crypt of ['encrypt', 'decrypt'] as const) {
        expect(() => {
          engine[crypt](key, pa(address), bytes, 0, length);
        }).toThrow(
          'E_ENGINE_BLOCK: expected whole blocks of 16 bytes, ' +
            `found 0x${length.toString(16)} bytes at 0x${address.toString(16)}`,
        );
      }
      expect(bytes).toEqual(new Uint8Array(32));
    }
  });

  // APM 5.3.1: no physical address has more than 52 bits.
  test('has no tweak for an address of 53 bits', () => {
    const bytes = new Uint8Array(16);
    engine.encrypt(KEY_HOST, pa(2 ** 52 - 16), bytes, 0, 16);
    expect(() => {
      engine.encrypt(KEY_HOST, pa(2 ** 52), bytes, 0, 16);
    }).toThrow('no tweak for address bit 52');
  });

  test('refuses a big-endian host', () => {
    expect(() => {
      requireLittleEndian(Uint8Array.of(0, 0, 0, 1));
    }).toThrow('E_BYTE_ORDER: the simulator needs a little-endian host');
    expect(() => {
      requireLittleEndian();
    }).not.toThrow();
  });
});

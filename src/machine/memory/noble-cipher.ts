/**
 * AES-128 in batches of blocks by @noble/ciphers: a cipher for the engine on any host.
 * Uses its block functions with the round keys cached: its ecb() expands the key in every call, which makes a line cost
 * seven times as much. Their input and output is a block as four little-endian words.
 */
import { unsafe } from '@noble/ciphers/aes.js';
import type { BlockCipherFactory } from '../types.js';

const WORD_SIZE = Uint32Array.BYTES_PER_ELEMENT;

export const nobleCipher: BlockCipherFactory = (key) => {
  const encryptKeys = unsafe.expandKeyLE(key);
  const decryptKeys = unsafe.expandKeyDecLE(key);
  return {
    encrypt(blocks) {
      eachBlock(blocks, unsafe.encrypt, encryptKeys);
    },
    decrypt(blocks) {
      eachBlock(blocks, unsafe.decrypt, decryptKeys);
    },
  };
};

function eachBlock(blocks: Uint8Array, aes: typeof unsafe.encrypt, keys: Uint32Array): void {
  const aligned = blocks.byteOffset % WORD_SIZE === 0 ? blocks : new Uint8Array(blocks);
  const { buffer, byteOffset, length } = aligned;
  const words = new Uint32Array(buffer, byteOffset, length / WORD_SIZE);
  for (let i = 0; i < words.length; i += 4) {
    const { s0, s1, s2, s3 } = aes(
      keys,
      words[i] ?? 0,
      words[i + 1] ?? 0,
      words[i + 2] ?? 0,
      words[i + 3] ?? 0,
    );
    words[i] = s0;
    words[i + 1] = s1;
    words[i + 2] = s2;
    words[i + 3] = s3;
  }
  if (aligned !== blocks) blocks.set(aligned);
}

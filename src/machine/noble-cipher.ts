/** AES-128 in batches of blocks by @noble/ciphers: the engine's cipher wherever the simulator runs. */
import { ecb } from '@noble/ciphers/aes.js';
import type { BlockCipherFactory } from './types.js';

export const nobleCipher: BlockCipherFactory = (key) => {
  const options = { disablePadding: true };
  return {
    encrypt(blocks) {
      blocks.set(ecb(key, options).encrypt(blocks));
    },
    decrypt(blocks) {
      blocks.set(ecb(key, options).decrypt(blocks));
    },
  };
};

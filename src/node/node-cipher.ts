/**
 * AES-128 over batches of blocks with node:crypto. ECB has no state between calls, so one stream is used for all of
 * them.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { BlockCipherFactory } from '../machine/types.js';

export const nodeCipher: BlockCipherFactory = (key) => {
  const encryptor = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const decryptor = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return {
    encrypt(blocks) {
      blocks.set(encryptor.update(blocks));
    },
    decrypt(blocks) {
      blocks.set(decryptor.update(blocks));
    },
  };
};

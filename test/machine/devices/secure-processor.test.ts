import { describe, expect, test } from '@jest/globals';
import { hexBytes } from '../../../src/base/bytes.js';
import { KEY_HOST, type KeyId } from '../../../src/machine/address.js';
import {
  FIRST_TWEAK_BIT,
  LAST_TWEAK_BIT,
  SecureProcessor,
} from '../../../src/machine/devices/secure-processor.js';

describe('the secure processor', () => {
  const processor = new SecureProcessor('test');

  test('derives keys as sha256sum of the label and the seed', () => {
    // printf 'sme-boot key 1 test' | sha256sum | cut -c1-32, and so on; the noise is its first four bytes.
    expect(hexBytes(processor.key(KEY_HOST))).toBe('cb157ba81fd7d9640601d6fc0607e638');
    expect(hexBytes(processor.tweak(4))).toBe('87ed722b5663283f729faa92f080b8c4');
    expect(hexBytes(processor.tweak(13))).toBe('dfb42d7e123cec59da354bbc5de086a3');
    expect(processor.noiseSeed()).toBe(0x0f66_9905);
  });

  test('derives different values for each key, tweak constant and seed', () => {
    const values = ['test', 'other'].flatMap((seed) => {
      const made = new SecureProcessor(seed);
      const bits = Array.from(
        { length: LAST_TWEAK_BIT - FIRST_TWEAK_BIT + 1 },
        (_, i) => i + FIRST_TWEAK_BIT,
      );
      const keys = [1, 2, 3].map((id) => made.key(id as KeyId));
      return [...keys, ...bits.map((bit) => made.tweak(bit))].map((each) => hexBytes(each));
    });
    expect(values).toHaveLength(2 * (3 + 48));
    expect(new Set(values).size).toBe(values.length);
  });
});

import { describe, expect, test } from '@jest/globals';
import { KEY_HOST } from '../../../src/machine/address.js';
import { Bench, C_BIT } from '../bench.js';

describe('noise-to-device', () => {
  test.each<[string, (b: Bench) => void, bigint, string[]]>([
    [
      'a buffer that the CPU wrote with C=1, without the C-bit',
      (b) => {
        b.place(3, KEY_HOST);
      },
      0x3000n,
      ['noise-to-device driver start'],
    ],
    [
      'a buffer that was written with C=0, with the C-bit',
      (b) => {
        b.place(3);
      },
      0x3000n | C_BIT,
      ['noise-to-device driver start'],
    ],
    ['a buffer that was never written', () => undefined, 0x3000n, ['noise-to-device driver']],
    [
      'not a buffer that was written as the device reads it',
      (b) => {
        b.place(3);
      },
      0x3000n,
      [],
    ],
    [
      'not with the C-bit on both sides',
      (b) => {
        b.place(3, KEY_HOST);
      },
      0x3000n | C_BIT,
      [],
    ],
  ])('%s', (_what, prepare, bus, expected) => {
    const b = new Bench();
    prepare(b);
    b.as('driver', () => {
      b.sanitizer.toDevice(0x300, bus, 64);
    });
    expect(b.rules).toEqual(expected);
  });

  test('only the bytes of the buffer count', () => {
    const b = new Bench();
    b.place(3);
    b.sanitizer.toDevice(0x300, 0x3fc0n, 64);
    expect(b.rules).toEqual([]);
    b.sanitizer.toDevice(0x300, 0x3fc0n, 65);
    expect(b.reports[0]?.at).toBe('4000+1');
  });
});

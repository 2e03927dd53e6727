import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa } from '../../../src/machine/address.js';
import { pciRequester } from '../../../src/machine/requester.js';
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

describe('foreign-owner-write by a device', () => {
  const NIC = 0x300;
  const given = (bus: bigint, size = 4096) => {
    const b = new Bench();
    b.sanitizer.buffer(NIC, bus, size);
    return b;
  };
  const write = (b: Bench, at: number, size = 64, devid = NIC, key = KEY_PLAIN) => {
    b.machine.dmaWrite(pa(at), new Uint8Array(size), key, pciRequester(devid));
  };
  const RULE = ['foreign-owner-write ?'];

  test.each<[string, (b: Bench) => void, string[]]>([
    ['a write at another address', (b) => void write(b, 0x9000), RULE],
    ['a write beyond the end', (b) => void write(b, 0x3fe0), RULE],
    ['a write before the start', (b) => void write(b, 0x2fe0), RULE],
    ['not one in the buffer', (b) => void write(b, 0x3fc0), []],
    ['not one by a device that was given no buffer', (b) => void write(b, 0x9000, 64, 0x400), []],
  ])('%s', (_what, act, expected) => {
    const b = given(0x3000n);
    act(b);
    expect(b.rules).toEqual(expected);
  });

  test('the C-bit is no part of the address', () => {
    const b = given(0x3000n | C_BIT);
    write(b, 0x3000, 64, NIC, KEY_HOST);
    expect(b.rules).toEqual([]);
  });

  test('two buffers that adjoin may be written as one; the report has the bytes outside', () => {
    const b = given(0x3000n, 32);
    b.sanitizer.buffer(NIC, 0x3020n, 16);
    write(b, 0x3000, 48);
    expect(b.rules).toEqual([]);
    write(b, 0x3000, 64);
    const [report] = b.reports;
    expect(report).toMatchObject({ at: '3030+10', outcome: 'data lost' });
    // A device has no linear addresses.
    expect(report).not.toHaveProperty('va');
  });

  test('a buffer that was taken back is no longer one, also after a snapshot', () => {
    const b = given(0x3000n);
    b.sanitizer.buffer(NIC, 0x5000n, 4096);
    const before = b.sanitizer.snapshot();
    b.sanitizer.bufferGone(NIC, 0x3000n, 4096);
    write(b, 0x5000);
    expect(b.rules).toEqual([]);
    write(b, 0x3000);
    expect(b.rules).toEqual(RULE);
    b.sanitizer.restore(before);
    write(b, 0x3000);
    expect(b.rules).toEqual([]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { ascii, concat, hexBytes, latin1 } from '../../src/base/bytes.js';
import {
  bytesOfHex,
  packet,
  PACKET_SIZE,
  PacketReader,
  type Received,
} from '../../src/gdb/packet.js';

const received = (...pieces: (string | Uint8Array)[]): Received[] => {
  const reader = new PacketReader();
  return pieces.flatMap((each) => reader.push(typeof each === 'string' ? ascii(each) : each));
};
const data = (text: string): Received => ({ kind: 'packet', data: text });

describe('packet', () => {
  test('ends in the sum of its bytes, modulo 256', () => {
    expect(latin1(packet('OK'))).toBe('$OK#9a');
    expect(latin1(packet(''))).toBe('$#00');
  });

  test('escapes the bytes with a meaning', () => {
    expect(latin1(packet('a#b$c}d*')).slice(0, -3)).toBe('$a}\x03b}\x04c}]d}\x0a');
    expect(received(packet('a#b$c}d*\xff'))).toEqual([data('a#b$c}d*\xff')]);
  });
});

describe('a reader', () => {
  test('finds packets, acknowledgements and the interrupt in any pieces', () => {
    const stream = concat([ascii('+noise'), packet('?'), ascii('+-\x03'), packet('g')]);
    const whole = received(stream);
    expect(whole).toEqual([data('?'), { kind: 'resend' }, { kind: 'interrupt' }, data('g')]);
    expect(received(...Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('the byte 0x03 in a packet is data', () => {
    expect(received(packet('X0,1:\x03'))).toEqual([data('X0,1:\x03')]);
  });

  test.each([
    ['a wrong checksum', '$g#68'],
    ['no digits', '$g#zz'],
    ['one digit', '$g#6g'],
    ['signs', '$g#+7'],
  ])('a packet with %s is broken, and the next one is whole', (_name, text) => {
    expect(received(text, packet('?'))).toEqual([{ kind: 'broken' }, data('?')]);
  });

  test('a packet that another one cuts off is broken', () => {
    expect(received('$m10', packet('?'))).toEqual([{ kind: 'broken' }, data('?')]);
  });

  test.each([
    [PACKET_SIZE - 1, 'packet'],
    [PACKET_SIZE, 'packet'],
    [PACKET_SIZE + 1, 'too-long'],
    [3 * PACKET_SIZE, 'too-long'],
  ])('a packet of %i bytes is %s', (length, kind) => {
    expect(received(packet('a'.repeat(length)), packet('?'))).toMatchObject([{ kind }, data('?')]);
  });
});

test('pairs of digits are bytes, and nothing else is', () => {
  expect(hexBytes([0, 15, 255])).toBe('000fff');
  expect(bytesOfHex('000fFF')).toEqual(Uint8Array.of(0, 15, 255));
  for (const text of ['0', '0g', '+1', ' 1']) expect(bytesOfHex(text)).toBeUndefined();
});

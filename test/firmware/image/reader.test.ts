import { describe, expect, test } from '@jest/globals';
import { Reader } from '../../../src/firmware/image/reader.js';
import { ascii, refusal } from './build.js';

describe('a reader of a file', () => {
  const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const reader = new Reader(bytes.subarray(1), { file: 'vmlinux', path: 'payload' });

  test('reads little-endian fields up to the last byte', () => {
    expect(reader.u8(7, 'field')).toBe(9);
    expect(reader.u16(6, 'field')).toBe(0x0908);
    expect(reader.u32(4, 'field')).toBe(0x0908_0706);
    expect([...reader.slice(6, 2, 'field')]).toEqual([8, 9]);
  });

  test.each([
    ['u8', 8],
    ['u16', 7],
    ['u32', 5],
    ['i64', 1],
    ['u64', 1],
  ] as const)('refuses %s at %d, a byte past the end', (method, offset) => {
    const { code, place, reason } = refusal(() => reader[method](offset, 'field'));
    expect({ code, place, reason }).toEqual({
      code: 'E_TRUNCATED',
      place: { file: 'vmlinux', path: 'payload', offset },
      reason: 'field',
    });
  });

  test('reports how many bytes of a slice are before the end', () => {
    const { expected, found } = refusal(() => reader.slice(6, 3, 'field'));
    expect({ expected, found }).toEqual({ expected: '3 bytes', found: '2 before the end' });
    expect(refusal(() => reader.slice(2 ** 40, 1, 'field')).found).toBe('0 before the end');
  });

  test('reads signed 64-bit values that a double holds exactly', () => {
    const data = new Uint8Array(24);
    const view = new DataView(data.buffer);
    view.setBigUint64(0, 0xffff_ffff_8100_0000n, true);
    view.setBigUint64(8, 0x001f_ffff_ffff_ffffn, true);
    view.setBigUint64(16, 0x0020_0000_0000_0000n, true);
    const wide = new Reader(data, { file: 'vmlinux' });
    expect(wide.i64(0, 'field')).toBe(-0x7f00_0000);
    expect(wide.u64(8, 'field')).toBe(Number.MAX_SAFE_INTEGER);
    expect(refusal(() => wide.u64(16, 'field')).code).toBe('E_BAD_FIELD');
    expect(refusal(() => wide.u64(0, 'field')).found).toBe('0xffffffff81000000');
  });

  test('reads text up to a NUL, the limit or the end', () => {
    const text = new Reader(ascii('ab\0cdef'), { file: 'vmlinux' });
    expect(text.text(0, 10)).toBe('ab');
    expect(text.text(3, 2)).toBe('cd');
    expect(text.text(3, 10)).toBe('cdef');
  });
});

/** How far find_cpio_data() reads: the page after the archive's page is not mapped. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PAGE_SIZE, va } from '../../../src/machine/address.js';
import { PAGE_OFFSET } from '../../../src/kernel/constants.js';
import { BootCheckpoint } from '../../kernel/at-label.js';

const checkpoint = new BootCheckpoint('drivers');
const { k } = checkpoint;
/** An unused page, and the one after it. */
const PAGE = va(PAGE_OFFSET + 80 * 2 ** 20);
const HOLE = va(PAGE + PAGE_SIZE);
const PATH = 'kernel/x86/microcode/AuthenticAMD.bin';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const hex8 = (value: number): string => value.toString(16).padStart(8, '0');

/** A newc entry of a regular file, each part on a multiple of 4 from `at` on. */
function entry(at: number, path: string, body: string): Uint8Array {
  const name = `${path}\0`;
  const fields = [1, 0o100644, 0, 0, 1, 0, body.length, 0, 0, 0, 0, name.length, 0];
  const head = `070701${fields.map(hex8).join('')}${name}`;
  const pad = (length: number): string => '\0'.repeat((4 - ((at + length) % 4)) % 4);
  const whole = head + pad(head.length) + body;
  return ascii(whole + pad(whole.length));
}

beforeEach(() => {
  checkpoint.restore();
  k.memset(PAGE, 0, PAGE_SIZE);
  checkpoint.unmap(HOLE);
});

describe('find_cpio_data()', () => {
  test('stops reading a header at its first character that is not a hexadecimal digit', () => {
    const text = '070701zz';
    const at = va(HOLE - text.length);
    k.writeBytes(at, ascii(text));
    expect(k.fn.find_cpio_data(PATH, at, PAGE_SIZE)).toBeUndefined();
    expect(() => k.readU8(HOLE)).toThrow();
  });

  test('faults beyond the mapped page if all characters are digits', () => {
    const at = va(HOLE - 8);
    k.writeBytes(at, ascii('07070100'));
    expect(() => k.fn.find_cpio_data(PATH, at, PAGE_SIZE)).toThrow(/0xffff88000500/);
  });

  test.each([0, 1, 2, 3])(
    'aligns addresses, not offsets: an archive at %i bytes into a word',
    (off) => {
      const at = va(PAGE + 64 + off);
      const first = entry(off, 'a', 'b');
      const bytes = [...first, ...entry(off + first.length, PATH, 'microcode')];
      k.writeBytes(at, Uint8Array.from(bytes));
      const found = k.fn.find_cpio_data(PATH, at, bytes.length);
      expect(found?.size).toBe('microcode'.length);
      expect([...k.readBytes(va(at + (found?.offset ?? 0)), 9)]).toEqual([...ascii('microcode')]);
    },
  );
});

import { expect, test } from '@jest/globals';
import { relocated32 } from '../../../src/firmware/image/relocations.js';
import { elf, TEXT } from '../../cli/code-image.js';
import { concat, le32 } from './build.js';

const ELF = elf(Uint8Array.of(0xf4), { _text: 0, _end: 1 });
const word = (offset: number): Uint8Array => le32((TEXT + offset) >>> 0);

test('the list of 32-bit words ends at a zero; it is read from its end', () => {
  const payload = concat(ELF, le32(0), word(0x900), le32(0), word(8), word(4));
  expect(relocated32(payload, 10)).toEqual([TEXT + 4, TEXT + 8]);
  expect(relocated32(payload, 1)).toEqual([TEXT + 4]);
});

test('an ELF file alone has none', () => {
  expect(relocated32(ELF, 10)).toEqual([]);
});

test('a list without a zero before it ends at the ELF file', () => {
  expect(relocated32(concat(ELF, word(4)), 10)).toEqual([TEXT + 4]);
});

import { describe, expect, test } from '@jest/globals';
import { readKernelImage, type KernelImage } from '../../../src/firmware/image/kernel-image.js';
import { BOOT_PARAMS } from '../../../src/firmware/boot-params.js';
import { stubEnd, stubOf } from '../../../src/firmware/image/stub.js';
import { elf, program, TEXT } from '../../cli/code-image.js';
import { STUB_AT, stubImage } from '../../cli/stub-image.js';
import { refusal, viewOf } from './build.js';

const read = (bytes: Uint8Array): KernelImage => readKernelImage(bytes, { file: 'image' });
/** The file with a field of its setup header changed. */
function changed(field: keyof typeof BOOT_PARAMS, value: number): Uint8Array {
  const bytes = stubImage();
  const at = BOOT_PARAMS[field];
  if (field === 'min_alignment') bytes[at] = value;
  else if (field === 'version') viewOf(bytes).setUint16(at, value, true);
  else viewOf(bytes).setUint32(at, value, true);
  return bytes;
}

test('the stub is the protected-mode code as syssize says, with the header’s addresses', () => {
  const bytes = stubImage();
  const stub = stubOf(read(bytes));
  const start = 4 * 512;
  const size = Math.floor((bytes.length - start) / 16) * 16;
  expect(stub.bytes).toEqual(bytes.subarray(start, start + size));
  expect({ ...stub, bytes: null }).toEqual({
    bytes: null,
    preferred: STUB_AT,
    relocatable: true,
    alignment: 0x20_0000,
    minAlignment: 0x20_0000,
    initSize: 0x100_0000,
  });
});

test.each([
  ['before 2.10', changed('version', 0x0209), 'E_OLD_PROTOCOL', '2.09'],
  ['with an alignment of 0', changed('kernel_alignment', 0), 'E_BAD_FIELD', '0x200000 and 0x0'],
  ['with a small min_alignment', changed('min_alignment', 4), 'E_BAD_FIELD', '0x10'],
  ['without protected-mode code', changed('syssize', 0), 'E_BAD_FIELD', '0x0'],
  ['that is cut', changed('syssize', 0x10_0000), 'E_TRUNCATED', ''],
])('a header %s is refused', (_what, bytes, code, found) => {
  const error = refusal(() => stubOf(read(bytes)));
  expect(error.code).toBe(code);
  expect(error.message).toContain(found);
});

test('an ELF file has no stub', () => {
  const { code, symbols } = program();
  const error = refusal(() => stubOf(read(elf(code, symbols))));
  expect(error.message).toContain('a vmlinux has no decompressor');
});

describe('the memory of a stub', () => {
  const stub = stubOf(read(stubImage()));

  test.each([
    ['begins at its aligned address', 0x120_0001, 0x140_0000 + 0x100_0000],
    ['begins at the preferred address at the least', 0x20_0000, STUB_AT + 0x100_0000],
  ])('%s', (_what, at, end) => {
    expect(stubEnd(stub, at)).toBe(end);
  });

  test('is at the preferred address where the kernel is not relocatable', () => {
    expect(stubEnd({ ...stub, relocatable: false }, 0x200_0000)).toBe(
      Math.max(STUB_AT + 0x100_0000, 0x200_0000 + stub.bytes.length),
    );
  });

  test('has the stub in it', () => {
    expect(stubEnd({ ...stub, initSize: 0 }, STUB_AT)).toBe(STUB_AT + stub.bytes.length);
  });
});

test('the words that the stub relocates are read from the end of the payload', () => {
  expect(read(stubImage()).relocated).toEqual([TEXT + 0x100]);
});

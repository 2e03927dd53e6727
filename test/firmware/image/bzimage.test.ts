import { describe, expect, test } from '@jest/globals';
import { gzip as pack } from 'pako';
import { isBzImage, readBzImage, SETUP_HEADER } from '../../../src/firmware/image/bzimage.js';
import { compressed, sample } from '../../decompress/compressed.js';
import { buildBzImage, concat, le32, lz4Legacy, noise, refusal, viewOf } from './build.js';

const kernel = concat(noise(2000), new Uint8Array(3000));
const lz4 = concat(lz4Legacy(kernel), le32(kernel.length));
const gzip = pack(kernel);
/** Offset of the payload in a bzImage of buildBzImage. */
const PAYLOAD = 4 * 512 + 0x40;

test('the setup header has the fields of boot.txt', () => {
  expect(SETUP_HEADER).toEqual({
    setup_sects: 0x1f1,
    boot_flag: 0x1fe,
    jump: 0x201,
    header: 0x202,
    version: 0x206,
    kernel_version: 0x20e,
    payload_offset: 0x248,
    payload_length: 0x24c,
    xloadflags: 0x236,
    pref_address: 0x258,
    init_size: 0x260,
  });
});

describe('a bzImage', () => {
  test.each([
    ['LZ4', lz4],
    ['gzip', gzip],
  ])('with a payload of %s decompresses to the kernel', (compression, payload) => {
    const image = readBzImage(buildBzImage({ payload }), 'vmlinuz');
    expect(image.payload).toEqual(kernel);
    expect(image.compression).toBe(compression);
    expect(image.version).toBe('4.6.0 (built) #1');
  });

  test.each([
    ['XZ', 'bcj-crc32.xz'],
    ['ZSTD', 'unknown-size.zst'],
    ['LZMA', 'unknown.lzma'],
    ['bzip2', 'sample.bz2'],
    ['LZO', 'sample.lzo'],
    ['LZ4', 'legacy.lz4'],
    ['LZ4', 'sized.lz4'],
  ])(
    'with a payload of %s as packed by a kernel build (%s) decompresses to the kernel',
    (name, file) => {
      const payload = concat(compressed(file), le32(sample.length));
      const image = readBzImage(buildBzImage({ payload }), 'vmlinuz');
      expect(image.payload).toEqual(sample);
      expect(image.compression).toBe(name);
    },
  );

  test('with bytes between its stream and the size is refused with their offset', () => {
    const stream = compressed('unknown.lzma');
    const payload = concat(stream, [1, 2, 3], le32(sample.length));
    const { code, place, found } = refusal(() => readBzImage(buildBzImage({ payload }), 'vmlinuz'));
    expect({ code, offset: place.offset, found }).toEqual({
      code: 'E_CORRUPT',
      offset: PAYLOAD + stream.length,
      found: '3',
    });
  });

  test('has the setup header that the loader copies', () => {
    const bytes = buildBzImage({ payload: lz4 });
    const { setupHeader } = readBzImage(bytes, 'vmlinuz');
    expect(setupHeader).toEqual(bytes.slice(0x1f1, 0x264));
  });

  test('may have no version, and 0 for 4 setup sectors', () => {
    const image = readBzImage(
      buildBzImage({ payload: lz4, version: '', setupSects: 0 }),
      'vmlinuz',
    );
    expect(image.version).toBe('');
    expect(image.payload).toEqual(kernel);
  });

  test('may be of protocol 2.08, whose header ends with payload_length', () => {
    const bytes = buildBzImage({ payload: lz4, protocol: 0x0208, headerSize: 0x250 - 0x202 });
    expect(readBzImage(bytes, 'vmlinuz').payload).toEqual(kernel);
  });

  test('of protocol 2.07 is refused', () => {
    const bytes = buildBzImage({ payload: lz4, protocol: 0x0207 });
    const { code, place, found } = refusal(() => readBzImage(bytes, 'vmlinuz'));
    expect({ code, place, found }).toEqual({
      code: 'E_OLD_PROTOCOL',
      place: { file: 'vmlinuz', offset: 0x206 },
      found: '2.07',
    });
  });

  test.each([
    ['boot_flag', SETUP_HEADER.boot_flag],
    ['"HdrS"', SETUP_HEADER.header],
  ])('without %s is not a bzImage', (_title, offset) => {
    const bytes = buildBzImage({ payload: lz4 }).with(offset, 0);
    expect(isBzImage(bytes)).toBe(false);
    const error = refusal(() => readBzImage(bytes, 'vmlinuz'));
    expect({ code: error.code, offset: error.place.offset }).toEqual({
      code: 'E_NOT_A_KERNEL',
      offset,
    });
  });

  test.each([
    [0x24f, false],
    [0x250, true],
    [0x290, true],
    [0x291, false],
  ])('whose header ends at %d is accepted: %s', (end, read) => {
    const bytes = buildBzImage({ payload: lz4, headerSize: end - 0x202 });
    if (read) expect(readBzImage(bytes, 'vmlinuz').payload).toEqual(kernel);
    else expect(refusal(() => readBzImage(bytes, 'vmlinuz')).code).toBe('E_BAD_FIELD');
  });

  test.each([
    ['magic 4c 5a 49 50', [0x4c, 0x5a, 0x49, 0x50]],
    ['magic 7f 45 4c 46', [0x7f, 0x45, 0x4c, 0x46]],
  ])('with a payload of %s is refused with the name of the format', (found, magic) => {
    const bytes = buildBzImage({ payload: concat(magic, noise(100)) });
    const error = refusal(() => readBzImage(bytes, 'vmlinuz'));
    expect({ code: error.code, place: error.place, found: error.found }).toEqual({
      code: 'E_UNSUPPORTED_COMPRESSION',
      place: { file: 'vmlinuz', offset: PAYLOAD },
      found,
    });
  });

  test.each([
    ['LZ4', concat(lz4.subarray(0, -4), le32(0xffff_ffff)), lz4.length],
    ['gzip', concat(gzip.subarray(0, -4), le32(0xffff_fff0)), gzip.length],
  ])(
    'whose %s payload has an impossible size is refused before decompression',
    (_title, payload, n) => {
      const error = refusal(() => readBzImage(buildBzImage({ payload }), 'vmlinuz'));
      expect({ code: error.code, offset: error.place.offset }).toEqual({
        code: 'E_TOO_LARGE',
        offset: PAYLOAD + n - 4,
      });
    },
  );

  test('with a payload past its end is refused with the offset of the payload', () => {
    const bytes = buildBzImage({ payload: lz4 }).slice(0, PAYLOAD + lz4.length - 1);
    const error = refusal(() => readBzImage(bytes, 'vmlinuz'));
    expect({ code: error.code, place: error.place, found: error.found }).toEqual({
      code: 'E_TRUNCATED',
      place: { file: 'vmlinuz', offset: PAYLOAD },
      found: `${lz4.length - 1} before the end`,
    });
  });

  test('with an offset or length of all ones is refused', () => {
    for (const field of [SETUP_HEADER.payload_offset, SETUP_HEADER.payload_length]) {
      const bytes = buildBzImage({ payload: lz4 });
      viewOf(bytes).setUint32(field, 0xffff_ffff, true);
      expect(refusal(() => readBzImage(bytes, 'vmlinuz')).code).toBe('E_TRUNCATED');
    }
  });

  test('truncated anywhere throws an InputError', () => {
    const bytes = buildBzImage({ payload: lz4 });
    for (let length = 0; length < PAYLOAD + lz4.length; length += 13) {
      const { code } = refusal(() => readBzImage(bytes.subarray(0, length), 'vmlinuz'));
      expect(code).toBe('E_TRUNCATED');
    }
  });
});

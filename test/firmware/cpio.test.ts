import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  NEWC_FIELDS,
  NEWC_HEADER_SIZE,
  readCpio,
  S_IFDIR,
  S_IFREG,
  writeCpio,
  type CpioEntry,
} from '../../src/firmware/cpio.js';
import { MTIME } from '../fixtures/cpio/files.js';
import { fixture } from '../fixtures/fixture.js';
import { ascii, concat, noise, refusal } from './image/build.js';

const file = { file: 'initrd' };
const init: CpioEntry = { name: 'init', mode: S_IFREG | 0o755, body: ascii('#!/bin/sh\n') };
const etc: CpioEntry = { name: 'etc', mode: S_IFDIR | 0o755, body: new Uint8Array(0) };
const motd: CpioEntry = { name: 'etc/motd', mode: S_IFREG | 0o644, body: noise(7) };
const entries = [init, etc, motd];
const archive = writeCpio(entries);

/** The part of a read entry that the writer takes. */
function given(bytes: Uint8Array): CpioEntry[] {
  return readCpio(bytes, file).entries.map(({ name, mode, body }) => ({ name, mode, body }));
}
const zeros = (count: number): string[] => Array<string>(count).fill('00000000');
/** Offset of a field of the header at `at`. */
const field = (name: (typeof NEWC_FIELDS)[number], at = 0): number =>
  at + 6 + 8 * NEWC_FIELDS.indexOf(name);
/** The archive with a field of the header at `at` changed. */
function changed(name: (typeof NEWC_FIELDS)[number], digits: string, at = 0): Uint8Array {
  const bytes = archive.slice();
  bytes.set(ascii(digits), field(name, at));
  return bytes;
}

describe('a newc archive', () => {
  test('has thirteen fields after its magic, in the order of buffer-format.txt', () => {
    expect(NEWC_FIELDS).toEqual([
      'c_ino',
      'c_mode',
      'c_uid',
      'c_gid',
      'c_nlink',
      'c_mtime',
      'c_filesize',
      'c_maj',
      'c_min',
      'c_rmaj',
      'c_rmin',
      'c_namesize',
      'c_chksum',
    ]);
    expect(NEWC_HEADER_SIZE).toBe(6 + 13 * 8);
  });

  test('is written header by header, padded to multiples of 4', () => {
    const fields = ['00000001', '000081ed', ...zeros(2), '00000001', '00000000', '0000000a'];
    const header = `070701${[...fields, ...zeros(4), '00000005', '00000000'].join('')}`;
    const text = `${header}init\0\0#!/bin/sh\n\0\0`;
    expect(String.fromCharCode(...archive.subarray(0, text.length + 6))).toBe(`${text}070701`);
    expect(archive.length % 4).toBe(0);
    expect(writeCpio(entries)).toEqual(archive);
  });

  test('is read back as written, with the offsets of headers and bodies', () => {
    const { entries: found, end } = readCpio(archive, file);
    expect(given(archive)).toEqual(entries);
    expect(end).toBe(archive.length);
    expect(found.map(({ at, bodyAt }) => [at, bodyAt])).toEqual([
      [0, 116],
      [128, 244],
      [244, 364],
    ]);
    expect(found[0]).toMatchObject({ uid: 0, gid: 0, mtime: 0 });
  });

  test('stores owner and time', () => {
    const owned = { ...motd, uid: 1, gid: 0xffff_ffff, mtime: 0x5700_0000 };
    expect(readCpio(writeCpio([owned]), file).entries[0]).toMatchObject(owned);
  });

  test('without entries consists of its trailer', () => {
    expect(readCpio(writeCpio([]), file)).toEqual({ entries: [], end: 124 });
  });

  test('may follow another, with zeros between', () => {
    for (const zeros of [0, 4, 8, 512]) {
      expect(given(concat(archive, new Uint8Array(zeros), archive))).toEqual([
        ...entries,
        ...entries,
      ]);
    }
  });

  test('must start at a multiple of 4: reading stops at one that does not', () => {
    const bytes = concat(archive, new Uint8Array(2), archive);
    expect(readCpio(bytes, file)).toMatchObject({ end: archive.length + 2 });
    expect(given(bytes)).toEqual(entries);
  });

  test('may be followed by a compressed one: reading stops there', () => {
    const bytes = concat(archive, new Uint8Array(3), [0x1f, 0x8b, 8]);
    expect(readCpio(bytes, file).end).toBe(archive.length + 3);
  });

  test('may lack the padding of its trailer', () => {
    const end = archive.length - 3;
    expect(readCpio(archive.subarray(0, end), file).end).toBe(end);
  });

  test('with any entries is read back as written', () => {
    const entry = fc.record({
      name: fc
        .array(fc.integer({ min: 1, max: 0xff }), { minLength: 1, maxLength: 40 })
        .map((codes) => String.fromCharCode(...codes)),
      mode: fc.nat(0xffff),
      body: fc.uint8Array({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(fc.array(entry), (list) => {
        expect(given(writeCpio(list))).toEqual(list);
      }),
    );
  });
});

describe('readCpio and writeCpio refuse', () => {
  test.each([
    ['another magic', ascii('070702'.padEnd(110, '0')), 'E_NOT_CPIO', 0, '"070702"'],
    [
      'the old binary magic',
      Uint8Array.from([0xc7, 0x71, 0, 0]),
      'E_NOT_CPIO',
      0,
      '"Çq\\u0000\\u0000"',
    ],
    ['a gzip member', Uint8Array.from([0, 0x1f, 0x8b]), 'E_NOT_CPIO', 1, '"\\u001f\x8b"'],
    ['half a magic', ascii('0707'), 'E_NOT_CPIO', 0, '"0707"'],
  ])('bytes that are not newc: %s', (_title, bytes, code, offset, found) => {
    const error = refusal(() => readCpio(bytes, file));
    expect({ code: error.code, place: error.place, found: error.found }).toEqual({
      code,
      place: { file: 'initrd', offset },
      found,
    });
  });

  test.each([
    ['a second header without magic', archive.with(129, 0x38), 128],
    ['digits that are none', changed('c_mode', '0000g1ed'), field('c_mode')],
    ['digits with a sign', changed('c_filesize', '-0000001'), field('c_filesize')],
    ['a name of no bytes', changed('c_namesize', '00000000'), 0],
    ['a name longer than PATH_MAX', changed('c_namesize', '00001001'), 0],
    ['a name without its NUL', changed('c_namesize', '00000004'), 0],
    ['a name with a NUL inside', changed('c_namesize', '00000006'), 0],
  ])('an archive with %s', (_title, bytes, offset) => {
    const { code, place } = refusal(() => readCpio(bytes, file));
    expect({ code, place }).toEqual({ code: 'E_BAD_CPIO', place: { file: 'initrd', offset } });
  });

  test('a body of any length past the end', () => {
    for (const size of ['00001000', 'ffffffff']) {
      const { code, place } = refusal(() => readCpio(changed('c_filesize', size, 128), file));
      expect({ code, place }).toEqual({
        code: 'E_TRUNCATED',
        place: { file: 'initrd', offset: 128 },
      });
    }
  });

  test('an archive truncated before the end of its trailer', () => {
    const trailer = archive.length - 124;
    const last = trailer + NEWC_HEADER_SIZE + 'TRAILER!!!'.length;
    for (let length = 6; length <= last; length++) {
      const { code, place } = refusal(() => readCpio(archive.subarray(0, length), file));
      expect(code).toBe('E_TRUNCATED');
      expect(place.offset).toBeLessThanOrEqual(length);
    }
    expect(given(archive.subarray(0, last + 1))).toEqual(entries);
  });

  test('a name of PATH_MAX characters, and write and read one of PATH_MAX with its NUL', () => {
    const longest = { ...init, name: 'x'.repeat(4095) };
    expect(given(writeCpio([longest]))).toEqual([longest]);
    expect(refusal(() => writeCpio([{ ...init, name: 'x'.repeat(4096) }])).code).toBe('E_BAD_CPIO');
  });

  test.each([[''], ['a\0b'], ['TRAILER!!!'], ['Ā'], ['x'.repeat(4096)]])(
    'to write an entry with the name %j',
    (name) => {
      expect(refusal(() => writeCpio([{ ...init, name }])).code).toBe('E_BAD_CPIO');
    },
  );
});

describe('an archive of GNU cpio', () => {
  const packed = fixture('cpio/root.cpio');

  test('has the packed files', () => {
    expect(given(packed)).toEqual(entries);
  });

  test('ends with the padding to blocks of 512 bytes, and has its times', () => {
    const { entries: found, end } = readCpio(packed, file);
    expect(end).toBe(packed.length);
    expect(packed.length % 512).toBe(0);
    expect(found.map(({ mtime }) => mtime)).toEqual([MTIME, MTIME, MTIME]);
  });
});

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { sourceOf } from '../../../../src/base/byte-source.js';
import { initrdHint } from '../../../../src/linux/init/initramfs/hint.js';
import { joined, newc, unpacked, zeros, type Entry } from '../newc.js';

const FIXTURES = 'test/fixtures/ramdisks';
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FIXTURES}/${name}`));

const a: Entry = { name: 'a', body: 'first\n' };
const b: Entry = { name: 'b', body: 'second file\n' };
const gz = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));
const names = (bytes: Uint8Array): string[] => [...unpacked(bytes).files.keys()];
const message = (bytes: Uint8Array): string | undefined => unpacked(bytes).error?.message;

const TYPES: Readonly<Record<string, number>> = {
  '-': 0o100000,
  d: 0o040000,
  l: 0o120000,
  c: 0o020000,
  b: 0o060000,
  p: 0o010000,
};

/** The mode of a line of `ls -l`, as cpio lists it. */
function modeOf(text: string): number {
  let mode = TYPES[text[0] ?? ''] ?? NaN;
  [...text.slice(1)].forEach((char, index) => {
    if (char !== '-' && char !== 'S' && char !== 'T') mode |= 1 << (8 - index);
  });
  if (/[sS]/.test(text[3] ?? '')) mode |= 0o4000;
  if (/[tT]/.test(text[9] ?? '')) mode |= 0o1000;
  return mode;
}

describe('unpacking an archive of GNU cpio', () => {
  const { files, error } = unpacked(fixture('files.cpio'));
  const listed = readFileSync(`${FIXTURES}/files.list`, 'latin1').trimEnd().split('\n');

  test.each(listed)('creates %s', (line) => {
    const [mode = '', nlink, uid, gid, ...rest] = line.split(/[ ,]+/);
    const device = mode.startsWith('c') || mode.startsWith('b');
    const [path = '', target = ''] = line.slice(line.indexOf('2016 ') + 5).split(' -> ');
    const found = files.get(path);
    expect(found).toMatchObject({ mode: modeOf(mode), uid: Number(uid), gid: Number(gid), target });
    if (device) expect(found?.rdev).toEqual({ major: Number(rest[0]), minor: Number(rest[1]) });
    // Of the hard links of a file, the last entry has the body.
    else if (mode.startsWith('-') && nlink === '1')
      expect(found?.body).toHaveLength(Number(rest[0]));
  });

  test('gives no error, and one inode for hard links', () => {
    expect(error).toBeUndefined();
    const [sh, ash, dash] = ['bin/sh', 'bin/ash', 'bin/dash'].map((path) => files.get(path));
    expect(sh).toMatchObject({ nlink: 3 });
    expect(sh?.body).toHaveLength(128);
    expect([ash, dash]).toEqual([sh, sh]);
  });

  test.each(['gz', 'bz2', 'lzma', 'xz', 'lzo', 'lz4'])(
    'gives the same files from .%s with zeros before it',
    (ext) => {
      const packed = unpacked(joined(zeros(512), fixture(`files.cpio.${ext}`)));
      expect(packed.error).toBeUndefined();
      expect(packed.files).toEqual(files);
    },
  );

  test.each([
    ['crc64.xz', 'Input was encoded with settings that are not supported by this XZ decoder'],
    ['frame.lz4', 'junk in compressed archive'],
    ['zst', 'junk in compressed archive'],
  ])('gives no files from .%s, which the kernel does not support', (ext, text) => {
    expect(unpacked(fixture(`files.cpio.${ext}`))).toEqual({
      files: new Map(),
      error: { message: text, at: 0 },
    });
  });

  test.each(['gz', 'bz2', 'lzma', 'xz', 'lzo'])(
    'continues with the archives before and after a .%s stream',
    (ext) => {
      const packed = fixture(`files.cpio.${ext}`);
      const pad = zeros(-packed.length & 3);
      const both = unpacked(joined(newc(a), packed, pad, gz(newc(b)), zeros(64)));
      expect(both.error).toBeUndefined();
      expect([...both.files.keys()]).toEqual(['a', ...files.keys(), 'b']);
    },
  );

  test.each([
    ['bz2', 'decompressor failed'],
    ['lzma', 'LZMA data is corrupt'],
    ['xz', 'XZ-compressed data is corrupt'],
    ['gz', 'uncompression error'],
    ['lz4', 'Decoding failed'],
  ])('reports corrupt .%s data with the decompressor’s message', (ext, text) => {
    const damaged = fixture(`files.cpio.${ext}`);
    damaged.fill(0xff, 40, 120);
    expect([text, 'decompressor failed']).toContain(message(damaged));
  });

  // lib/decompress_unlzo.c. The file has a header of 48 bytes, then a block: two sizes, a checksum, data.
  test.each([
    ['its magic', 8, 'invalid header'],
    ['the size of a block', 48, 'dest len longer than block size'],
    ['the compressed size of a block', 52, 'file corrupted'],
    ['the data of a block', 70, 'Compressed data violation'],
  ])('reports damage of .lzo in %s with the decompressor’s message', (_what, at, text) => {
    const damaged = fixture('files.cpio.lzo');
    damaged.fill(0xff, at, at + 20);
    expect(message(damaged)).toBe(text);
  });

  test('does not compare the checksum of an .lzo block, as the kernel does not', () => {
    const damaged = fixture('files.cpio.lzo');
    damaged.fill(0, 56, 60);
    expect(unpacked(damaged)).toEqual(unpacked(fixture('files.cpio.lzo')));
  });

  test('misreads .lzo without a checksum per block, as the kernel does, and names the cause', () => {
    const packed = fixture('files.cpio.lzo');
    // The flags, big endian: 1 is Adler-32 of the contents.
    const without = joined(packed.subarray(0, 56), packed.subarray(60));
    without[20] = (without[20] ?? 0) & ~1;
    expect(message(without)).toMatch(/file corrupted|Compressed data violation/);
    const hint = (bytes: Uint8Array): string | undefined =>
      initrdHint({ message: '', at: 0 }, sourceOf(bytes));
    expect(hint(without)).toMatch(/lzo without exactly one checksum per block/);
    expect(hint(packed)).toBeUndefined();
  });

  test.each([
    ['gz', 'read error'],
    ['xz', 'XZ-compressed data is corrupt'],
    ['lz4', 'data corrupted'],
    ['lzma', 'unexpected EOF'],
    ['lzo', 'file corrupted'],
  ])('reports truncated .%s data with the decompressor’s message', (ext, text) => {
    expect(message(fixture(`files.cpio.${ext}`).subarray(0, 300))).toBe(text);
  });
});

describe('unpack_to_rootfs()', () => {
  test('unpacks plain and compressed archives in any order, with zeros between', () => {
    expect(names(joined(newc(a), zeros(512), gz(newc(b))))).toEqual(['a', 'b']);
    const first = gz(newc(b));
    const aligned = joined(first, zeros(-first.length & 3));
    expect(names(joined(aligned, newc(a)))).toEqual(['b', 'a']);
  });

  test('unpacks a further archive only at a multiple of 4', () => {
    expect(message(joined(newc(a), zeros(2), newc(b)))).toBe('broken padding');
    expect(names(joined(newc(a), zeros(2), newc(b)))).toEqual(['a']);
  });

  test('unpacks no files and gives no error for an empty initrd and one of zeros', () => {
    expect(unpacked(zeros(0))).toEqual({ files: new Map(), error: undefined });
    expect(unpacked(zeros(1 << 21))).toEqual({ files: new Map(), error: undefined });
  });

  test.each([
    ['070707', 'incorrect cpio method used: use -H newc option'],
    ['070702', 'no cpio magic'],
    ['07070x', 'no cpio magic'],
  ])('rejects magic %s with the kernel’s message', (magic, text) => {
    expect(message(newc({ ...a, magic }))).toBe(text);
    expect(names(newc(a, { ...b, magic }))).toEqual(['a']);
  });

  test('retains the files before an error, and returns the error’s offset', () => {
    const first = newc(a);
    const { files, error } = unpacked(joined(first, zeros(4), Uint8Array.of(1, 2, 3, 4)));
    expect([...files.keys()]).toEqual(['a']);
    expect(error).toEqual({ message: 'junk in compressed archive', at: first.length + 4 });
  });

  test('reads exactly c_filesize bytes of a body', () => {
    const long = unpacked(newc({ ...a, body: 'first\nand more', filesize: 6 }, b));
    expect(long.files.get('a')?.body).toBe('first\n');
    // The bytes after c_filesize are not an archive.
    expect(long.error?.message).toBe('junk in compressed archive');
    expect(unpacked(newc({ ...a, body: 'first\nxx', filesize: 6 }, b)).files.get('a')?.body).toBe(
      'first\n',
    );
  });

  test('unpacks an archive that is truncated in a body up to its end, without an error', () => {
    const cut = newc(a, b).subarray(0, 110 + 2 + 8 + 112 + 4);
    const { files, error } = unpacked(cut);
    expect(error).toBeUndefined();
    expect(files.get('b')?.body).toBe(`seco${'\0'.repeat(8)}`);
    // In a compressed archive it is an error: the next archive can only start after the body.
    expect(message(gz(cut))).toBe('junk in compressed archive');
  });

  test.each([
    ['4094 characters', 4094, true],
    ['4095 characters, PATH_MAX with their NUL', 4095, true],
    ['4096 characters', 4096, false],
  ])('accepts a path of %s: %s', (_title, length, taken) => {
    const name = 'f'.padStart(length, '/');
    const { files, error } = unpacked(newc({ ...a, name }, b));
    expect(error).toBeUndefined();
    expect([...files.keys()]).toEqual(taken ? ['f', 'b'] : ['b']);
  });

  // init/initramfs.c, do_header(): the header's sizes are compared, whatever NULs the bytes have.
  test.each([
    ['a name of PATH_MAX bytes', { name: 'f'.padEnd(4095, '\0') }, true],
    ['a name of PATH_MAX + 1 bytes', { name: 'f'.padEnd(4096, '\0') }, false],
    [
      'a target of PATH_MAX bytes',
      { name: 'f', mode: 0o120777, body: 't'.padEnd(4096, '\0') },
      true,
    ],
    [
      'a target of PATH_MAX + 1 bytes',
      { name: 'f', mode: 0o120777, body: 't'.padEnd(4097, '\0') },
      false,
    ],
  ])('reads a short text in %s: %#', (_what, given, taken) => {
    const { files, error } = unpacked(newc({ mode: 0o100644, ...given }, b));
    expect(error).toBeUndefined();
    expect([...files.keys()]).toEqual(taken ? ['f', 'b'] : ['b']);
  });

  // fs/namei.c, getname_kernel(): a path needs room for its NUL within PATH_MAX.
  test('skips a path of PATH_MAX characters whose NUL is in the padding', () => {
    const name = 'f'.padStart(4096, '/');
    expect(names(newc({ ...a, name, namesize: 4096 }, b))).toEqual(['b']);
  });

  test.each([
    ['a directory', 0o040755],
    ['a character device', 0o020600],
    ['a pipe', 0o010600],
  ])('skips %s that has a body', (_what, mode) => {
    expect(names(newc({ name: 'x', mode, body: '1234' }, b))).toEqual(['b']);
    expect(names(newc({ name: 'x', mode }, b))).toEqual(['x', 'b']);
  });

  test('accepts a name of 255 characters and skips one of 256', () => {
    expect(names(newc({ ...a, name: 'x'.repeat(255) }, b))).toHaveLength(2);
    expect(names(newc({ ...a, name: 'x'.repeat(256) }, b))).toEqual(['b']);
  });

  test('skips a name of size 0 and a file whose directory is missing', () => {
    expect(names(newc({ ...a, name: '', namesize: 0 }, b))).toEqual(['b']);
    expect(names(newc({ ...a, name: 'no/a' }, b))).toEqual(['b']);
  });

  test('replaces an earlier file of the same path, also by another type', () => {
    const dir: Entry = { name: 'a', mode: 0o040755 };
    expect(unpacked(newc(a, { ...a, body: 'again' })).files.get('a')?.body).toBe('again');
    expect(unpacked(newc(a, dir)).files.get('a')?.mode).toBe(0o040755);
    expect(unpacked(newc(dir, a)).files.get('a')?.mode).toBe(0o100644);
    // A directory that is not empty is not replaced.
    const replaced = unpacked(newc(dir, { ...b, name: 'a/b' }, a)).files;
    expect([...replaced.keys()]).toEqual(['a', 'a/b']);
  });

  test('creates hard links, whichever entry has the body', () => {
    const one: Entry = { name: 'one', ino: 7, nlink: 2, mode: 0o100755 };
    const two: Entry = { ...one, name: 'two' };
    for (const list of [
      [one, { ...two, body: 'both' }],
      [{ ...one, body: 'both' }, two],
    ]) {
      const { files } = unpacked(newc(...list));
      expect(files.get('one')).toMatchObject({ body: 'both', nlink: 2 });
      expect(files.get('two')).toEqual(files.get('one'));
    }
    // Inode numbers are local to an archive.
    const separate = unpacked(
      joined(newc({ ...one, body: '1' }), newc({ ...two, body: '2' })),
    ).files;
    expect([separate.get('one')?.body, separate.get('two')?.body]).toEqual(['1', '2']);
  });

  test('accepts a symbolic link’s target of less than PATH_MAX characters and skips a longer one', () => {
    const link = (length: number): Entry => ({
      name: 'link',
      mode: 0o120777,
      body: 'x'.repeat(length),
    });
    expect(unpacked(newc(link(4095))).files.get('link')?.target).toHaveLength(4095);
    expect(names(newc(link(4096), a))).toEqual(['a']);
    expect(names(newc(link(4097), a))).toEqual(['a']);
  });

  test('stops at the file system’s limit with a write error, after the file being written', () => {
    const big: Entry = { name: 'big', body: 'x'.repeat(50_000) };
    for (const bytes of [newc(a, big, b), gz(newc(a, big, b))]) {
      const { files, error } = unpacked(bytes, 30_000);
      expect(error?.message).toBe('write error');
      expect([...files.keys()]).toEqual(['a', 'big']);
      // Its size was set before: the missing part reads as zeros.
      expect(files.get('big')?.body).toHaveLength(50_000);
      expect(files.get('big')?.body.at(-1)).toBe('\0');
    }
  });

  test('reads a header field as simple_strtoul() does, with an optional 0x', () => {
    const bytes = newc(a, b);
    // c_mode: 0o100644 is 81a4.
    bytes.set(Buffer.from('0x0081A4'), 14);
    expect(unpacked(bytes).files.get('a')?.mode).toBe(0o100644);
  });

  test('unpacks files that are larger than the read window', () => {
    const body = Buffer.alloc(3_000_001, 'some text of 23 bytes. ');
    const { files, error } = unpacked(newc({ ...a, body }, b));
    expect(error).toBeUndefined();
    expect(Buffer.from(files.get('a')?.body ?? '', 'latin1').equals(body)).toBe(true);
    expect(files.get('b')?.body).toBe('second file\n');
  });
});

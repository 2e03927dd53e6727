import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { unpackCpio } from '../../../../src/linux/init/initramfs/unpack.js';
import { fixture } from '../../../fixtures/fixture.js';

const join2 = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const names = (bytes: Uint8Array): string[] => unpackCpio(bytes).files.map((file) => file.path);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('unpackCpio()', () => {
  const a = fixture('cpio/one.cpio');
  const b = fixture('cpio/two-three.cpio');

  test('unpacks an archive of GNU cpio', () => {
    const { files, message } = unpackCpio(b);
    expect(message).toBeUndefined();
    expect(files.map((f) => [f.path, text(f.body)])).toEqual([
      ['two', 'second file\n'],
      ['three', ''],
    ]);
  });

  test('unpacks a plain archive, zeros, a gzipped archive and a plain one', () => {
    const gz = new Uint8Array(gzipSync(b));
    const pad = new Uint8Array((4 - (gz.length % 4)) % 4);
    const all = join2(a, new Uint8Array(512), gz, pad, a);
    expect(unpackCpio(all).message).toBeUndefined();
    expect(names(all)).toEqual(['one', 'two', 'three']);
  });

  test('unpacks a gzip member with a file name in its header', () => {
    const plain = new Uint8Array(gzipSync(a));
    const named = join2(
      Uint8Array.of(...plain.slice(0, 3), 8, ...plain.slice(4, 10)),
      Uint8Array.from('x.cpio\0', (c) => c.charCodeAt(0)),
      plain.slice(10),
    );
    expect(names(named)).toEqual(['one']);
  });

  test('rejects data that are not an archive, with the kernel’s message', () => {
    expect(unpackCpio(Uint8Array.of(1, 2, 3, 4)).message).toBe('junk in compressed archive');
    expect(
      unpackCpio(Uint8Array.of(0x30, 0x31, ...new Array<number>(200).fill(0x31))).message,
    ).toBe('no cpio magic');
    const old = Uint8Array.from('070707'.padEnd(200, '0'), (c) => c.charCodeAt(0));
    expect(unpackCpio(old).message).toBe('incorrect cpio method used: use -H newc option');
  });

  test('rejects zstd, which Linux 4.6 does not support', () => {
    const zstd = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0);
    expect(unpackCpio(zstd).message).toBe('junk in compressed archive');
  });

  test('reports a corrupt gzip member', () => {
    const broken = new Uint8Array(gzipSync(b));
    broken.fill(0xff, 12, 40);
    expect(unpackCpio(broken).message).toBe('uncompression error');
  });

  test('unpacks an archive that is truncated in a file up to its end', () => {
    const cut = b.slice(0, 120);
    const body = new Uint8Array(12);
    body.set(b.subarray(116, 120));
    expect(unpackCpio(cut)).toEqual({ files: [{ path: 'two', mode: 0o100644, body }] });
    expect(unpackCpio(new Uint8Array(gzipSync(cut))).message).toBe('junk in compressed archive');
  });
});

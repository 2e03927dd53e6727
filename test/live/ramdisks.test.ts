/** RAM disks compressed by the tools, unpacked by the kernel model. */
import { describe, expect, test } from '@jest/globals';
import { unpackCpio } from '../../src/linux/init/initramfs/unpack.js';
import { ARCHIVES } from '../fixtures/cpio/files.js';
import { pack } from './pack.js';
import { tool, toolText } from './tool.js';

const archive = pack(ARCHIVES.get('root.cpio') ?? []);
/** Each tool with the options that the kernel's documentation requires. */
const TOOLS: readonly (readonly [string, ...string[]])[] = [
  ['gzip', '-9c'],
  ['bzip2', '-9c'],
  ['xz', '--format=lzma', '-c'],
  ['xz', '--check=crc32', '-c'],
  ['xz', '--check=crc32', '--x86', '--lzma2', '-c'],
  ['lz4', '-lc'],
  ['lzop', '-qc'],
  ['lzop', '-qc9', '--crc32'],
];

describe('an archive of GNU cpio', () => {
  test('has the files that cpio lists', () => {
    const listed = toolText('cpio', ['-t', '--quiet'], archive).trim().split('\n');
    const { files, message } = unpackCpio(archive);
    expect(message).toBeUndefined();
    expect(files.length).toBeGreaterThan(0);
    expect(listed).toEqual(expect.arrayContaining(files.map(({ path }) => path)));
  });

  test.each(TOOLS)('unpacks to the same files if compressed by %s %s', (name, ...args) => {
    expect(unpackCpio(tool(name, args, archive))).toEqual(unpackCpio(archive));
  });

  test.each<[string, ...string[]]>([
    ['zstd', '-qc'],
    ['lz4', '-qc'],
    ['xz', '--check=crc64', '-c'],
    ['lzop', '-qcF'],
  ])('is refused if compressed by %s %s', (name, ...args) => {
    const { files, message } = unpackCpio(tool(name, args, archive));
    expect(files).toEqual([]);
    expect(message).toBeDefined();
  });
});

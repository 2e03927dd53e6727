/** unpack_to_rootfs() of init/initramfs.c: archives, plain or compressed, one after another, from a buffer. */
import { sourceOf } from '../../../base/byte-source.js';
import { optional } from '../../../base/optional.js';
import { CpioUnpacker } from './cpio-fsm.js';
import { decompressMethod } from '../../lib/decompress.js';
import { DECOMPRESSORS, type Decompressors } from '../../lib/decompressors.js';
import { SourceInput, type InitrdSource } from './input.js';
import { freshRootfs, S_IFMT, S_IFREG, type Inode } from '../../include/linux/fs.js';
import { Rootfs, type PageCache } from '../../fs/ramfs.js';

/** What was found and where, for a message that says more than the kernel's. */
export interface UnpackError {
  /** The kernel's message. */
  readonly message: string;
  /** Offset in the buffer of what it was about: of an archive, or of a compressed stream. */
  readonly at: number;
}

/** Unpacks a buffer into a root file system; the first error, if there was one. */
export function unpackTo(
  fs: Rootfs,
  source: InitrdSource,
  decompressors: Decompressors = DECOMPRESSORS,
): UnpackError | undefined {
  const unpacker = new CpioUnpacker(fs);
  const length = source.length;
  let input = new SourceInput(source);
  let start = 0;
  while (unpacker.message === undefined && input.left > 0) {
    start = input.offset;
    const saved = unpacker.thisHeader;
    const first = input.some(1)[0];
    if (first === 0x30 && saved % 4 === 0) {
      unpacker.state = 'Start';
      unpacker.write(input);
      continue;
    }
    if (first === 0) {
      const zeros = leadingZeros(input.some(input.left));
      input.eat(zeros);
      unpacker.thisHeader += zeros;
      continue;
    }
    unpacker.thisHeader = 0;
    const method = decompressMethod(input.peek(Math.min(2, input.left)));
    const decompress = method === undefined ? undefined : decompressors[method];
    let used = 0;
    if (decompress !== undefined) {
      const rest = restOf(source, start);
      const flush = (bytes: Uint8Array): boolean => unpacker.flush(bytes);
      const result = decompress(rest, flush, (text) => unpacker.error(text));
      used = result.used;
      if (!result.ok) unpacker.error('decompressor failed');
    } else if (method !== undefined) {
      unpacker.error(`compression method ${method} not configured`);
    } else unpacker.error('junk in compressed archive');
    if (unpacker.state !== 'Reset') unpacker.error('junk in compressed archive');
    unpacker.thisHeader = saved + used;
    input = new SourceInput(source, Math.min(start + used, length));
  }
  unpacker.finish();
  return unpacker.message === undefined ? undefined : { message: unpacker.message, at: start };
}

function leadingZeros(bytes: Uint8Array): number {
  let count = 0;
  while (count < bytes.length && bytes[count] === 0) count++;
  return count;
}

/** A source from an offset on. */
function restOf(source: InitrdSource, from: number): InitrdSource {
  return { length: source.length - from, read: (at, length) => source.read(from + at, length) };
}

/** A regular file of an archive. */
export interface UnpackedFile {
  readonly path: string;
  readonly mode: number;
  readonly body: Uint8Array;
}

/** What an archive comes to, without a machine. */
export interface Unpacked {
  /** Its regular files, under each of their names, in the order of their directories. */
  readonly files: UnpackedFile[];
  /** The kernel's message where it gave up. */
  readonly message?: string;
}

/** Unpacks a buffer as the kernel does, into files that are here and not in a machine's memory. */
export function unpackCpio(
  buffer: Uint8Array,
  decompressors: Decompressors = DECOMPRESSORS,
): Unpacked {
  const state = freshRootfs();
  const bodies = new Map<Inode, Uint8Array>();
  const pages: PageCache = {
    write: (_ino, inode, pos, bytes) => {
      const grown = new Uint8Array(Math.max(inode.size, pos + bytes.length));
      grown.set(bodies.get(inode) ?? new Uint8Array(0));
      grown.set(bytes, pos);
      bodies.set(inode, grown);
      return bytes.length;
    },
    free: (inode) => bodies.delete(inode),
  };
  const error = unpackTo(new Rootfs(state, pages), sourceOf(buffer), decompressors);
  const files: UnpackedFile[] = [];
  const visit = (entries: ReadonlyMap<string, number>, before: string): void => {
    for (const [name, ino] of entries) {
      const inode = state.inodes.get(ino);
      if (inode === undefined) continue;
      if (inode.entries !== null) visit(inode.entries, `${before}${name}/`);
      if ((inode.mode & S_IFMT) !== S_IFREG) continue;
      const body = bodies.get(inode) ?? new Uint8Array(inode.size);
      files.push({ path: `${before}${name}`, mode: inode.mode, body });
    }
  };
  const root = state.inodes.get(1)?.entries;
  if (root !== undefined && root !== null) visit(root, '');
  return { files, ...optional({ message: error?.message }) };
}

/** unpack_to_rootfs() of init/initramfs.c: archives, plain or compressed, one after another, from a buffer. */
import { sourceOf } from '../../../base/byte-source.js';
import { optional } from '../../../base/optional.js';
import { CpioUnpacker } from './cpio-fsm.js';
import { decompressMethod } from '../../lib/decompress.js';
import { DECOMPRESSORS, type Decompressors } from '../../lib/decompressors.js';
import { SourceInput, type InitrdSource } from './input.js';
import { freshRootfs, S_IFMT, S_IFREG, type Inode } from '../../include/linux/fs.js';
import { Rootfs, type PageCache } from '../../fs/ramfs.js';

/** The first error of unpacking, with its offset, for a more specific message than the kernel's. */
export interface UnpackError {
  /** The kernel's message. */
  readonly message: string;
  /** Offset in the buffer of the archive or compressed stream with the error. */
  readonly at: number;
}

/** Unpacks a buffer into a root file system; returns the first error, if any. */
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

/** The part of a source from offset `from` on. */
function restOf(source: InitrdSource, from: number): InitrdSource {
  return { length: source.length - from, read: (at, length) => source.read(from + at, length) };
}

/** A regular file of an archive. */
export interface UnpackedFile {
  readonly path: string;
  readonly mode: number;
  readonly body: Uint8Array;
}

/** The result of unpacking without a machine. */
export interface Unpacked {
  /** Regular files, one element per name, in the order of their directories. */
  readonly files: UnpackedFile[];
  /** The kernel's message for the first error; absent if there is none. */
  readonly message?: string;
}

/** Unpacks a buffer as the kernel does, into the host's memory instead of a machine's. */
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
  const visit = (entries: ReadonlyMap<string, number>, prefix: string): void => {
    for (const [name, ino] of entries) {
      const inode = state.inodes.get(ino);
      if (inode === undefined) continue;
      if (inode.entries !== null) visit(inode.entries, `${prefix}${name}/`);
      if ((inode.mode & S_IFMT) !== S_IFREG) continue;
      const body = bodies.get(inode) ?? new Uint8Array(inode.size);
      files.push({ path: `${prefix}${name}`, mode: inode.mode, body });
    }
  };
  const root = state.inodes.get(1)?.entries;
  if (root !== undefined && root !== null) visit(root, '');
  return { files, ...optional({ message: error?.message }) };
}

/** Builds archives field by field, and unpacks archives as the kernel does, without a machine. */
import { sourceOf } from '../../../src/base/byte-source.js';
import { unpackTo, type UnpackError } from '../../../src/linux/init/initramfs/unpack.js';
import { freshRootfs, type Inode } from '../../../src/linux/include/linux/fs.js';
import { Rootfs, type PageCache } from '../../../src/linux/fs/ramfs.js';

/** An archive entry; header fields that are absent are derived from the others. */
export interface Entry {
  readonly name: string;
  readonly mode?: number;
  readonly body?: string | Uint8Array;
  readonly ino?: number;
  readonly nlink?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly rdev?: readonly [number, number];
  readonly filesize?: number;
  readonly namesize?: number;
  readonly magic?: string;
}

const hex8 = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');
const pad4 = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

function entry(given: Entry): Buffer {
  const { name, mode = 0o100644, ino = 0, nlink = 1, uid = 0, gid = 0 } = given;
  const body = Buffer.from(given.body ?? '');
  const [rmajor, rminor] = given.rdev ?? [0, 0];
  const fields = [
    ...[ino, mode, uid, gid, nlink, 0x571e_0000, given.filesize ?? body.length, 0, 0],
    ...[rmajor, rminor, given.namesize ?? name.length + 1, 0],
  ];
  const header = Buffer.from(
    `${given.magic ?? '070701'}${fields.map(hex8).join('')}${name}\0`,
    'latin1',
  );
  return Buffer.concat([pad4(header), pad4(body)]);
}

/** One archive with its trailer. */
export function newc(...entries: readonly Entry[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat([...entries, { name: 'TRAILER!!!', mode: 0 }].map((each) => entry(each))),
  );
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts));
export const zeros = (count: number): Uint8Array => new Uint8Array(count);

/** An unpacked file. */
export interface Found extends Pick<Inode, 'mode' | 'uid' | 'gid' | 'nlink' | 'rdev' | 'target'> {
  readonly body: string;
}

/** The files of an initrd by path, and the first error; `most` limits the bytes of all files. */
export function unpacked(
  bytes: Uint8Array,
  most = Infinity,
): { files: Map<string, Found>; error: UnpackError | undefined } {
  const state = freshRootfs();
  const bodies = new Map<Inode, Buffer>();
  let room = most;
  const pages: PageCache = {
    write: (_ino, inode, pos, chunk) => {
      const count = Math.min(room, chunk.length);
      room -= count;
      const before = bodies.get(inode) ?? Buffer.alloc(0);
      const grown = Buffer.alloc(Math.max(before.length, pos + count));
      before.copy(grown);
      grown.set(chunk.subarray(0, count), pos);
      bodies.set(inode, grown);
      return count;
    },
    free: (inode) => bodies.delete(inode),
  };
  const error = unpackTo(new Rootfs(state, pages), sourceOf(bytes));
  const files = new Map<string, Found>();
  const visit = (entries: ReadonlyMap<string, number>, prefix: string): void => {
    for (const [name, ino] of entries) {
      const inode = state.inodes.get(ino);
      if (inode === undefined) continue;
      const { mode, uid, gid, nlink, rdev, target, size } = inode;
      const whole = Buffer.alloc(size);
      bodies.get(inode)?.copy(whole);
      const body = whole.toString('latin1');
      files.set(prefix + name, { mode, uid, gid, nlink, rdev, target, body });
      if (inode.entries !== null) visit(inode.entries, `${prefix}${name}/`);
    }
  };
  const root = state.inodes.get(1)?.entries;
  if (root !== null && root !== undefined) visit(root, '');
  return { files, error };
}

/**
 * The system calls that unpacking uses on the first root file system: fs/ramfs or, without root=, mm/shmem.c.
 * Inodes and directories are plain kernel state; the pages of files are in simulated memory.
 */
import {
  EEXIST,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
} from '../include/uapi/asm-generic/errno-base.js';
import { lookupParent, lookupPath } from './namei.js';
import {
  addInode,
  NAME_MAX,
  PATH_MAX,
  S_IALLUGO,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type Inode,
  type RootfsState,
} from '../include/linux/fs.js';

/** The page cache of files. */
export interface PageCache {
  /** Writes bytes at offset `pos`; returns the number written, fewer at the file system's limit. */
  write(ino: number, inode: Inode, pos: number, bytes: Uint8Array): number;
  /** Frees a file's pages. */
  free(inode: Inode): void;
}

/** System calls on the root file system; an error is a negative errno. */
export class Rootfs {
  constructor(
    private readonly state: RootfsState,
    private readonly pages: PageCache,
  ) {}

  /** newlstat(): the mode; undefined if there is no such file. */
  lstatMode(path: string): number | undefined {
    return this.inode(lookupPath(this.state, path, false))?.mode;
  }

  /** open() for writing, with O_CREAT; returns the inode number. */
  open(path: string, truncate: boolean, mode: number): number {
    const at = lookupPath(this.state, path, true);
    const inode = this.inode(at);
    if (inode !== undefined) {
      if (inode.entries !== null) return -EISDIR;
      if (truncate && (inode.mode & S_IFMT) === S_IFREG) this.truncate(at, 0);
      return at;
    }
    if (at !== -ENOENT) return at;
    return this.create(path, S_IFREG | (mode & S_IALLUGO), {}, -EISDIR);
  }

  /** ftruncate(): called only before the whole file is written, so that no page is truncated in its middle. */
  truncate(ino: number, size: number): void {
    const inode = this.inode(ino);
    if (inode === undefined) return;
    if (size < inode.size) {
      this.pages.free(inode);
      inode.pages = [];
    }
    inode.size = size;
  }

  /** write() at a position: the number of bytes written. */
  write(ino: number, pos: number, bytes: Uint8Array): number {
    const inode = this.inode(ino);
    if (inode === undefined) return 0;
    const written = this.pages.write(ino, inode, pos, bytes);
    inode.size = Math.max(inode.size, pos + written);
    return written;
  }

  mkdir(path: string, mode: number): number {
    return this.create(path, S_IFDIR | (mode & S_IALLUGO), {}, -EEXIST);
  }

  mknod(path: string, mode: number, rdev: Inode['rdev']): number {
    return this.create(path, mode & (S_IFMT | S_IALLUGO), { rdev }, -EEXIST);
  }

  symlink(target: string, path: string): number {
    if (target === '') return -ENOENT;
    if (target.length >= PATH_MAX) return -ENAMETOOLONG;
    return this.create(path, S_IFLNK | 0o777, { target }, -EEXIST);
  }

  /** link(): a directory cannot have a second name. */
  link(old: string, path: string): number {
    const ino = lookupPath(this.state, old, false);
    const inode = this.inode(ino);
    if (inode === undefined) return ino;
    const last = this.newName(path, -EEXIST);
    if (typeof last === 'number') return last;
    if (inode.entries !== null) return -EPERM;
    inode.nlink++;
    last.entries.set(last.name, ino);
    return 0;
  }

  unlink(path: string): number {
    const found = this.existing(path);
    if (typeof found === 'number') return found;
    if (found.inode.entries !== null) return -EISDIR;
    found.entries.delete(found.name);
    if (--found.inode.nlink > 0) return 0;
    this.state.inodes.delete(found.ino);
    this.pages.free(found.inode);
    return 0;
  }

  rmdir(path: string): number {
    const found = this.existing(path);
    if (typeof found === 'number') return found;
    if (found.inode.entries === null) return -ENOTDIR;
    if (found.inode.entries.size > 0) return -ENOTEMPTY;
    found.entries.delete(found.name);
    this.state.inodes.delete(found.ino);
    return 0;
  }

  /** Sets owner or time of the inode at a path; the last link is followed if `follow` is set. */
  change(
    path: string,
    follow: boolean,
    attributes: Partial<Pick<Inode, 'uid' | 'gid' | 'mtime'>>,
  ): void {
    this.changeInode(lookupPath(this.state, path, follow), attributes);
  }
  changeInode(ino: number, attributes: Partial<Pick<Inode, 'uid' | 'gid' | 'mtime'>>): void {
    const inode = this.inode(ino);
    if (inode !== undefined) Object.assign(inode, attributes);
  }
  chmod(path: string, mode: number): void {
    this.chmodInode(lookupPath(this.state, path, true), mode);
  }
  chmodInode(ino: number, mode: number): void {
    const inode = this.inode(ino);
    if (inode !== undefined) inode.mode = (inode.mode & S_IFMT) | (mode & S_IALLUGO);
  }

  private inode(ino: number): Inode | undefined {
    return this.state.inodes.get(ino);
  }

  /** The last component of a path to create (filename_create); `taken` is the error for `.`, `..` and an empty name. */
  private newName(
    path: string,
    taken: number,
  ): { dir: number; entries: Map<string, number>; name: string; slash: boolean } | number {
    const last = lookupParent(this.state, path);
    if (typeof last === 'number') return last;
    if (!last.normal) return taken;
    const entries = this.inode(last.dir)?.entries ?? null;
    if (entries === null) return -ENOTDIR;
    if (last.name.length > NAME_MAX) return -ENAMETOOLONG;
    if (entries.has(last.name)) return -EEXIST;
    return { dir: last.dir, entries, name: last.name, slash: last.slash };
  }

  private create(path: string, mode: number, more: Partial<Inode>, taken: number): number {
    const last = this.newName(path, taken);
    if (typeof last === 'number') return last;
    // A path with a slash at its end may create a directory only.
    if (last.slash && (mode & S_IFMT) !== S_IFDIR) {
      return (mode & S_IFMT) === S_IFREG ? taken : -ENOENT;
    }
    // mm/shmem.c, shmem_reserve_inode.
    if (this.state.inodes.size >= this.state.maxInodes) return -ENOSPC;
    const ino = addInode(this.state, mode, last.dir, more);
    last.entries.set(last.name, ino);
    return ino;
  }

  private existing(
    path: string,
  ): { entries: Map<string, number>; name: string; ino: number; inode: Inode } | number {
    const last = lookupParent(this.state, path);
    if (typeof last === 'number') return last;
    const entries = this.inode(last.dir)?.entries ?? new Map<string, number>();
    const ino = entries.get(last.name);
    const inode = ino === undefined ? undefined : this.inode(ino);
    if (ino === undefined || inode === undefined) return -ENOENT;
    return { entries, name: last.name, ino, inode };
  }
}

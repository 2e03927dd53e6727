/** The first root file system as plain kernel state: inodes, directories and the addresses of the files' pages. */
import { stateSlice } from '../../../kernel/state.js';

/** Bits of an inode's mode (include/uapi/linux/stat.h). */
export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
/** Permissions with set-user-ID, set-group-ID and sticky bit (include/linux/stat.h). */
export const S_IALLUGO = 0o7777;
export const S_IXUGO = 0o111;

/** Longest path with its NUL, longest name (include/uapi/linux/limits.h). */
export const PATH_MAX = 4096;
export const NAME_MAX = 255;

/** Pages that are contiguous both in a file and in memory. */
export interface PageRun {
  /** Index of the first page in the file. */
  readonly index: number;
  /** Physical address of the first page. */
  readonly pa: number;
  count: number;
}

/** A file of any type. Names and paths have one character per byte. */
export interface Inode {
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Device number of a device node. */
  readonly rdev: { readonly major: number; readonly minor: number };
  /** Size of a regular file in bytes. */
  size: number;
  /** The file's pages, ascending by index; a hole reads as zeros. */
  pages: PageRun[];
  /** Target of a symbolic link. */
  readonly target: string;
  /** Directory entries: inode numbers by name; null if this is not a directory. */
  readonly entries: Map<string, number> | null;
  /** Inode number of the directory that the inode was created in. */
  readonly parent: number;
}

export interface RootfsState {
  inodes: Map<number, Inode>;
  /** The number of the next inode. */
  next: number;
  /** Number of pages that files use, and the limits of pages and inodes. */
  blocks: number;
  maxBlocks: number;
  maxInodes: number;
  /** Inode number of the first process's program; 0 before it runs. */
  executable: number;
  /** The first program that could not run because the archive is incomplete, and the reason. */
  incomplete: { path: string; ino: number; why: string } | null;
}

/** Inode number of the root directory. */
export const ROOT_INO = 1;

function makeInode(mode: number, parent: number, more: Partial<Inode> = {}): Inode {
  const directory = (mode & S_IFMT) === S_IFDIR;
  return {
    mode,
    uid: 0,
    gid: 0,
    nlink: directory ? 2 : 1,
    mtime: 0,
    rdev: { major: 0, minor: 0 },
    size: 0,
    pages: [],
    target: '',
    entries: directory ? new Map() : null,
    parent,
    ...more,
  };
}

/** Adds an inode; returns its number. */
export function addInode(
  state: RootfsState,
  mode: number,
  parent: number,
  more: Partial<Inode> = {},
): number {
  const ino = state.next++;
  state.inodes.set(ino, makeInode(mode, parent, more));
  return ino;
}

/** An empty file system (fs/ramfs/inode.c, ramfs_fill_super: the root directory's mode is 0755). */
export function freshRootfs(): RootfsState {
  const state: RootfsState = {
    inodes: new Map(),
    next: ROOT_INO,
    blocks: 0,
    maxBlocks: Number.MAX_SAFE_INTEGER,
    maxInodes: Number.MAX_SAFE_INTEGER,
    executable: 0,
    incomplete: null,
  };
  addInode(state, S_IFDIR | 0o755, ROOT_INO);
  return state;
}

declare module '../../../kernel/state.js' {
  interface KernelState {
    rootfs: RootfsState;
  }
}
export const rootfsState = stateSlice(() => ({ rootfs: freshRootfs() }));

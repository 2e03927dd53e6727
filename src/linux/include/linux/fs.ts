/** The first root file system as plain kernel state: inodes, directories and where the page cache has files' pages. */
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

/** Pages of a file that follow one another in the file and in memory. */
export interface PageRun {
  /** Number of the first page in the file. */
  readonly index: number;
  /** Its physical address. */
  readonly pa: number;
  count: number;
}

/** A file of any type. Names and paths have a character per byte. */
export interface Inode {
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Of a device node. */
  readonly rdev: { readonly major: number; readonly minor: number };
  /** Bytes of a regular file. */
  size: number;
  /** Its pages, by their numbers, ascending; what has none reads as zeros. */
  pages: PageRun[];
  /** Target of a symbolic link. */
  readonly target: string;
  /** Inode numbers by name; null where this is no directory. */
  readonly entries: Map<string, number> | null;
  /** Inode number of the directory that has this one. */
  readonly parent: number;
}

export interface RootfsState {
  inodes: Map<number, Inode>;
  /** The number of the next inode. */
  next: number;
  /** Pages that files have, and how many they and inodes may have at most. */
  blocks: number;
  maxBlocks: number;
  maxInodes: number;
  /** The file whose text runs as the first process; 0 before it does. */
  executable: number;
  /** The first program that could not run because the archive is not complete, and what it lacks. */
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

/** Adds an inode; gives its number. */
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

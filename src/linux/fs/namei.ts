/** fs/namei.c: path lookup. The current directory is the root, as for the first process until /init runs. */
import { ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from '../include/uapi/asm-generic/errno-base.js';
import {
  NAME_MAX,
  PATH_MAX,
  ROOT_INO,
  S_IFLNK,
  S_IFMT,
  type RootfsState,
} from '../include/linux/fs.js';

/** Maximum number of symbolic links that one walk follows (include/linux/namei.h). */
const MAXSYMLINKS = 40;

/** The last component of a path, not looked up. */
export interface LastComponent {
  /** Inode number of its directory. */
  readonly dir: number;
  readonly name: string;
  /** LAST_NORM of fs/namei.c: neither `.` nor `..` nor empty. */
  readonly normal: boolean;
  /** The path ends with a slash, so it must be a directory. */
  readonly slash: boolean;
}

const componentsOf = (path: string): string[] => path.split('/').filter((name) => name !== '');

/** A path walk: `pending` has the names to be walked, the next one last. An absolute target restarts at the root. */
class Walk {
  dir = ROOT_INO;
  private readonly pending: string[];
  private links = 0;

  constructor(
    private readonly state: RootfsState,
    names: readonly string[],
  ) {
    this.pending = [...names].reverse();
  }

  /** Walks all names; a link as last name is followed if `follow` is set. An inode number, or a negative errno. */
  to(follow: boolean): number {
    let at = this.dir;
    for (let name = this.pending.pop(); name !== undefined; name = this.pending.pop()) {
      const found = this.lookup(at, name);
      if (found < 0) return found;
      const inode = this.state.inodes.get(found);
      const isLink = inode !== undefined && (inode.mode & S_IFMT) === S_IFLNK;
      if (!isLink || (this.pending.length === 0 && !follow)) {
        at = found;
        continue;
      }
      if (this.links++ >= MAXSYMLINKS) return -ELOOP;
      if (inode.target === '') return -ENOENT;
      // A slash at the end of the target requires a directory, as it does in a path.
      if (inode.target.endsWith('/')) this.pending.push('.');
      this.pending.push(...componentsOf(inode.target).reverse());
      if (inode.target.startsWith('/')) at = ROOT_INO;
    }
    return at;
  }

  /** Inode number of a name in a directory, or a negative errno. */
  private lookup(dir: number, name: string): number {
    const inode = this.state.inodes.get(dir);
    if (inode === undefined || inode.entries === null) return -ENOTDIR;
    if (name === '.') return dir;
    if (name === '..') return inode.parent;
    // fs/libfs.c, simple_lookup.
    if (name.length > NAME_MAX) return -ENAMETOOLONG;
    return inode.entries.get(name) ?? -ENOENT;
  }
}

/** getname(): a negative errno for an empty or too long path, else 0. */
function checkPath(path: string): number {
  if (path === '') return -ENOENT;
  return path.length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/** The inode number of a path, or a negative errno (filename_lookup). The last link is followed if `follow` is set. */
export function lookupPath(state: RootfsState, path: string, follow: boolean): number {
  const error = checkPath(path);
  if (error !== 0) return error;
  const slash = path.endsWith('/');
  const names = componentsOf(path);
  return new Walk(state, slash ? [...names, '.'] : names).to(follow || slash);
}

/** The last component of a path and its directory (filename_parentat), or a negative errno. */
export function lookupParent(state: RootfsState, path: string): LastComponent | number {
  const error = checkPath(path);
  if (error !== 0) return error;
  const names = componentsOf(path);
  const name = names.pop() ?? '';
  const dir = new Walk(state, names).to(true);
  if (dir < 0) return dir;
  if ((state.inodes.get(dir)?.entries ?? null) === null) return -ENOTDIR;
  return {
    dir,
    name,
    normal: name !== '' && name !== '.' && name !== '..',
    slash: path.endsWith('/') && name !== '',
  };
}

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

/** Symbolic links that one walk follows at most (include/linux/namei.h). */
const MAXSYMLINKS = 40;

/** The last component of a path, not looked up: fs/namei.c calls `.`, `..` and nothing at all no LAST_NORM. */
export interface LastComponent {
  /** Inode number of its directory. */
  readonly dir: number;
  readonly name: string;
  readonly normal: boolean;
  /** The path ends with a slash, so it must be a directory. */
  readonly slash: boolean;
}

const componentsOf = (path: string): string[] => path.split('/').filter((name) => name !== '');

/** Names that are still to be walked, the next one last; an absolute target starts again at the root. */
class Walk {
  dir = ROOT_INO;
  private readonly left: string[];
  private links = 0;

  constructor(
    private readonly state: RootfsState,
    names: readonly string[],
  ) {
    this.left = [...names].reverse();
  }

  /** Walks all names; the last one is followed if it is a link and `follow` is set. An inode number, or an error below 0. */
  to(follow: boolean): number {
    let at = this.dir;
    for (let name = this.left.pop(); name !== undefined; name = this.left.pop()) {
      const found = this.lookup(at, name);
      if (found < 0) return found;
      const inode = this.state.inodes.get(found);
      const isLink = inode !== undefined && (inode.mode & S_IFMT) === S_IFLNK;
      if (!isLink || (this.left.length === 0 && !follow)) {
        at = found;
        continue;
      }
      if (this.links++ >= MAXSYMLINKS) return -ELOOP;
      if (inode.target === '') return -ENOENT;
      // A slash at the end of the target asks for a directory, as it does in a path.
      if (inode.target.endsWith('/')) this.left.push('.');
      this.left.push(...componentsOf(inode.target).reverse());
      if (inode.target.startsWith('/')) at = ROOT_INO;
    }
    return at;
  }

  /** One name in a directory. */
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

/** What getname() refuses of a path; 0 where it takes it. */
function checkPath(path: string): number {
  if (path === '') return -ENOENT;
  return path.length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/** The inode number of a path, or an error below 0 (filename_lookup). The last link is followed if `follow` is set. */
export function lookupPath(state: RootfsState, path: string, follow: boolean): number {
  const refused = checkPath(path);
  if (refused !== 0) return refused;
  const slash = path.endsWith('/');
  const names = componentsOf(path);
  return new Walk(state, slash ? [...names, '.'] : names).to(follow || slash);
}

/** The directory of a path's last component (filename_parentat), or an error below 0. */
export function lookupParent(state: RootfsState, path: string): LastComponent | number {
  const refused = checkPath(path);
  if (refused !== 0) return refused;
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

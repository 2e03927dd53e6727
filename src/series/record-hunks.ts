/** Which hunks model the names of a record. */
import { addedNames, type Hunk } from '../kernel/hunk.js';
import type { NamedChange } from './record.js';

/** The names of the kernel that a hunk adds or changes: a point within a function (`setup_arch:paging`) by its function. */
export function hunkNames(hunk: Hunk): string[] {
  const replaced = Object.keys(hunk.replaces ?? {}).map((name) => name.split(':')[0] ?? name);
  const added = [...addedNames(hunk), ...(hunk.options ?? []), ...(hunk.parameters ?? [])];
  return [...new Set([...added, ...replaced])];
}

/** The hunks that model a name: the one that the record gives, else those of its file that have the name. */
export function hunksOfName(entry: NamedChange, hunks: readonly Hunk[]): Hunk[] {
  if (entry.hunk !== undefined) return hunks.filter(({ id }) => id === entry.hunk);
  return hunks.filter((hunk) => hunk.file === entry.file && hunkNames(hunk).includes(entry.name));
}

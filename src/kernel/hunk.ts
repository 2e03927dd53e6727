/**
 * Hunks: the pieces that a patch is made of. A hunk replaces entries of the kernel's table (it gets the previous body
 * to call), adds names, and says which names of earlier patches it needs. The kernel never asks which are applied.
 */
import type { Entries, EntryName, KernelFile } from './table.js';
import type { Variable } from './variables.js';

/** Makes the new body of a name from the one before. */
export type Replacement<N extends EntryName> = (previous: Entries[N]) => Entries[N];

export interface Hunk {
  /** `NN/name`: patch number and a name of the piece. */
  readonly id: string;
  /** The kernel file that the hunk edits. */
  readonly file: string;
  /** What the piece does, in a line. */
  readonly what: string;
  readonly replaces?: { readonly [N in EntryName]?: Replacement<N> };
  /** New names with bodies. */
  readonly adds?: readonly KernelFile[];
  readonly variables?: readonly Variable[];
  /** Names without a body in the table that the hunk brings (constants of headers). */
  readonly names?: readonly string[];
  /** Names that must be there: a build without them would fail. */
  readonly needs?: readonly string[];
  /** Bodies for the added names when the hunk is neutral: the name stays, it does nothing. */
  readonly neutral?: readonly KernelFile[];
}

/** The part of a patch that lives in one room. */
export interface PatchPart {
  /** 1…18. */
  readonly patch: number;
  readonly hunks: readonly Hunk[];
}

/** All names that a hunk brings. */
export function addedNames(hunk: Hunk): string[] {
  return [
    ...(hunk.adds ?? []).flatMap((file) => Object.keys(file.defs)),
    ...(hunk.variables ?? []).map((variable) => variable.name),
    ...(hunk.names ?? []),
  ];
}

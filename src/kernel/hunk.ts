/**
 * Hunks: the pieces that a patch is made of. A hunk replaces entries of the kernel's table (it gets the previous body
 * to call), adds names, and says which names of earlier patches it needs. The kernel never asks which are applied.
 */
import type { EntryName, KernelFile, PatchedKernel, PatchEntries } from './table.js';
import type { Variable } from './variables.js';

/** Makes the new body of a name from the one before. */
export type Replacement<N extends EntryName> = (
  previous: PatchEntries[N],
) => Patched<PatchEntries[N]>;

/** A body that may call what patches bring. */
type Patched<F> = F extends (k: never, ...args: infer A) => infer R
  ? (k: PatchedKernel, ...args: A) => R
  : never;

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
  /** Options of the configuration that the hunk brings; one that nobody brings cannot be set. */
  readonly options?: readonly string[];
  /** Options of the command line that the hunk's code looks for, without `=`. */
  readonly parameters?: readonly string[];
  /** Names that must be there: a build without them would fail. */
  readonly needs?: readonly string[];
  /** Bodies that do nothing for the added names, where the hunk is left out and its names stay. */
  readonly stub?: readonly KernelFile[];
}

/** Code that stands beside the hunks of the series: what a later revision does, or a fix that somebody tries. */
export interface Alternative extends Hunk {
  /** The hunk in whose place it comes; absent where it comes on top of the series. */
  readonly instead?: string;
  /** Where the code is from: a later revision, or `our choice`. */
  readonly source: string;
}

/** The part of a patch that lives in one room. */
export interface PatchPart {
  /** Its number in the series, from 1. */
  readonly patch: number;
  /** Which part it is, from 1, of a patch that is in several files; its hunks are linked in this order. */
  readonly part?: number;
  /** The patch turns encryption on; `--activate` puts it on an earlier stage. */
  readonly turnsOn?: boolean;
  readonly hunks: readonly Hunk[];
  readonly alternatives?: readonly Alternative[];
}

/** Names that a hunk cannot do without: those that it asks for and those whose bodies it replaces. */
export function neededNames(hunk: Hunk): string[] {
  return [...(hunk.needs ?? []), ...Object.keys(hunk.replaces ?? {})];
}

/** All names that a hunk brings. */
export function addedNames(hunk: Hunk): string[] {
  return [
    ...(hunk.adds ?? []).flatMap((file) => Object.keys(file.defs)),
    ...(hunk.variables ?? []).map((variable) => variable.name),
    ...(hunk.names ?? []),
  ];
}

/**
 * Hunks: the parts of a patch. A hunk replaces entries of the kernel's table (it receives the previous body to call),
 * adds names, and lists the names of earlier patches that it needs. The kernel never tests which hunks are applied.
 */
import type { EntryName, KernelFile, PatchedKernel, PatchEntries } from './table.js';
import type { Variable } from './variables.js';

/** Makes the new body of a name from the previous one. */
export type Replacement<N extends EntryName> = (
  previous: PatchEntries[N],
) => Patched<PatchEntries[N]>;

/** The signature of a body that may call names added by patches. */
type Patched<F> = F extends (k: never, ...args: infer A) => infer R
  ? (k: PatchedKernel, ...args: A) => R
  : never;

export interface Hunk {
  /** `NN/name`: patch number and the name of the hunk. */
  readonly id: string;
  /** The kernel file that the hunk edits. */
  readonly file: string;
  /** What the hunk does, in one line. */
  readonly what: string;
  readonly replaces?: { readonly [N in EntryName]?: Replacement<N> };
  /** New names with bodies. */
  readonly adds?: readonly KernelFile[];
  readonly variables?: readonly Variable[];
  /** Names without a body in the table that the hunk adds (constants of headers). */
  readonly names?: readonly string[];
  /** Options of the configuration that the hunk adds; an option that no applied hunk adds cannot be set. */
  readonly options?: readonly string[];
  /** Options of the command line that the hunk's code parses, without `=`. */
  readonly parameters?: readonly string[];
  /** Names that must exist: a build without them would fail. */
  readonly needs?: readonly string[];
  /** Bodies of the added names when the hunk is replaced by a stub: the names exist and do nothing. */
  readonly stub?: readonly KernelFile[];
}

/** A hunk that is not in the series: another form of a hunk, a fix on trial. */
export interface OwnHunk extends Hunk {
  /** The hunk that it replaces; absent if it has the id of the hunk that it replaces, or is applied on top. */
  readonly instead?: string;
  /** The source of the code: a posting, a release, `our choice`. */
  readonly source?: string;
}

/** Alternative code for the series: that of a later revision, or a trial fix. */
export interface Alternative extends OwnHunk {
  /** The source of the code: a later revision, or `our choice`. */
  readonly source: string;
}

/** The part of a patch that is in one file. */
export interface PatchPart {
  /** Its number in the series, from 1. */
  readonly patch: number;
  /** Number of the part, from 1, if the patch is in several files; hunks are linked in this order. */
  readonly part?: number;
  /** The patch turns encryption on; `--activate` applies it to an earlier stage. */
  readonly turnsOn?: boolean;
  readonly hunks: readonly Hunk[];
  readonly alternatives?: readonly Alternative[];
}

/** Names that a hunk requires: those in `needs` and those whose bodies it replaces. */
export function neededNames(hunk: Hunk): string[] {
  return [...(hunk.needs ?? []), ...Object.keys(hunk.replaces ?? {})];
}

/** All names that a hunk adds: functions, variables and constants. */
export function addedNames(hunk: Hunk): string[] {
  return [
    ...(hunk.adds ?? []).flatMap((file) => Object.keys(file.defs)),
    ...(hunk.variables ?? []).map((variable) => variable.name),
    ...(hunk.names ?? []),
  ];
}

/** Own hunks for programs: checked, with the modules that they are from. */
import type { Place } from '../base/errors.js';
import type { OwnHunk } from '../kernel/hunk.js';
import { checkOnce, ownHunks as checked } from '../series/own-hunks.js';
import type { TraceHeader } from '../trace/trace.js';
import { hunkTools, type HunkTools } from './hunk-tools.js';

export { hunkTools, type HunkTools };

/** Own hunks that have been checked. */
export interface OwnHunks {
  readonly hunks: readonly OwnHunk[];
  /** Where they are from, as the header of a trace has it. */
  readonly modules: NonNullable<TraceHeader['ownHunks']>;
}

/** What a module of own hunks exports: a list, or a function that makes it. */
export type HunksExport = readonly OwnHunk[] | ((tools: HunkTools) => readonly OwnHunk[]);

/** Own hunks from a value of any kind; `path` is the name of the value in `where`, for errors. Throws E_OWN_HUNK. */
export function hunksOf(value: unknown, where: Place, path: string): readonly OwnHunk[] {
  const given: unknown =
    typeof value === 'function' ? (value as (tools: HunkTools) => unknown)(hunkTools) : value;
  return checked(given, where, path);
}

/**
 * Checks own hunks: their form, their ids, and the names that they replace and need. Throws E_OWN_HUNK with the path of
 * the first violation.
 */
export function ownHunks(given: HunksExport): OwnHunks {
  const hunks = hunksOf(given, {}, 'hunks');
  return { hunks, modules: [{ hunks: hunks.map(({ id }) => id) }] };
}

/** Own hunks of several modules together. Throws E_OWN_HUNK for an id that two of them have. */
export function joined(all: readonly OwnHunks[]): OwnHunks {
  const hunks = all.flatMap((each) => each.hunks);
  checkOnce(hunks);
  return { hunks, modules: all.flatMap((each) => each.modules) };
}

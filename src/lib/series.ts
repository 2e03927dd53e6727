/** The patches of the series for programs: their hunks, and what a selection of them gives. */
import type { Hunk as SeriesHunk, OwnHunk } from '../kernel/hunk.js';
import { compose as composeHunks } from '../series/compose.js';
import { link } from '../series/link.js';
import {
  allHunks,
  alternatives as allAlternatives,
  LAST_STAGE as LAST,
} from '../series/patches.js';
import type { OwnHunks } from './own-hunks.js';
import { selectionOf } from './selection.js';

/** The number of patches in the series, which is the last stage. */
export const LAST_STAGE: number = LAST;

/** A hunk with its code, as `hunks` of a selection and a module of own hunks have it. */
export type Hunk = OwnHunk;

/** A part of a patch, without its code. */
export interface HunkInfo {
  /** Number of the patch and name of the hunk: `09/initrd`. */
  readonly id: string;
  /** The kernel file that it edits. */
  readonly file: string;
  /** What it does, in one line. */
  readonly what: string;
}

/** Code that replaces a hunk, or is put on top of the series. */
export interface Alternative extends HunkInfo {
  /** The hunk that it replaces; absent: it is on top. */
  readonly instead?: string;
  /** Where the code is from: a later revision, or `our choice`. */
  readonly source: string;
}

/** Which hunks a kernel is built from; by default all of the posted series. */
export interface Selection {
  /** Patches 1 to this one are applied; default: all. */
  readonly stage?: number | undefined;
  /** Patch 18, which turns encryption on, is applied on top of the stage. */
  readonly activate?: boolean | undefined;
  /** Hunks (`09/initrd`) and patches (`10`) that are left out. */
  readonly without?: readonly string[] | undefined;
  /** What is left out is replaced by stubs: the names that it adds exist and do nothing. */
  readonly stub?: boolean | undefined;
  /** Alternatives by id; each replaces its hunk or is applied on top. */
  readonly with?: readonly string[] | undefined;
  /**
   * Own hunks, of {@link ownHunks} or of `loadHunks`. One with the id of a posted hunk is in its place, one with `instead`
   * replaces that hunk or alternative, any other is on top.
   */
  readonly hunks?: OwnHunks | readonly Hunk[] | undefined;
}

const described = ({ id, file, what }: SeriesHunk): HunkInfo => ({ id, file, what });

/** All hunks of the series, in its order. */
export function hunks(): HunkInfo[] {
  return allHunks().map(described);
}

/** All alternatives, in the order of the patches. */
export function alternatives(): Alternative[] {
  return allAlternatives().map((each) => ({
    ...described(each),
    source: each.source,
    ...(each.instead !== undefined && { instead: each.instead }),
  }));
}

/**
 * The hunks of a selection, in the order in which they are applied. Throws InputError as applying and building would fail:
 * E_STAGE, E_HUNK and E_ALTERNATIVE for names that do not exist, E_LEFT_OUT and E_MISSING_NEED if a hunk needs another that
 * is not there.
 */
export function compose(selection: Selection = {}): HunkInfo[] {
  const composed = composeHunks(selectionOf(selection));
  link(composed.hunks, composed.placed);
  return composed.hunks.map(described);
}

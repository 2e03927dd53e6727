/** The patches and their hunks, in the order of the series. */
import * as z from 'zod';
import type { Alternative, Hunk, PatchPart } from '../kernel/hunk.js';
import * as registry from './registry.js';

/** In the order of the series; a module namespace object lists its names alphabetically. */
const PARTS: readonly PatchPart[] = Object.values<PatchPart>(registry).sort(
  (a, b) => a.patch - b.patch || (a.part ?? 1) - (b.part ?? 1),
);

/** The number of patches in the series, which is the last stage. */
export const LAST_STAGE = Math.max(...PARTS.map(({ patch }) => patch));
/** The patch that turns encryption on. */
export const TURN_ON = Math.max(...PARTS.map(({ patch, turnsOn }) => (turnsOn ? patch : 0)));

/** Schema of the number of a patch. */
export const patchNumber = z
  .int()
  .min(1)
  .refine((patch) => patch <= LAST_STAGE, `a patch is a number from 1 to ${LAST_STAGE}`);
/** Schema of a stage: patches 1…N are applied. */
export const stageNumber = z
  .int()
  .min(0)
  .refine((stage) => stage <= LAST_STAGE, `a stage is a number from 0 to ${LAST_STAGE}`);

/** Every hunk of one patch, from all its parts, in order. */
export function hunksOf(patch: number): readonly Hunk[] {
  return PARTS.filter((part) => part.patch === patch).flatMap((part) => part.hunks);
}

/** All hunks of the series, in order. */
export function allHunks(): readonly Hunk[] {
  return Array.from({ length: LAST_STAGE }, (_, i) => hunksOf(i + 1)).flat();
}

/** All alternatives to hunks of the series, in the order of the patches. */
export function alternatives(): readonly Alternative[] {
  const all = PARTS.flatMap((part) => part.alternatives ?? []);
  return all.sort((a, b) => patchOf(a) - patchOf(b));
}

/** The number of the patch that a hunk belongs to. */
export function patchOf(hunk: Hunk): number {
  return Number(hunk.id.slice(0, 2));
}

/** Which hunks a run has: a stage of the series, patch 18 put on top of it, hunks taken out. */
import { addedNames, type Hunk } from '../kernel/hunk.js';
import { InputError } from '../trace/errors.js';
import { allHunks, hunksOf, LAST_STAGE, patchOf, TURN_ON } from './patches.js';

export interface Composition {
  /** Patches 1…stage are applied. */
  readonly stage: number;
  /** Patch 18 on top, with the names of later patches that it needs. */
  readonly activate: boolean;
}

/** The hunks of a composition, in the order of the series. */
export function compose({ stage, activate }: Composition): readonly Hunk[] {
  if (!Number.isInteger(stage) || stage < 0 || stage > LAST_STAGE) {
    throw new InputError({
      code: 'E_STAGE',
      reason: 'there is no such stage',
      place: { path: 'stage' },
      expected: `0 to ${String(LAST_STAGE)}`,
      found: String(stage),
    });
  }
  const hunks = Array.from({ length: stage }, (_, i) => hunksOf(i + 1)).flat();
  if (!activate || stage >= TURN_ON) return hunks;
  const turnOn = hunksOf(TURN_ON);
  return inOrder([...hunks, ...turnOn, ...providers(turnOn, hunks, stage)]);
}

/** Hunks between the stage and patch 18 that bring a name which patch 18 needs and the stage has not. */
function providers(turnOn: readonly Hunk[], have: readonly Hunk[], stage: number): Hunk[] {
  const names = new Set(have.flatMap(addedNames));
  const wanted = turnOn.flatMap((hunk) => hunk.needs ?? []).filter((name) => !names.has(name));
  const between = allHunks().filter((hunk) => patchOf(hunk) > stage && patchOf(hunk) < TURN_ON);
  // Only headers' macros come along: functions and variables must be there, or the build fails.
  return between.filter(
    (hunk) => isHeader(hunk) && addedNames(hunk).some((name) => wanted.includes(name)),
  );
}

function isHeader(hunk: Hunk): boolean {
  const kinds = (hunk.adds ?? []).flatMap((file) => Object.values(file.defs).map((d) => d.kind));
  return (
    hunk.replaces === undefined &&
    hunk.variables === undefined &&
    kinds.every((kind) => kind === 'inline')
  );
}

function inOrder(hunks: readonly Hunk[]): Hunk[] {
  const order = allHunks();
  return [...new Set(hunks)].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

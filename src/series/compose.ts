/** Which hunks a run has: a stage of the series, patch 18 put on top of it, hunks left out and others put in. */
import { addedNames, type Hunk } from '../kernel/hunk.js';
import { InputError } from '../base/errors.js';
import { alternatives, allHunks, hunksOf, LAST_STAGE, patchOf, TURN_ON } from './patches.js';
import { checkLeftOut, expand, stubOf } from './without.js';

export interface HunkSelection {
  /** Patches 1…stage are applied. */
  readonly stage: number;
  /** Patch 18 on top, with the names of later patches that it needs. */
  readonly activate: boolean;
  /** Hunks (`09/initrd`) and patches (`10`) that are left out. */
  readonly without?: readonly string[];
  /** What is left out keeps its names, which do nothing. */
  readonly stub?: boolean;
  /** Alternatives, each in its hunk's place or on top of all. */
  readonly with?: readonly string[];
  /** Hunks of one's own on top of the stage, with ids that the series does not have; each can be left out. */
  readonly extra?: readonly Hunk[];
}

/** The hunks that a kernel is made of. */
export interface Composed {
  readonly hunks: readonly Hunk[];
  /** Hunks whose names have a place in the image: those left out too, so that addresses stay comparable. */
  readonly placed: readonly Hunk[];
}

/** Whether a composition is the whole posted series, nothing more and nothing less. */
export function isWholeSeries(composition: HunkSelection): boolean {
  const { stage, without = [], with: alternative = [], extra = [] } = composition;
  return stage === LAST_STAGE && [without, alternative, extra].every((each) => each.length === 0);
}

/** What is said of a composition, as options of `sme-boot run`. */
export function compositionWords(composition: Partial<HunkSelection>): string[] {
  const { stage, activate, without = [], stub, with: alternative = [] } = composition;
  return [
    ...(stage === undefined ? [] : [`--stage ${String(stage)}`]),
    ...(activate === true ? ['--activate'] : []),
    ...without.map((hunk) => `--without ${hunk}`),
    ...(stub === true ? ['--stub'] : []),
    ...alternative.map((id) => `--with ${id}`),
  ];
}

/**
 * The hunks of a composition, in the order of the series. Throws E_STAGE; E_HUNK for a name that is no hunk or is not in
 * the stage; E_LEFT_OUT where others need what is left out; E_ALTERNATIVE.
 */
export function compose(composition: HunkSelection): Composed {
  const stage = [...atStage(composition), ...(composition.extra ?? [])];
  const { without = [], stub = false, with: alternative = [] } = composition;
  const out = new Set(expand(without, stage));
  const staying = stage.filter((hunk) => !out.has(hunk));
  if (!stub) checkLeftOut(out, staying);
  const kept = stub ? stage.map((hunk) => (out.has(hunk) ? stubOf(hunk) : hunk)) : staying;
  const hunks = alternative.reduce(putIn, kept);
  const fresh = hunks.filter((hunk) => !stage.some(({ id }) => id === hunk.id));
  return { hunks, placed: fresh.length + out.size === 0 ? stage : [...stage, ...fresh] };
}

/** The hunks of a stage, with those that turn encryption on if they are asked for. */
function atStage({ stage, activate }: HunkSelection): readonly Hunk[] {
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

/**
 * A composition cut off after patch `stage`: of what is left out and put in, that which is there by then. What belongs
 * to patch 18 is there from the start where it is on top.
 */
export function upTo(composition: HunkSelection, stage: number): HunkSelection {
  const { activate, without = [], stub, with: extra = [] } = composition;
  const there = atStage({ stage, activate });
  const isThere = (patch: number): boolean => patch <= stage || (activate && patch === TURN_ON);
  const out = without.filter((name) =>
    there.some((hunk) => hunk.id === name || patchOf(hunk) === Number(name)),
  );
  const known = alternatives();
  const into = extra.filter((id) => {
    const found = known.find((alternative) => alternative.id === id);
    return found === undefined || isThere(patchOf(found));
  });
  return {
    stage,
    activate,
    ...(out.length === 0 ? {} : { without: out }),
    ...(stub === undefined || out.length === 0 ? {} : { stub }),
    ...(into.length === 0 ? {} : { with: into }),
  };
}

/** Puts an alternative in. */
function putIn(hunks: readonly Hunk[], id: string): readonly Hunk[] {
  const known = alternatives();
  const found = known.find((alternative) => alternative.id === id);
  if (found === undefined) {
    throw new InputError({
      code: 'E_ALTERNATIVE',
      reason: 'there is no such alternative',
      expected: known.map((alternative) => alternative.id).join(', '),
      found: id,
    });
  }
  if (hunks.includes(found)) {
    throw new InputError({ code: 'E_ALTERNATIVE', reason: `${id} is put in twice` });
  }
  const { instead } = found;
  if (instead === undefined) return [...hunks, found];
  if (!hunks.some((hunk) => hunk.id === instead)) {
    throw new InputError({
      code: 'E_ALTERNATIVE',
      reason: `${id} comes in the place of ${instead}, which this composition does not have`,
    });
  }
  return hunks.map((hunk) => (hunk.id === instead ? found : hunk));
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

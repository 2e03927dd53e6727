/**
 * Selects the hunks of a run: a stage of the series, patch 18 on top of it, hunks left out, alternatives and own hunks
 * applied.
 */
import { addedNames, type Hunk, type OwnHunk } from '../kernel/hunk.js';
import { InputError } from '../base/errors.js';
import { suggest } from '../base/suggest.js';
import { checkAdded, checkApplied, ownForms, replaceOwn } from './own-compose.js';
import { alternatives, allHunks, hunksOf, LAST_STAGE, patchOf, TURN_ON } from './patches.js';
import { canonicalName, checkLeftOut, expand, stubOf } from './without.js';

/** A hunk selection: which hunks a kernel is linked from. */
export interface HunkSelection {
  /** Patches 1…stage are applied. */
  readonly stage: number;
  /** Patch 18 is applied on top, with the header macros of later patches that it needs. */
  readonly activate: boolean;
  /** Ids of hunks (`09/initrd`) and numbers of patches (`10`) that are left out. */
  readonly without?: readonly string[];
  /** Hunks left out are replaced by stubs: their names exist and do nothing. */
  readonly stub?: boolean;
  /** Ids of alternatives; each replaces its hunk (`instead`) or is applied on top. */
  readonly with?: readonly string[];
  /**
   * Own hunks. One with the id of a posted hunk is applied in its place, one with `instead` replaces that hunk or
   * alternative, any other is on top of the stage. Each can be left out by its id.
   */
  readonly extra?: readonly OwnHunk[];
}

/** The hunks of a hunk selection. */
export interface Composed {
  readonly hunks: readonly Hunk[];
  /** Hunks whose names are placed in the image: also those left out, so that addresses stay comparable. */
  readonly placed: readonly Hunk[];
}

/** Whether a hunk selection is exactly the posted series. */
export function isWholeSeries(selection: HunkSelection): boolean {
  const { stage, without = [], with: alternative = [], extra = [] } = selection;
  return stage === LAST_STAGE && [without, alternative, extra].every((each) => each.length === 0);
}

/** A hunk selection as options of `sme-boot run`, a word each. */
export function selectionFlags(selection: Partial<HunkSelection>): string[] {
  const { stage, activate, without = [], stub, with: alternative = [] } = selection;
  return [
    ...(stage === undefined ? [] : ['--stage', String(stage)]),
    ...(activate === true ? ['--activate'] : []),
    ...without.flatMap((hunk) => ['--without', hunk]),
    ...(stub === true ? ['--stub'] : []),
    ...alternative.flatMap((id) => ['--with', id]),
  ];
}

/**
 * The hunks of a hunk selection, in the order of the series. Throws E_STAGE for an unknown stage, E_HUNK for a name that
 * is no hunk or patch of the stage, E_LEFT_OUT if others need a hunk that is left out, E_ALTERNATIVE for an unknown or
 * duplicate alternative or one without its hunk.
 */
export function compose(selection: HunkSelection): Composed {
  const posted = atStage(selection);
  const { without = [], stub = false, with: alternative = [], extra = [] } = selection;
  const { stage, replacing } = ownForms(posted, extra);
  const out = new Set(expand(without, [...stage, ...replacing]));
  const remaining = stage.filter((hunk) => !out.has(hunk));
  if (!stub) checkLeftOut(out, remaining);
  const base = stub ? stage.map((hunk) => (out.has(hunk) ? stubOf(hunk) : hunk)) : remaining;
  const withAlternatives = alternative.reduce(applyAlternative, base);
  if (extra.length > 0) checkApplied(base, withAlternatives, extra);
  const hunks = replacing.filter((hunk) => !out.has(hunk)).reduce(replaceOwn, withAlternatives);
  if (extra.length > 0) checkAdded(hunks, extra);
  const inImage = extra.length > 0 ? [...posted, ...extra] : stage;
  const added = hunks.filter((hunk) => !inImage.some(({ id }) => id === hunk.id));
  return { hunks, placed: added.length + out.size === 0 ? inImage : [...inImage, ...added] };
}

/** The hunks of a stage; with `activate`, also patch 18 and what it needs. Throws E_STAGE. */
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
 * A hunk selection restricted to patches 1…`stage`: hunks are left out and alternatives applied only as far as their patch
 * is applied. With `activate`, those of patch 18 apply at every stage.
 */
export function upTo(selection: HunkSelection, stage: number): HunkSelection {
  const { activate, without = [], stub, with: extra = [] } = selection;
  const applied = atStage({ stage, activate });
  const isApplied = (patch: number): boolean => patch <= stage || (activate && patch === TURN_ON);
  const out = without.filter((name) =>
    applied.some((hunk) => hunk.id === canonicalName(name) || patchOf(hunk) === Number(name)),
  );
  const known = alternatives();
  const applicable = extra.filter((id) => {
    const found = known.find((alternative) => alternative.id === id);
    return found === undefined || isApplied(patchOf(found));
  });
  return {
    stage,
    activate,
    ...(out.length === 0 ? {} : { without: out }),
    ...(stub === undefined || out.length === 0 ? {} : { stub }),
    ...(applicable.length === 0 ? {} : { with: applicable }),
  };
}

/** The E_ALTERNATIVE error for a name that is no alternative. */
export function unknownAlternative(found: string): InputError {
  const ids = alternatives().map(({ id }) => id);
  const near = suggest(canonicalName(found), ids);
  return new InputError({
    code: 'E_ALTERNATIVE',
    reason: 'there is no such alternative',
    expected:
      near.suggestion === undefined
        ? ids.join(', ')
        : 'an alternative that "sme-boot list alternatives" prints',
    found,
    ...near,
  });
}

/** The own hunks of a selection whose patch is applied at a stage; those numbered after the series are at every stage. */
export function ownUpTo({ activate, extra = [] }: HunkSelection, stage: number): OwnHunk[] {
  return extra.filter((hunk) => {
    const patch = Number((hunk.instead ?? hunk.id).slice(0, 2));
    return patch <= stage || patch > LAST_STAGE || (activate && patch === TURN_ON);
  });
}

/** Applies an alternative. Throws E_ALTERNATIVE. */
function applyAlternative(hunks: readonly Hunk[], given: string): readonly Hunk[] {
  const id = canonicalName(given);
  const found = alternatives().find((alternative) => alternative.id === id);
  if (found === undefined) throw unknownAlternative(given);
  if (hunks.includes(found)) {
    throw new InputError({ code: 'E_ALTERNATIVE', reason: `${id} is given twice` });
  }
  const { instead } = found;
  if (instead === undefined) return [...hunks, found];
  if (!hunks.some((hunk) => hunk.id === instead)) {
    throw new InputError({
      code: 'E_ALTERNATIVE',
      reason: `${id} replaces ${instead}, which this hunk selection does not have`,
    });
  }
  return hunks.map((hunk) => (hunk.id === instead ? found : hunk));
}

/** Hunks between the stage and patch 18 that add a name which patch 18 needs and the stage lacks. */
function providers(turnOn: readonly Hunk[], have: readonly Hunk[], stage: number): Hunk[] {
  const names = new Set(have.flatMap(addedNames));
  const missing = turnOn.flatMap((hunk) => hunk.needs ?? []).filter((name) => !names.has(name));
  const between = allHunks().filter((hunk) => patchOf(hunk) > stage && patchOf(hunk) < TURN_ON);
  // Only macros of headers are added: functions and variables must be in the stage, or the build fails.
  return between.filter(
    (hunk) => isHeader(hunk) && addedNames(hunk).some((name) => missing.includes(name)),
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

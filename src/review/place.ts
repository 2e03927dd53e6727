/** Where a recorded name is in a release. */
import type { NameKind, NameStep } from '../series/record.js';
import type { BaseRecord } from './base.js';
import { stepIn, stepsIn } from './release.js';

/** A name at a place, or why it has none. */
export interface Place {
  readonly name: string;
  readonly file: string;
  readonly kind?: NameKind;
  readonly value?: NameStep['value'];
  /** It is gone: why. */
  readonly gone?: string;
  /** The step of the record that says so; absent: it is where it was posted. */
  readonly step?: NameStep;
  /** The record has it for another release: why this one may have it too. */
  readonly uncertain?: string;
}

/** A name as it was posted or is in the base kernel. */
export interface Posted {
  readonly name: string;
  readonly file: string;
  readonly mainline?: readonly NameStep[] | undefined;
}

/** The steps of a name: its own, else those of the base kernel's record for it or for its file. */
function stepsOf(posted: Posted, base: BaseRecord): readonly NameStep[] {
  if (posted.mainline !== undefined) return posted.mainline;
  const same = base.names.find(({ name, file }) => name === posted.name && file === posted.file);
  const steps = same?.mainline ?? base.files.find(({ file }) => file === posted.file)?.mainline;
  return steps ?? [];
}

/** A file of the base kernel in a release. */
function fileIn(file: string, release: string, base: BaseRecord): string {
  const steps = base.files.find((each) => each.file === file)?.mainline;
  return stepIn(steps, release)?.file ?? file;
}

function placeOf(
  posted: Posted,
  step: NameStep | undefined,
  base: BaseRecord,
  release: string,
): Place {
  const { name, file } = posted;
  if (step === undefined)
    return { name, file: posted.mainline ? file : fileIn(file, release, base) };
  return {
    name: step.name ?? name,
    file: step.file ?? fileIn(file, release, base),
    ...(step.kind === undefined ? {} : { kind: step.kind }),
    ...(step.value === undefined ? {} : { value: step.value }),
    ...(step.gone === undefined ? {} : { gone: step.gone }),
    step,
  };
}

/**
 * Where a name is in a release, the recorded place first; others follow where the record is not certain (`stepsIn`). A file of
 * the base kernel that moved takes along the names that have no place of their own.
 */
export function placesIn(
  posted: Posted,
  release: string,
  base: BaseRecord,
): readonly [Place, ...Place[]] {
  const [first, ...others] = stepsIn(stepsOf(posted, base), release);
  return [
    placeOf(posted, first.step, base, release),
    ...others.map(({ step, uncertain }) => ({
      ...placeOf(posted, step, base, step?.from ?? base.release),
      ...(uncertain === undefined ? {} : { uncertain }),
    })),
  ];
}

/** The places that a name had in releases before one: there it is looked for if it is recorded as gone. */
export function earlierPlaces(posted: Posted, release: string, base: BaseRecord): Place[] {
  const steps = stepsOf(posted, base);
  const at = stepIn(steps, release);
  const before = at === undefined ? [] : steps.slice(0, steps.indexOf(at));
  return [
    { name: posted.name, file: posted.file },
    ...before
      .filter(({ gone }) => gone === undefined)
      .map((step) => placeOf(posted, step, base, release)),
  ];
}

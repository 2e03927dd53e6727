/** The two kernels that each view of a patch compares, and the effects computed from their boots. */
import type { Hunk } from '../../kernel/hunk.js';
import { link } from '../../series/link.js';
import { allHunks, hunksOf, LAST_STAGE } from '../../series/patches.js';
import { compose, type HunkSelection } from '../../series/compose.js';
import { unmetBy } from '../../series/without.js';
import { InputError } from '../../base/errors.js';
import type { Trace } from '../../trace/trace.js';
import { effectBetween, scriptEffects, type ScriptAnswers } from './effects.js';
import {
  showsIn,
  VIEWS,
  type Effects,
  type EffectView,
  type TraceView,
  type ViewName,
} from './form.js';

/** Two kernels, without a patch and with it; or why a view does not exist. */
export type ViewPlan =
  | { readonly none: string }
  | {
      readonly how?: 'removed' | 'stub';
      readonly before: HunkSelection;
      readonly after: HunkSelection;
    };

/** Runs boots and call scripts. */
export interface EffectSources {
  /** The trace of a kernel on the scenario that the effects are of. */
  readonly traceOf: (selection: HunkSelection) => Trace;
  /** The results of a patch's call scripts without it and with it; absent if there are no call scripts. */
  readonly scriptsOf?: (patch: number) => readonly ScriptAnswers[];
}

/** The hunks of a stage with patch 18 on top, or the error if that does not link. */
function activated(stage: number): readonly Hunk[] | string {
  try {
    const { hunks, placed } = compose({ stage, activate: true });
    return link(hunks, placed).hunks;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.reason ?? error.message;
  }
}

const ids = (hunks: readonly Hunk[]): string => hunks.map(({ id }) => id).join(' ');

function activatedPlan(patch: number): ViewPlan {
  const [before, after] = [activated(patch - 1), activated(patch)];
  const cannot = (stage: number, why: string): ViewPlan => ({
    none: `stage ${stage} does not link with patch ${LAST_STAGE} on top: ${why}`,
  });
  if (typeof before === 'string') return cannot(patch - 1, before);
  if (typeof after === 'string') return cannot(patch, after);
  if (ids(before) === ids(after)) {
    return { none: `patch ${patch} is itself on top of both: see the stage view` };
  }
  return {
    before: { stage: patch - 1, activate: true },
    after: { stage: patch, activate: true },
  };
}

function withoutPlan(patch: number): ViewPlan {
  const out = new Set(hunksOf(patch));
  const staying = allHunks().filter((hunk) => !out.has(hunk));
  if (ids(staying) === ids(compose({ stage: patch - 1, activate: false }).hunks)) {
    return {
      none: `the series without patch ${patch} is stage ${patch - 1}: see the stage view`,
    };
  }
  const how = unmetBy(out, staying).length === 0 ? 'removed' : 'stub';
  const whole: HunkSelection = { stage: LAST_STAGE, activate: false };
  return {
    how,
    before: { ...whole, without: [String(patch)], ...(how === 'stub' && { stub: true }) },
    after: whole,
  };
}

/** The two kernels that each view of a patch compares. */
export function viewPlans(patch: number): Readonly<Record<TraceView, ViewPlan>> {
  return {
    stage: {
      before: { stage: patch - 1, activate: false },
      after: { stage: patch, activate: false },
    },
    activated: activatedPlan(patch),
    without: withoutPlan(patch),
  };
}

function viewOf(patch: number, plan: ViewPlan, { traceOf }: EffectSources): EffectView {
  if ('none' in plan) return { none: plan.none };
  const view = effectBetween(patch, traceOf(plan.before), traceOf(plan.after));
  return { ...(plan.how !== undefined && { how: plan.how }), ...view };
}

/** The effects of a patch on a scenario, in some views or all. `reason`: included only if no view shows an effect. */
export function effectsOn(
  patch: number,
  scenario: string,
  sources: EffectSources,
  options: { readonly views?: readonly ViewName[]; readonly reason?: string | undefined } = {},
): Effects {
  const plans = viewPlans(patch);
  const selected = VIEWS.filter((name) => (options.views ?? VIEWS).includes(name));
  const views = Object.fromEntries(
    selected.flatMap((name): [string, unknown][] => {
      if (name !== 'probes') return [[name, viewOf(patch, plans[name], sources)]];
      return sources.scriptsOf === undefined
        ? []
        : [[name, scriptEffects(sources.scriptsOf(patch))]];
    }),
  ) as Effects['views'];
  const unexplained = options.reason !== undefined && showsIn(views).length === 0;
  return {
    expect: 'effects',
    patch,
    scenario,
    views,
    ...(unexplained && { reason: options.reason }),
  };
}

/** The effects of a patch that matter most, from traces/effects/: how the boot ends, what is read right, memory. */
import { join } from 'node:path';
import {
  effectsOf,
  viewShows,
  type Effects,
  type EffectView,
  type TraceView,
} from '../analysis/effects/form.js';
import { readYaml } from '../base/yaml-source.js';
import { readText } from '../node/files.js';
import { GOLDEN_EFFECTS } from './golden.js';
import { packageRoot } from './paths.js';

/** Most lines of a view, and most names in a line (our choice: the card fits a screen). */
const MOST = { lines: 6, names: 5 };

/** What a patch changes on one scenario. */
export interface PatchEffects {
  readonly scenario: string;
  /** The view that shows it; absent: `lines` says why none does. */
  readonly view?: TraceView | 'probes';
  readonly lines: readonly string[];
  readonly command: string;
}

/** The views by how much they tell of a patch: what breaks without it, then what it adds to the patches before. */
const ORDER: readonly TraceView[] = ['without', 'activated', 'stage'];

function some(names: readonly string[]): string {
  const rest = names.length - MOST.names;
  return rest <= 1 ? names.join(', ') : `${names.slice(0, MOST.names).join(', ')} and ${rest} more`;
}

/** Data whose reader gets something else, by what it gets. */
function readings({ outcome, consumed = [], ...view }: EffectView): string[] {
  // A boot that gets further reads more: that is no effect of its own.
  const { readNow = {}, readNoMore = {} } = outcome === undefined ? view : {};
  const of = (after: string): string[] =>
    consumed.filter((each) => each.after === after).map(({ name }) => name);
  const rows: [string, readonly string[]][] = [
    ['intact, garbage before', of('intact')],
    ['garbage, intact before', of('garbage')],
    ['read now, intact', readNow.intact ?? []],
    ['read now, garbage', readNow.garbage ?? []],
    ['no longer read, was intact', readNoMore.intact ?? []],
    ['no longer read, was garbage', readNoMore.garbage ?? []],
  ];
  return rows.flatMap(([what, names]) => (names.length > 0 ? [`${what}: ${some(names)}`] : []));
}

/** An outcome without its message. */
const ending = (outcome: string): string => outcome.split(': ')[0] ?? outcome;

function viewLines(view: EffectView): string[] {
  const { outcome, regions = [], screen, steps = [] } = view;
  const changed = new Map<string, string[]>();
  for (const { name, before, after } of regions) {
    // Likewise for what a boot that ends early has not put there.
    if (outcome !== undefined && before === 'none') continue;
    const change = `${before} → ${after}`;
    changed.set(change, [...(changed.get(change) ?? []), name]);
  }
  const lines = [
    ...(outcome === undefined
      ? []
      : [`ends: ${ending(outcome.before)} → ${ending(outcome.after)}`]),
    ...readings(view),
    ...[...changed].map(([change, names]) => `in DRAM ${change}: ${some(names)}`),
    ...(screen === undefined || outcome !== undefined ? [] : [`screen: ${screen} lines differ`]),
  ];
  if (lines.length > 0) return lines;
  // Events only: the first examples are the most relevant ones.
  return steps.flatMap(({ label, examples = [] }) => examples.map((line) => `${label}: ${line}`));
}

function partOf(effects: Effects): PatchEffects {
  const { patch, scenario, views, reason } = effects;
  const on = scenario === 'epyc-efi' ? '' : `${scenario} `;
  const command = `sme-boot effects ${on}${patch}`;
  for (const name of ORDER) {
    const view = views[name];
    if (view === undefined || !viewShows(view)) continue;
    const lines = viewLines(view);
    const rest = lines.length - MOST.lines;
    const shown = rest <= 1 ? lines : [...lines.slice(0, MOST.lines), `and ${rest} more`];
    return { scenario, view: name, lines: shown, command: `${command} --view ${name}` };
  }
  const probes = (views.probes ?? []).map(
    ({ probe, field, before = '(none)', after = '(none)' }) =>
      `${[probe, field].filter(Boolean).join(': ')}: ${before} → ${after}`,
  );
  if (probes.length > 0)
    return { scenario, view: 'probes', lines: probes.slice(0, MOST.lines), command };
  return {
    scenario,
    lines: [`shows in no view: ${reason ?? 'the reason is not recorded'}`],
    command,
  };
}

/** The effects of a patch, one part a scenario. */
export function patchEffects(patch: number, root = packageRoot()): PatchEffects[] {
  return GOLDEN_EFFECTS.filter((golden) => golden.patch === patch).map(({ file }) => {
    const path = `traces/${file}`;
    return partOf(effectsOf(readYaml(path, readText(join(root, path)))));
  });
}

/** What a view compares, in words. */
export const viewTitle = (patch: number, view: PatchEffects['view']): string => {
  const titles: Readonly<Record<TraceView | 'probes', string>> = {
    without: `the series without patch ${patch} → the series`,
    activated: `stage ${patch - 1} → stage ${patch}, patch 18 on top of both`,
    stage: `stage ${patch - 1} → stage ${patch}`,
    probes: 'call scripts',
  };
  return view === undefined ? 'the stages before and after it' : titles[view];
};

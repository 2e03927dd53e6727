/** Effects as text for a terminal, and the differences between two effects. */
import { own } from '../../base/own.js';
import { byName, plainDifferences } from '../../check/compare.js';
import { printable } from '../../base/printable.js';
import { reportChangeText } from '../../check/report-changes.js';
import { fieldText, plainPainter, type Painter } from '../../check/compare-text.js';
import {
  showsIn,
  TRACE_VIEWS,
  type EffectCounts,
  type Effects,
  type EffectStep,
  type EffectView,
  type ScriptEffect,
  type Read,
  type TraceView,
  viewShows,
} from './form.js';

/** The title of each view: the two kernels it compares. */
const VIEW_TITLES: Readonly<Record<TraceView, (patch: number, view: EffectView) => string>> = {
  stage: (patch) => `stage ${patch - 1} → stage ${patch}`,
  activated: (patch) => `stage ${patch - 1} → stage ${patch}, patch 18 on top of both`,
  without: (patch, { how }) =>
    `the series without patch ${patch}${how === 'stub' ? ' (replaced by stubs, since others need its names)' : ''} → the series`,
};

const COUNT_WORDS: Readonly<Record<keyof EffectCounts, string>> = {
  added: 'added',
  gone: 'removed',
  changed: 'changed',
  moved: 'moved',
  credited: 'same event, another hunk',
};

function countsText(events: EffectCounts): string {
  const words = Object.entries(COUNT_WORDS) as [keyof EffectCounts, string][];
  return words
    .filter(([way]) => events[way] !== undefined)
    .map(([way, word]) => `${String(events[way])} ${word}`)
    .join(', ');
}

const SIGNS: Readonly<Record<string, keyof Painter>> = {
  '+': 'added',
  '-': 'gone',
  '~': 'changed',
};

function stepLines(
  { label, to, step, events, examples = [] }: EffectStep,
  paint: Painter,
): string[] {
  const span = to === undefined ? label : `${label} … ${to}`;
  const whole =
    step === undefined ? '' : ` (${step === 'added' ? 'reached now' : 'no longer reached'})`;
  const counts = events === undefined ? '' : `: ${countsText(events)}`;
  return [
    `    ${span}${whole}${counts}`,
    ...examples.map((line) => `      ${paint[own(SIGNS, line.charAt(0)) ?? 'changed'](line)}`),
  ];
}

function readLines(when: string, { intact, garbage }: Read = {}, paint: Painter): string[] {
  return [
    ...(intact === undefined ? [] : [`    ${when}, intact: ${paint.changed(intact.join(', '))}`]),
    ...(garbage === undefined
      ? []
      : [`    ${when}, garbage: ${paint.changed(garbage.join(', '))}`]),
  ];
}

function viewLines(view: EffectView, paint: Painter): string[] {
  if (view.none !== undefined) return [`    ${view.none}`];
  const change = (text: string): string => `    ${paint.changed(text)}`;
  const {
    outcome,
    consumed = [],
    readNow,
    readNoMore,
    regions = [],
    screen,
    reports = [],
    steps = [],
    digest,
  } = view;
  const lines = [
    ...(outcome === undefined ? [] : [change(`ends: ${outcome.before} → ${outcome.after}`)]),
    ...consumed.map(({ name, by, before, after }) => {
      const change = `${name}, read by ${by}: ${before} → ${after}`;
      return `    ${after === 'intact' ? paint.added(change) : paint.gone(change)}`;
    }),
    ...readLines('read now', readNow, paint),
    ...readLines('no longer read', readNoMore, paint),
    ...regions.map(({ name, before, after }) => change(`${name} in DRAM: ${before} → ${after}`)),
    ...(screen === undefined ? [] : [change(`screen: ${screen} lines differ`)]),
    ...reports.map((each) => change(`reports of ${printable(reportChangeText(each))}`)),
    ...steps.flatMap((step) => stepLines(step, paint)),
  ];
  if (digest === undefined) return ['    no difference'];
  return viewShows(view) ? lines : [...lines, '    otherwise only bytes in memory differ'];
}

function scriptLine({ probe, field, before, after }: ScriptEffect): string {
  const path = field === '' ? probe : `${probe}: ${field}`;
  return fieldText({ field: path, expected: before, found: after }, 'before');
}

/** Options of the text. */
export interface EffectsTextOptions {
  readonly paint?: Painter;
  /** The patch's subject. */
  readonly subject?: string;
  /** The command that prints the whole difference of a view. */
  readonly commandOf?: (view: TraceView) => string | undefined;
}

/** The effects of a patch, view by view. */
export function effectsText(effects: Effects, options: EffectsTextOptions = {}): string {
  const { paint = plainPainter, subject = '', commandOf } = options;
  const { patch, scenario, views, reason } = effects;
  const lines = [
    paint.heading(
      `${String(patch).padStart(2, '0')} ${subject}`.trimEnd() + `, on ${printable(scenario)}`,
    ),
  ];
  for (const name of TRACE_VIEWS) {
    const view = views[name];
    if (view === undefined) continue;
    const command = view.digest === undefined ? undefined : commandOf?.(name);
    lines.push(
      `  ${paint.heading(name)}: ${VIEW_TITLES[name](patch, view)}`,
      ...viewLines(view, paint),
      ...(command === undefined ? [] : [printable(`    full difference: ${command}`)]),
    );
  }
  if (views.probes !== undefined) {
    const probes = views.probes.map((each) => `    ${paint.changed(scriptLine(each))}`);
    lines.push(
      `  ${paint.heading('probes')}: results of the call scripts without the patch → with it`,
    );
    lines.push(...(probes.length === 0 ? ['    no difference'] : probes));
  }
  if (Object.keys(views).length === 0) lines.push('  no such view for this patch');
  if (reason !== undefined) lines.push(printable(`  shows in no view: ${reason}`));
  return `${lines.join('\n')}\n`;
}

/** The effects with lists keyed by name, so that an added row does not shift the rows after it. */
function comparable({ views, ...rest }: Effects): unknown {
  const view = (each: EffectView | undefined): unknown =>
    each && {
      ...each,
      consumed: byName(each.consumed ?? [], ({ name, by }) => `${name} by ${by}`),
      regions: byName(each.regions ?? [], ({ name }) => name),
      steps: byName(each.steps ?? [], ({ label }) => label),
      ...(each.reports && { reports: byName(each.reports, ({ rule }) => rule) }),
    };
  const { stage, activated, without, probes } = views;
  return {
    ...rest,
    stage: view(stage),
    activated: view(activated),
    without: view(without),
    ...(probes && { probes: byName(probes, ({ probe, field }) => `${probe}: ${field}`) }),
  };
}

/** The differences between two effects of a patch, one line each; empty if they are equal. */
export function effectsDifferences(expected: Effects, found: Effects): string[] {
  const fields = plainDifferences(comparable(expected), comparable(found));
  const shown = showsIn(found.views);
  const lines = fields.map((field) => fieldText(field));
  if (lines.length > 0 && shown.length === 0) lines.push('the patch shows in no view now');
  return lines;
}

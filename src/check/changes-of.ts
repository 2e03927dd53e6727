/** Computes the difference of a trace from a base, in the form of its file. */
import { own } from '../base/own.js';
import { EQUAL } from '../base/align.js';
import type {
  ConsumedEdit,
  ConsumedChange,
  EventChange,
  EventEdit,
  HeaderChanges,
  NameEdit,
  RegionChange,
  RegionEdit,
  ReportChange,
  ReportEdit,
  ReportKey,
  StepEdit,
  TraceChanges,
} from './changes.js';
import { byEvent } from './compare.js';
import { byReport } from './compare-reports.js';
import { findEdits, hasFields, type Finding } from './list-edits.js';
import { reportInOrder, type SanitizerReport } from '../trace/report.js';
import {
  kindOf,
  isSanitized,
  reportsOf,
  type Consumed,
  type FinalRegion,
  type Trace,
  type TraceEvent,
  type TraceStep,
} from '../trace/trace.js';
import { canonical, inOrder } from '../trace/yaml-out.js';

type Fields = Readonly<Record<string, unknown>>;

/** The fields of `to` that differ from `from`; null for one that `to` lacks. Undefined if there are none. */
function changedFields(from: Fields, to: Fields): Record<string, unknown> | undefined {
  const out: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(to))
    if (own(from, field) !== value) out[field] = value;
  for (const field of Object.keys(from)) if (own(to, field) === undefined) out[field] = null;
  return Object.keys(out).length === 0 ? undefined : out;
}

/** Keys of an event: its kind with the principal value and the function, then the same with one more field. */
function eventKeys(event: TraceEvent): readonly [TraceEvent, ...TraceEvent[]] {
  const kind = kindOf(event) ?? '';
  const plain: Record<string, TraceEvent[string]> = {};
  for (const field of [kind, 'in']) {
    const value = own(event, field);
    if (value !== undefined) plain[field] = value;
  }
  const more = Object.entries(event).filter(([field]) => own(plain, field) === undefined);
  return [plain, ...more.map(([field, value]) => inOrder({ ...plain, [field]: value }))];
}

const events: Finding<TraceEvent, EventChange, TraceEvent> = {
  ...byEvent,
  matches: hasFields,
  keys: eventKeys,
  changes: (from, to) => changedFields(from, to) as EventChange | undefined,
};

const names: Finding<string, never, string> = {
  key: (name) => name,
  similar: () => 0,
  matches: (name, key) => name === key,
  keys: (name) => [name],
  changes: () => undefined,
};

const steps: Finding<string, EventEdit[], TraceStep> = {
  key: ({ label }) => label,
  similar: () => 0,
  matches: ({ label }, key) => label === key,
  keys: ({ label }) => [label],
  changes: (from, to) => {
    const edits = findEdits(from.events, to.events, events);
    return edits.length === 0 ? undefined : edits;
  },
};

/** Weight of two rows with the same name. */
const SAME_NAME = EQUAL / 2;

const consumed: Finding<Pick<Consumed, 'name' | 'by'>, ConsumedChange, Consumed> = {
  key: ({ name, by, intact, firstDifference }) =>
    JSON.stringify([name, by, intact, firstDifference]),
  similar: (a, b) => (a.name !== b.name ? 0 : a.by === b.by ? SAME_NAME + 1 : SAME_NAME),
  matches: hasFields,
  keys: ({ name, by }) => [{ name, by }],
  changes: (from, to) => changedFields(from, to),
};

const regions: Finding<Pick<FinalRegion, 'name'>, RegionChange, FinalRegion> = {
  key: ({ name, pa, bytes, state, digest }) => JSON.stringify([name, pa, bytes, state, digest]),
  similar: (a, b) => (a.name === b.name ? SAME_NAME : 0),
  matches: hasFields,
  keys: ({ name }) => [{ name }],
  changes: (from, to) => changedFields(from, to),
};

/** Keys of a report: its rule and place, then the same with one more field. */
function reportKeys(report: SanitizerReport): readonly [ReportKey, ...ReportKey[]] {
  const { earlier: _earlier, suppressed: _suppressed, ...fields } = report;
  const plain = { rule: report.rule, at: report.at };
  const more = Object.entries(fields).filter(([field]) => own(plain, field) === undefined);
  return [plain, ...more.map(([field, value]): ReportKey => ({ ...plain, [field]: value }))];
}

/** The fields of a report that differ, the earlier event as a whole. */
function reportChange(from: SanitizerReport, to: SanitizerReport): ReportChange | undefined {
  const { earlier: was, ...before } = from;
  const { earlier: is, ...after } = to;
  const fields = changedFields(before, after) ?? {};
  const earlier = wholeChange(was, is);
  return unlessEmpty({ ...fields, ...(earlier !== undefined && { earlier }) });
}

const reports: Finding<ReportKey, ReportChange, SanitizerReport> = {
  ...byReport,
  // A field that is not compared is written too.
  key: (report) => JSON.stringify(reportInOrder(report)),
  matches: hasFields,
  keys: reportKeys,
  changes: reportChange,
};

const nameEdits = (from: readonly string[] = [], to: readonly string[] = []): NameEdit[] =>
  findEdits(from, to, names);

/** The value, or undefined if it is empty. */
const unlessEmpty = <T extends object>(value: T): T | undefined =>
  Object.keys(value).length === 0 ? undefined : value;

/** A mapping without the fields that are undefined. */
function present<T extends object>(fields: T): { [F in keyof T]?: Exclude<T[F], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [F in keyof T]?: Exclude<T[F], undefined> };
}

/** Edits of an optional list: null if `to` lacks it, edits of an empty list if `from` lacks it. */
function listOrNone(
  from: readonly string[] | undefined,
  to: readonly string[] | undefined,
): NameEdit[] | null | undefined {
  if (to === undefined) return from === undefined ? undefined : null;
  const edits = nameEdits(from, to);
  return from === undefined ? edits : unlessEmpty(edits);
}

/** The value of `to` if it differs from that of `from`, null if `to` has none; undefined if they are equal. */
function wholeChange<T>(from: T | undefined, to: T | undefined): T | null | undefined {
  if (to === undefined) return from === undefined ? undefined : null;
  return JSON.stringify(from) === JSON.stringify(to) ? undefined : to;
}

function headerChanges(from: Trace['header'], to: Trace['header']): HeaderChanges {
  const fields = changedFields(from, to) ?? {};
  const { scenario, scenarioDigest, stage, activate, stub, seed } = fields;
  const { execute, entry, until, maxInstructions } = fields;
  const settings = (name: 'settings' | 'config'): Fields | undefined =>
    changedFields(from[name], to[name]);
  return present({
    execute,
    entry,
    until,
    maxInstructions,
    scenario,
    scenarioDigest,
    stage,
    activate,
    without: unlessEmpty(nameEdits(from.without, to.without)),
    stub,
    with: unlessEmpty(nameEdits(from.with, to.with)),
    ownHunks: wholeChange(from.ownHunks, to.ownHunks),
    settings: settings('settings'),
    seed,
    ...(from.sanitize !== to.sanitize && { sanitize: to.sanitize !== false }),
    cache: wholeChange(from.cache, to.cache),
    optionsNotModelled: listOrNone(from.optionsNotModelled, to.optionsNotModelled),
    image: changedFields(from.image, to.image),
    files: wholeChange(from.files, to.files),
    config: settings('config'),
    overlay: unlessEmpty(nameEdits(from.overlay, to.overlay)),
  }) as HeaderChanges;
}

function stepEdits(from: readonly TraceStep[], to: readonly TraceStep[]): StepEdit[] {
  return findEdits<string, EventEdit[], TraceStep>(from, to, steps).map((edit): StepEdit => {
    if ('change' in edit) return { step: edit.change, events: edit.to };
    if ('after' in edit) return { after: edit.after };
    return 'drop' in edit ? { drop: edit.drop } : edit;
  });
}

/** The changes that turn `from` into `to`: applied to `from`, they give `to`. */
export function changesOf(from: Trace, to: Trace): TraceChanges {
  const [base, trace] = [canonical(from), canonical(to)];
  const consumedEdits: ConsumedEdit[] = findEdits(base.consumed, trace.consumed, consumed);
  const regionEdits: RegionEdit[] = findEdits(base.final.regions, trace.final.regions, regions);
  const final = present({
    regions: unlessEmpty(regionEdits),
    screen: listOrNone(base.final.screen, trace.final.screen),
  });
  // Without the sanitizer there is no section to edit.
  const reportEdits: ReportEdit[] = isSanitized(trace)
    ? findEdits(reportsOf(base), reportsOf(trace), reports)
    : [];
  return present({
    header: unlessEmpty(headerChanges(base.header, trace.header)),
    steps: unlessEmpty(stepEdits(base.steps, trace.steps)),
    consumed: unlessEmpty(consumedEdits),
    final: unlessEmpty(final),
    outcome: changedFields(base.outcome, trace.outcome),
    reports: unlessEmpty(reportEdits),
  }) as TraceChanges;
}

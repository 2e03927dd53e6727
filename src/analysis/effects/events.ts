/** The differing events of a boot step: counts by kind of difference, and the most relevant ones as examples. */
import { own } from '../../base/own.js';
import { fieldText } from '../../check/compare-text.js';
import type { EventDifference, FieldDifference, StepDifference } from '../../check/compare.js';
import { kindOf, type Scalar, type TraceEvent } from '../../trace/trace.js';
import { isKind, principalOf } from '../../trace/vocabulary.js';
import { printEvent } from '../../trace/yaml-out.js';
import { MAX_EXAMPLES, type EffectCounts, type EffectStep } from './form.js';

type ChangeKind = keyof EffectCounts;
type Changed = Extract<EventDifference, { change: 'changed' }>;

/** Fields with addresses. */
const ADDRESS_FIELDS = [
  'va',
  'pa',
  'bus',
  'from',
  'to',
  'fromPa',
  'toPa',
  'at',
  'via',
  'table',
  'vmcb',
];
/** Fields that name the code. */
const CODE_FIELDS = ['patch', 'hunk'];
/** Fields that state how memory is accessed (C-bit, memory type, flags), and the result. */
const RELEVANT = ['C', 'fromC', 'toC', 'type', 'flags', 'result'];
/** Kinds that are relevant if only one side has the event: failures, and changes of memory or of a CPU's mode. */
const RELEVANT_KINDS: readonly (string | undefined)[] = [
  ...['fault', 'panic', 'outcome'],
  ...['encrypt', 'decrypt', 'protect', 'wrmsr'],
];
/** Most characters of an example. */
const MAX_EXAMPLE_LENGTH = 240;
/** Fields not printed in examples: they follow from the function's name and the hunk's id. */
const OMITTED_FIELDS = ['file', 'patch'];

/** The name of a field; a kind is mapped to the name of its principal field. */
const fieldName = (field: string): string => (isKind(field) ? principalOf(field) : field);
const isAddress = ({ field }: FieldDifference): boolean =>
  ADDRESS_FIELDS.includes(fieldName(field));

const ADDRESS = /0x[0-9a-f]+/g;

/** An address field with addresses removed and ranges replaced by their lengths. */
function withoutAddresses(value: Scalar | undefined): string {
  return String(value)
    .replace(/(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)/g, (_all, from: string, to: string) =>
      String(BigInt(to) - BigInt(from)),
    )
    .replace(ADDRESS, '')
    .replace(/\[\d+\]/g, '[]');
}

const isMoved = (difference: FieldDifference): boolean =>
  isAddress(difference) &&
  withoutAddresses(difference.expected) === withoutAddresses(difference.found);

/** How an event differs. */
function changeKindOf(difference: EventDifference): ChangeKind {
  if (difference.change !== 'changed') return difference.change;
  const rest = difference.fields.filter(({ field }) => !CODE_FIELDS.includes(field));
  if (rest.length === 0) return 'credited';
  return rest.every(isMoved) ? 'moved' : 'changed';
}

/** The event with the patch if there is one, else the one without it. */
const eventOf = (difference: EventDifference): TraceEvent =>
  difference.change === 'changed' ? difference.found : difference.event;

/** Rank of a difference for a patch: lower is more relevant. */
function rankOf(difference: EventDifference, patch: number): number {
  const events =
    difference.change === 'changed'
      ? [difference.expected, difference.found]
      : [eventOf(difference)];
  const own = events.some((event) => event.patch === patch);
  const relevant =
    difference.change === 'changed'
      ? difference.fields.some(({ field }) => RELEVANT.includes(field))
      : RELEVANT_KINDS.includes(kindOf(eventOf(difference)));
  const rank = relevant ? 0 : kindOf(eventOf(difference)) === 'enter' ? 2 : 1;
  return own ? rank : rank + 3;
}

/**
 * Whether only addresses and lengths differ, as when a range is split differently: counted as changed, not an example.
 */
const isSplitDifferently = (difference: EventDifference): boolean =>
  difference.change === 'changed' &&
  difference.fields.every((each) => isAddress(each) || each.field === 'n');

/** A key that is equal for similar differences: kind, function and changed fields without addresses. */
function shapeOf(difference: EventDifference): string {
  const event = eventOf(difference);
  const fields = difference.change === 'changed' ? difference.fields : [];
  const was = fields
    .filter((each) => !isAddress(each) && each.field !== 'n')
    .map((each) => fieldText(each));
  const is = ['in', 'hunk', 'C', 'type', 'flags'].map((key) => String(own(event, key)));
  return JSON.stringify([difference.change, kindOf(event), is, was]);
}

const without = (event: TraceEvent, fields: readonly string[]): TraceEvent =>
  Object.fromEntries(Object.entries(event).filter(([field]) => !fields.includes(field)));

/** A changed event: the fields that identify it, then the changed ones. */
function changedText({ found, fields }: Changed): string {
  const kind = kindOf(found) ?? '';
  const changes = fields.filter((each) => !OMITTED_FIELDS.includes(each.field) && !isMoved(each));
  const names = changes.map(({ field }) => field);
  const identifying = [kind, 'va', 'pa', 'table', 'cpu', 'in', 'hunk'].filter(
    (key) => !names.includes(key),
  );
  const event = Object.fromEntries(
    Object.entries(found).filter(([field]) => field === kind || identifying.includes(field)),
  );
  return `~ ${printEvent(event)} ${changes.map((each) => fieldText(each, 'before')).join(', ')}`;
}

/** A differing event in one line: `+` added, `-` removed, `~` changed. */
export function exampleText(difference: EventDifference): string {
  const text = difference.change === 'changed' ? changedText(difference) : onlyText(difference);
  return text.length > MAX_EXAMPLE_LENGTH ? `${text.slice(0, MAX_EXAMPLE_LENGTH - 1)}…` : text;
}

function onlyText(difference: Exclude<EventDifference, Changed>): string {
  return `${difference.change === 'added' ? '+' : '-'} ${printEvent(without(difference.event, OMITTED_FIELDS))}`;
}

/** The most relevant of some differences, in the order of the boot. `seen`: shapes that already have an example. */
function examplesOf(
  differences: readonly EventDifference[],
  patch: number,
  seen: Set<string>,
): string[] {
  const candidates = differences.flatMap((difference, index) => {
    const change = changeKindOf(difference);
    const shape = shapeOf(difference);
    if (change === 'moved' || change === 'credited' || isSplitDifferently(difference)) return [];
    return [{ difference, index, shape, rank: rankOf(difference, patch) }];
  });
  const chosen: typeof candidates = [];
  for (const each of candidates.sort((a, b) => a.rank - b.rank || a.index - b.index)) {
    if (chosen.length === MAX_EXAMPLES || seen.has(each.shape)) continue;
    seen.add(each.shape);
    chosen.push(each);
  }
  return chosen.sort((a, b) => a.index - b.index).map(({ difference }) => exampleText(difference));
}

function countsOf(differences: readonly EventDifference[]): EffectCounts {
  const counts: Partial<Record<ChangeKind, number>> = {};
  for (const change of ['added', 'gone', 'changed', 'moved', 'credited'] as const) {
    const count = differences.filter((difference) => changeKindOf(difference) === change).length;
    if (count > 0) counts[change] = count;
  }
  return counts;
}

/** Groups adjacent steps that only one side has: the boot gets further, or less far. */
function grouped(steps: readonly StepDifference[]): StepDifference[][] {
  const groups: StepDifference[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (step.change !== 'changed' && last?.[0]?.change === step.change) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

/** The steps that differ, with counts and the most relevant events for a patch; similar events are listed once. */
export function effectSteps(steps: readonly StepDifference[], patch: number): EffectStep[] {
  const seen = new Set<string>();
  return grouped(steps).map((group): EffectStep => {
    const events = group.flatMap((step) => step.events);
    const examples = examplesOf(events, patch, seen);
    const [first, last] = [group[0], group.at(-1)];
    return {
      label: first?.label ?? '',
      ...(first !== last && { to: last?.label ?? '' }),
      ...(first !== undefined && first.change !== 'changed' && { step: first.change }),
      ...(events.length > 0 && { events: countsOf(events) }),
      ...(examples.length > 0 && { examples }),
    };
  });
}

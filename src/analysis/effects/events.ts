/** The differing events of a boot step: how many, how they differ, and which of them tell most. */
import { fieldText } from '../../check/compare-text.js';
import type { EventDifference, FieldDifference, StepDifference } from '../../check/compare.js';
import { kindOf, type Scalar, type TraceEvent } from '../../trace/trace.js';
import { isKind, principalOf } from '../../trace/vocabulary.js';
import { printEvent } from '../../trace/yaml-out.js';
import { MOST_EXAMPLES, type EffectCounts, type EffectStep } from './form.js';

type Way = keyof EffectCounts;
type Changed = Extract<EventDifference, { change: 'changed' }>;

/** Fields that say where something is. */
const PLACES = ['va', 'pa', 'bus', 'from', 'to', 'fromPa', 'toPa', 'at', 'via', 'table', 'vmcb'];
/** Fields that say whose code it is. */
const CREDITS = ['patch', 'hunk'];
/** Fields that say how memory is reached, or what came of it. */
const TELLING = ['C', 'fromC', 'toC', 'type', 'flags', 'result'];
/** Kinds that tell by being there: those by which a boot goes wrong, and those that change what memory or a CPU is. */
const TELLING_KINDS: readonly (string | undefined)[] = [
  ...['fault', 'panic', 'outcome'],
  ...['encrypt', 'decrypt', 'protect', 'wrmsr'],
];
/** What an example is cut to. */
const LONGEST = 240;
/** What an example leaves out: the function is found by its name, the patch by the hunk's. */
const LEFT_OUT = ['file', 'patch'];

/** A field under its own name: the kind's stands for its principal one. */
const fieldName = (field: string): string => (isKind(field) ? principalOf(field) : field);
const isPlace = ({ field }: FieldDifference): boolean => PLACES.includes(fieldName(field));

const ADDRESS = /0x[0-9a-f]+/g;

/** A place without its addresses: only how long each range is. */
function placeless(value: Scalar | undefined): string {
  return String(value)
    .replace(/(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)/g, (_all, from: string, to: string) =>
      String(BigInt(to) - BigInt(from)),
    )
    .replace(ADDRESS, '')
    .replace(/\[\d+\]/g, '[]');
}

const isMove = (difference: FieldDifference): boolean =>
  isPlace(difference) && placeless(difference.expected) === placeless(difference.found);

/** How an event differs. */
function wayOf(difference: EventDifference): Way {
  if (difference.change !== 'changed') return difference.change;
  const rest = difference.fields.filter(({ field }) => !CREDITS.includes(field));
  if (rest.length === 0) return 'credited';
  return rest.every(isMove) ? 'moved' : 'changed';
}

/** The event as it is after the patch, or was before it. */
const eventOf = (difference: EventDifference): TraceEvent =>
  difference.change === 'changed' ? difference.found : difference.event;

/** How much a difference tells of a patch: the less the more. */
function rankOf(difference: EventDifference, patch: number): number {
  const events =
    difference.change === 'changed'
      ? [difference.expected, difference.found]
      : [eventOf(difference)];
  const own = events.some((event) => event.patch === patch);
  const telling =
    difference.change === 'changed'
      ? difference.fields.some(({ field }) => TELLING.includes(field))
      : TELLING_KINDS.includes(kindOf(eventOf(difference)));
  const among = telling ? 0 : kindOf(eventOf(difference)) === 'enter' ? 2 : 1;
  return own ? among : among + 3;
}

/** Whether only places and lengths differ, as where a range is cut otherwise: it counts as changed and tells little. */
const isRecut = (difference: EventDifference): boolean =>
  difference.change === 'changed' &&
  difference.fields.every((each) => isPlace(each) || each.field === 'n');

/** What examples have in common that tell the same: kind, function and what became of it, places apart. */
function shapeOf(difference: EventDifference): string {
  const event = eventOf(difference);
  const fields = difference.change === 'changed' ? difference.fields : [];
  const was = fields
    .filter((each) => !isPlace(each) && each.field !== 'n')
    .map((each) => fieldText(each));
  const is = ['in', 'hunk', 'C', 'type', 'flags'].map((key) => String(event[key]));
  return JSON.stringify([difference.change, kindOf(event), is, was]);
}

const without = (event: TraceEvent, fields: readonly string[]): TraceEvent =>
  Object.fromEntries(Object.entries(event).filter(([field]) => !fields.includes(field)));

/** A changed event by what identifies it, and what changed in it. */
function changedText({ found, fields }: Changed): string {
  const kind = kindOf(found) ?? '';
  const told = fields.filter((each) => !LEFT_OUT.includes(each.field) && !isMove(each));
  const names = told.map(({ field }) => field);
  const kept = [kind, 'va', 'pa', 'table', 'cpu', 'in', 'hunk'].filter(
    (key) => !names.includes(key),
  );
  const event = Object.fromEntries(
    Object.entries(found).filter(([field]) => field === kind || kept.includes(field)),
  );
  return `~ ${printEvent(event)} ${told.map((each) => fieldText(each, 'before')).join(', ')}`;
}

/** A differing event in one line: `+` added, `-` gone, `~` changed. */
export function exampleText(difference: EventDifference): string {
  const text = difference.change === 'changed' ? changedText(difference) : onlyText(difference);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function onlyText(difference: Exclude<EventDifference, Changed>): string {
  return `${difference.change === 'added' ? '+' : '-'} ${printEvent(without(difference.event, LEFT_OUT))}`;
}

/** The most telling of some events, in the order of the boot. `seen`: what other steps have told already. */
function examplesOf(
  differences: readonly EventDifference[],
  patch: number,
  seen: Set<string>,
): string[] {
  const fresh = differences.flatMap((difference, index) => {
    const way = wayOf(difference);
    const shape = shapeOf(difference);
    if (way === 'moved' || way === 'credited' || isRecut(difference)) return [];
    return [{ difference, index, shape, rank: rankOf(difference, patch) }];
  });
  const chosen: typeof fresh = [];
  for (const each of fresh.sort((a, b) => a.rank - b.rank || a.index - b.index)) {
    if (chosen.length === MOST_EXAMPLES || seen.has(each.shape)) continue;
    seen.add(each.shape);
    chosen.push(each);
  }
  return chosen.sort((a, b) => a.index - b.index).map(({ difference }) => exampleText(difference));
}

function countsOf(differences: readonly EventDifference[]): EffectCounts {
  const counts: Partial<Record<Way, number>> = {};
  for (const way of ['added', 'gone', 'changed', 'moved', 'credited'] as const) {
    const count = differences.filter((difference) => wayOf(difference) === way).length;
    if (count > 0) counts[way] = count;
  }
  return counts;
}

/** Neighbouring steps that only one side has, put together: the boot comes further, or less far. */
function gathered(steps: readonly StepDifference[]): StepDifference[][] {
  const groups: StepDifference[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (step.change !== 'changed' && last?.[0]?.change === step.change) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

/** The steps that differ, with counts and the most telling events for a patch; what tells the same is told once. */
export function effectSteps(steps: readonly StepDifference[], patch: number): EffectStep[] {
  const seen = new Set<string>();
  return gathered(steps).map((group): EffectStep => {
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

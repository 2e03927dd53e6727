/**
 * Merges the events of one boot step into runs: a loop that maps, copies and unmaps page by page becomes one line for
 * each of its operations. No address is lost: a run covers the union of the ranges of its events.
 */
import {
  endOf,
  isSpan,
  type EventFields,
  type EventInput,
  type Field,
  type FieldName,
  type Origin,
  type Span,
} from './event.js';
import { KINDS, type TraceKind } from './vocabulary.js';

/**
 * How many runs back an event may merge (our choice: several iterations of any loop in the boot): as a repetition, of
 * the step's latest runs; as a continuation of a range, of the latest runs with the same call path. A repetition does
 * not merge across an `adjacent` event: a second WBINVD after a write of CR4 stays after it.
 */
export const MERGE_WINDOW = 16;

/** Events that are merged into one line. */
export interface Run {
  readonly kind: TraceKind;
  readonly origin: Origin;
  /** The number of the call path: only events of the same path merge. */
  readonly path: number;
  fields: EventFields;
  /** The number of each event within the step, ascending. */
  readonly at: number[];
}

/** A run of a step that is open. */
interface OpenRun extends Run {
  /** The fields that have a value, in the first event's order. */
  readonly names: readonly FieldName[];
  /** Index among the step's runs, lines of the log not counted. */
  readonly place: number;
  /** The fields that grow from event to event, a bit for each of `names`; set from the second event on. */
  growing?: number;
  /** Whether they grow downwards, as from an allocator that returns pages top down; set with `growing`. */
  down?: boolean;
}

function namesOf(fields: EventFields): FieldName[] {
  const names: FieldName[] = [];
  for (const name in fields) {
    if (fields[name as FieldName] !== undefined) names.push(name as FieldName);
  }
  return names;
}

function sameOrigin(a: Origin, b: Origin): boolean {
  return a.fn === b.fn && a.file === b.file && a.patch === b.patch && a.hunk === b.hunk;
}

/** Whether `next` begins where `span` ends; with `down`, whether it ends where `span` begins. */
function continues(span: Span, next: Span, down: boolean): boolean {
  const adjoins = down ? endOf(next) === span.start : endOf(span) === next.start;
  return adjoins && next.length > 0 && span.length > 0;
}

/** Kinds that merge downwards as well: an allocator returns pages top down, and each is cleared. */
const DOWNWARDS: ReadonlySet<TraceKind> = new Set(['fill']);

/** Result of growth(): the event does not fit the run. */
const NO_FIT = -1;

/**
 * The fields of a run that grow in one direction if the event is merged, a bit for each; 0 if the event repeats the
 * run; NO_FIT if it cannot be merged.
 */
function growth(run: OpenRun, fields: EventFields, down: boolean): number {
  if (run.down === !down) return NO_FIT;
  let growing = 0;
  let resized = false;
  for (let i = 0; i < run.names.length; i++) {
    const name = run.names[i] as FieldName;
    const field = run.fields[name];
    const other = fields[name];
    if (!isSpan(field) || !isSpan(other)) {
      if (field !== other) return NO_FIT;
      continue;
    }
    if (field.space !== other.space) return NO_FIT;
    const grew = run.growing === undefined ? undefined : (run.growing & (1 << i)) !== 0;
    if (grew !== false && continues(field, other, down)) growing |= 1 << i;
    else if (field.start === other.start && grew !== true) {
      // The same buffer again; the last pass over it may be shorter, if another range continues.
      resized ||= field.length !== other.length;
    } else return NO_FIT;
  }
  return growing === 0 && resized ? NO_FIT : growing;
}

/** How well an event fits a run: 2 a repetition, 1 a run that grows as before, 0 two adjacent events. */
function fitness(run: OpenRun, growing: number): 2 | 1 | 0 {
  if (growing === 0) return 2;
  return run.at.length > 1 ? 1 : 0;
}

/** The fields of a run after an event is merged: each range covers both. */
function covering(run: OpenRun, fields: EventFields, growing: number): EventFields {
  const out: Partial<Record<FieldName, Field>> = {};
  for (let i = 0; i < run.names.length; i++) {
    const name = run.names[i] as FieldName;
    const field = run.fields[name];
    const other = fields[name];
    if (!isSpan(field) || !isSpan(other)) out[name] = field as Field;
    else if ((growing & (1 << i)) !== 0) {
      const start = Math.min(field.start, other.start);
      out[name] = { space: field.space, start, length: field.length + other.length };
    } else out[name] = other.length > field.length ? other : field;
  }
  return out;
}

/** The runs of one step, in the order of their first events. */
export class Coalescer {
  private readonly list: OpenRun[] = [];
  private readonly byPath = new Map<number, OpenRun[]>();
  private events = 0;
  private lastLine: OpenRun | undefined;
  /** Runs that are not lines of the log. */
  private places = 0;
  /** Index of the latest run of an `adjacent` kind. */
  private barrier = -1;

  get runs(): readonly Run[] {
    return this.list;
  }

  /** Merges an event into the latest run that it continues or repeats, or adds it as a new run. */
  add<K extends TraceKind>({ kind, fields }: EventInput<K>, origin: Origin, path: number): void {
    const when = this.events;
    this.events += 1;
    const { merging } = KINDS[kind];
    const adjacentOnly = merging !== 'nearby';
    const previous = merging === 'line' ? this.lastLine : this.list[this.list.length - 1];
    const names = namesOf(fields);
    const samePath = this.byPath.get(path) ?? [];
    let best: OpenRun | undefined;
    let bestGrowing = 0;
    let bestDown = false;
    const oldest = Math.max(0, samePath.length - MERGE_WINDOW);
    for (let i = samePath.length - 1; i >= oldest; i--) {
      const run = samePath[i] as OpenRun;
      if (run.kind !== kind || !sameOrigin(run.origin, origin)) continue;
      const back = this.places - run.place;
      if (adjacentOnly && run !== previous) break;
      if (run.names.length !== names.length) continue;
      const up = growth(run, fields, false);
      const down = up === NO_FIT && DOWNWARDS.has(kind);
      const growing = down ? growth(run, fields, true) : up;
      const far = back > MERGE_WINDOW || run.place < this.barrier;
      if (growing === NO_FIT || (far && growing === 0)) continue;
      if (best === undefined || fitness(run, growing) > fitness(best, bestGrowing)) {
        best = run;
        bestGrowing = growing;
        bestDown = growing !== up;
      }
    }
    if (best !== undefined) {
      if (bestGrowing !== 0) {
        best.fields = covering(best, fields, bestGrowing);
        best.down = bestDown;
      }
      best.growing = bestGrowing;
      best.at.push(when);
      return;
    }
    const place = this.places;
    const run: OpenRun = { kind, origin, path, fields, names, place, at: [when] };
    if (merging === 'line') this.lastLine = run;
    else this.places += 1;
    if (merging === 'adjacent') this.barrier = place;
    this.list.push(run);
    samePath.push(run);
    this.byPath.set(path, samePath);
  }
}

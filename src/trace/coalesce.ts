/**
 * Gathers the events of one boot step in runs: a loop that maps, copies and unmaps page after page becomes one line for
 * each thing it does. Only what loses no address merges: a run covers the union of what its events covered.
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
 * How far back an event looks for a run to join (our choice: several bodies of any loop in the boot): among the step's
 * latest runs for a repetition, among the latest that came the same way for a run which it continues. A repetition does
 * not reach back over what keeps its place: a second WBINVD after CR4 was written stands after it.
 */
export const MERGE_WINDOW = 16;

/** Events that became one line. */
export interface Run {
  readonly kind: TraceKind;
  readonly origin: Origin;
  /** The functions that led here, as one number: events merge only if they came the same way. */
  readonly path: number;
  fields: EventFields;
  /** When each event happened, by its number within the step. */
  readonly at: number[];
}

/** A run while its step is open. */
interface OpenRun extends Run {
  /** The fields that have a value, in the first event's order. */
  readonly names: readonly FieldName[];
  /** Where it stands among the step's runs, lines of the log not counted. */
  readonly place: number;
  /** The fields that grow from event to event, a bit for each of `names`; known from the second event on. */
  growing?: number;
  /** Whether they grow downwards, as an allocator hands out pages from the top; known with them. */
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

/** Whether `next` begins where `span` ends; downwards, ends where it begins. */
function goesOn(span: Span, next: Span, down: boolean): boolean {
  const adjoins = down ? endOf(next) === span.start : endOf(span) === next.start;
  return adjoins && next.length > 0 && span.length > 0;
}

/** Kinds that gather downwards as well: an allocator hands out pages from the top, and each is cleared. */
const DOWNWARDS: ReadonlySet<TraceKind> = new Set(['fill']);

/** An event does not fit a run. */
const APART = -1;

/**
 * The fields of a run that grow in one direction if it takes an event in, a bit for each; 0 if it repeats the run, or
 * APART.
 */
function growth(run: OpenRun, fields: EventFields, down: boolean): number {
  if (run.down === !down) return APART;
  let growing = 0;
  let resized = false;
  for (let i = 0; i < run.names.length; i++) {
    const name = run.names[i] as FieldName;
    const field = run.fields[name];
    const other = fields[name];
    if (!isSpan(field) || !isSpan(other)) {
      if (field !== other) return APART;
      continue;
    }
    if (field.space !== other.space) return APART;
    const grew = run.growing === undefined ? undefined : (run.growing & (1 << i)) !== 0;
    if (grew !== false && goesOn(field, other, down)) growing |= 1 << i;
    else if (field.start === other.start && grew !== true) {
      // The same buffer again; the last pass over it may be shorter, if something else goes on.
      resized ||= field.length !== other.length;
    } else return APART;
  }
  return growing === 0 && resized ? APART : growing;
}

/** How well a run and an event belong together: a repetition, a run that goes on as it did, or two that adjoin. */
function fitness(run: OpenRun, growing: number): 2 | 1 | 0 {
  if (growing === 0) return 2;
  return run.at.length > 1 ? 1 : 0;
}

/** The fields of a run that takes an event in: each covers both. */
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
  /** Place of the latest run whose kind keeps its place among its neighbours. */
  private barrier = -1;

  get runs(): readonly Run[] {
    return this.list;
  }

  /** Adds an event to the latest run that it continues or repeats, or as a run of its own. */
  add<K extends TraceKind>({ kind, fields }: EventInput<K>, origin: Origin, path: number): void {
    const when = this.events;
    this.events += 1;
    const { merging } = KINDS[kind];
    const keepsPlace = merging !== 'nearby';
    const neighbour = merging === 'line' ? this.lastLine : this.list[this.list.length - 1];
    const names = namesOf(fields);
    const sameWay = this.byPath.get(path) ?? [];
    let best: OpenRun | undefined;
    let bestGrowing = 0;
    let bestDown = false;
    const oldest = Math.max(0, sameWay.length - MERGE_WINDOW);
    for (let i = sameWay.length - 1; i >= oldest; i--) {
      const run = sameWay[i] as OpenRun;
      if (run.kind !== kind || !sameOrigin(run.origin, origin)) continue;
      const back = this.places - run.place;
      if (keepsPlace && run !== neighbour) break;
      if (run.names.length !== names.length) continue;
      const up = growth(run, fields, false);
      const down = up === APART && DOWNWARDS.has(kind);
      const growing = down ? growth(run, fields, true) : up;
      const far = back > MERGE_WINDOW || run.place < this.barrier;
      if (growing === APART || (far && growing === 0)) continue;
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
    if (merging === 'neighbour') this.barrier = place;
    this.list.push(run);
    sameWay.push(run);
    this.byPath.set(path, sameWay);
  }
}

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
  /** The fields that grow from event to event; known from the second event on. */
  growing?: ReadonlySet<string>;
  /** When each event happened, by its number within the step. */
  readonly at: number[];
}

type Named = [FieldName, Field];

const named = (fields: EventFields): Named[] =>
  Object.entries(fields).filter((entry): entry is Named => entry[1] !== undefined);

function sameOrigin(a: Origin, b: Origin): boolean {
  return a.fn === b.fn && a.file === b.file && a.patch === b.patch && a.hunk === b.hunk;
}

/** The span that covers both, where `next` begins where `span` ends. */
function grown(span: Span, next: Span): Span | undefined {
  const goesOn = next.length > 0 && span.length > 0 && endOf(span) === next.start;
  return goesOn ? { ...span, length: span.length + next.length } : undefined;
}

/** A run that has taken an event in. */
interface Joined {
  readonly fields: EventFields;
  /** The fields that grew. */
  readonly growing: ReadonlySet<string>;
  /** How well they belong together: a repetition, a run that goes on as it did, or two that happen to adjoin. */
  readonly fitness: 2 | 1 | 0;
}

/** What a run becomes that takes an event in; undefined if it cannot. */
function joined(run: Run, fields: EventFields): Joined | undefined {
  const mine = named(run.fields);
  if (mine.length !== named(fields).length) return undefined;
  const out: Partial<Record<FieldName, Field>> = {};
  const growing = new Set<string>();
  let resized = false;
  for (const [name, field] of mine) {
    const other = fields[name];
    out[name] = field;
    if (!isSpan(field) || !isSpan(other)) {
      if (field !== other) return undefined;
      continue;
    }
    if (field.space !== other.space) return undefined;
    const longer = run.growing?.has(name) === false ? undefined : grown(field, other);
    if (longer !== undefined) {
      growing.add(name);
      out[name] = longer;
    } else if (field.start === other.start && run.growing?.has(name) !== true) {
      // The same buffer again; the last pass over it may be shorter, if something else goes on.
      resized ||= field.length !== other.length;
      if (other.length > field.length) out[name] = other;
    } else return undefined;
  }
  if (growing.size === 0) return resized ? undefined : { fields: out, growing, fitness: 2 };
  return { fields: out, growing, fitness: run.at.length > 1 ? 1 : 0 };
}

/** The runs of one step, in the order of their first events. */
export class Coalescer {
  readonly runs: Run[] = [];
  private readonly places = new Map<Run, number>();
  private readonly byPath = new Map<number, Run[]>();
  private events = 0;
  /** Place of the latest run whose kind keeps its place among its neighbours. */
  private barrier = -1;

  /** Adds an event to the latest run that it continues or repeats, or as a run of its own. */
  add({ kind, fields }: EventInput, origin: Origin, path: number): void {
    const when = this.events;
    this.events += 1;
    const keepsPlace = KINDS[kind].merging === 'neighbour';
    const sameWay = this.byPath.get(path) ?? [];
    let best: Joined | undefined;
    let joins: Run | undefined;
    for (const run of sameWay.slice(-MERGE_WINDOW).reverse()) {
      if (run.kind !== kind || !sameOrigin(run.origin, origin)) continue;
      const place = this.places.get(run) ?? 0;
      const back = this.runs.length - place;
      if (keepsPlace && back > 1) break;
      const whole = joined(run, fields);
      const far = back > MERGE_WINDOW || place < this.barrier;
      if (whole === undefined || (far && whole.growing.size === 0)) continue;
      if (best === undefined || whole.fitness > best.fitness) [best, joins] = [whole, run];
    }
    if (best !== undefined && joins !== undefined) {
      joins.fields = best.fields;
      joins.growing = best.growing;
      joins.at.push(when);
      return;
    }
    const run: Run = { kind, origin, path, fields, at: [when] };
    if (keepsPlace) this.barrier = this.runs.length;
    this.places.set(run, this.runs.length);
    this.runs.push(run);
    sameWay.push(run);
    this.byPath.set(path, sameWay);
  }
}

/**
 * Writes down a boot: events under one label per step, what was consumed, the final state, the outcome. It is told
 * everything and is asked nothing; leaving it out changes no boot.
 */
import { InputError } from '../base/errors.js';
import { Coalescer } from './coalesce.js';
import type { EventFields, FieldsOf, Origin, Span } from './event.js';
import { foldCpus, foldEntries, foldReencryption } from './fold.js';
import { Integrity, type IntegrityState, type ReadCheck, type Produced } from './integrity.js';
import { rangeText, renderEvent, type Symbolize } from './render.js';
import {
  TRACE_SCHEMA,
  type Consumed,
  type Outcome,
  type RegionState,
  type Trace,
  type TraceEvent,
  type TraceHeader,
  type TraceStep,
} from './trace.js';
import {
  COMMON_FIELDS,
  KINDS,
  principalOf,
  TRACE_KINDS,
  type FieldName,
  type TraceKind,
} from './vocabulary.js';

/** What a recorder is given. */
export interface RecorderOptions {
  /** Names an address, as the trace prints it. */
  readonly symbolize?: Symbolize;
}

/** A named piece of DRAM at the end of the boot. */
export interface RegionAtEnd {
  readonly name: string;
  readonly pa: Span;
  readonly state: RegionState;
  /** Digest of the raw bytes (see digestOf). */
  readonly digest: string;
}

/** The machine at the end of the boot, as far as a trace tells it. */
export interface FinalState {
  readonly regions: readonly RegionAtEnd[];
  /** The lines on the screen, where the machine has one. */
  readonly screen?: readonly string[] | undefined;
}

/** All that a recorder knows at a step's label, structured-clonable: a boot resumed there goes on with it. */
export interface RecorderState {
  readonly header: TraceHeader | undefined;
  readonly steps: readonly TraceStep[];
  readonly scopes: readonly string[];
  readonly names: readonly string[];
  readonly integrity: IntegrityState;
  readonly outcome: Outcome | undefined;
}

/** Where an outcome is noted from: nobody's function but the boot's own end. */
const SEQUENCER: Origin = { fn: 'boot' };

function misuse(code: string, reason: string): InputError {
  return new InputError({ code, reason });
}

/** The fields that each kind of event may have. */
const WORDS: ReadonlyMap<TraceKind, ReadonlySet<string>> = new Map(
  TRACE_KINDS.map((kind) => [kind, new Set<string>([...KINDS[kind].fields, ...COMMON_FIELDS])]),
);

/**
 * Refuses an event whose words the vocabulary does not have. The type of `emit` says the same to the compiler; left to
 * find at run time is what it cannot see: a caller in JavaScript, and a name of no kind in a variable or a spread.
 */
function checkWords(kind: TraceKind, fields: EventFields): void {
  const known = WORDS.get(kind);
  if (known === undefined) {
    throw misuse('E_TRACE_FIELD', `the vocabulary has no kind of event ${String(kind)}`);
  }
  if (fields[principalOf(kind)] === undefined) {
    throw misuse('E_TRACE_FIELD', `an event ${kind} needs its field ${principalOf(kind)}`);
  }
  for (const name in fields) {
    if (!known.has(name) && fields[name as FieldName] !== undefined) {
      throw misuse('E_TRACE_FIELD', `the vocabulary has no field ${name} for an event ${kind}`);
    }
  }
}

export class Recorder {
  private readonly symbolize: Symbolize;
  private readonly integrity = new Integrity();
  private head: TraceHeader | undefined;
  private steps: TraceStep[] = [];
  private label: string | undefined;
  private open = new Coalescer();
  private end: Outcome | undefined;
  /** The functions on the way to here, outermost first. */
  private scopes: string[] = [];
  /** The number of each path of functions: its parent's number and the function make its key. */
  private readonly paths = new Map<string, number>();
  private path: number[] = [];
  private names: string[] = [''];
  private readonly nameIndex = new Map<string, number>([['', 0]]);

  constructor(options: RecorderOptions = {}) {
    this.symbolize = options.symbolize ?? (() => undefined);
  }

  /** States the whole invocation. */
  header(header: TraceHeader): void {
    this.head = header;
  }

  /** Starts a boot step; the one before is closed. Labels are unique. */
  step(label: string): void {
    this.close();
    if (this.steps.some((step) => step.label === label)) {
      throw misuse('E_TRACE_STEP', `the boot step ${label} was recorded already`);
    }
    this.label = label;
  }

  /** Records an event. Refuses words that the vocabulary lacks, and any event before the first step. */
  emit<K extends TraceKind>(kind: K, fields: FieldsOf<K>, origin: Origin): void {
    checkWords(kind, fields);
    if (this.label === undefined) {
      throw misuse('E_TRACE_STEP', `an event ${kind} came outside of a boot step`);
    }
    this.open.add<K>({ kind, fields }, origin, this.path.at(-1) ?? 0);
  }

  /** A function was entered: what follows is recorded as done on its behalf. */
  scopeEnter(name: string): void {
    this.scopes.push(name);
    this.path.push(this.pathNumber(this.path.at(-1) ?? 0, name));
  }

  /** Does something whose events gather with others of that name, whichever functions led to it. */
  aside(name: string, body: () => void): void {
    this.scopes.push(name);
    this.path.push(this.pathNumber(0, name));
    try {
      body();
    } finally {
      this.scopeLeave();
    }
  }

  /** The function was left. One more than were entered changes nothing: a kernel gone astray may return too often. */
  scopeLeave(): void {
    this.scopes.pop();
    this.path.pop();
  }

  /** The small integer that stands for a name where accesses carry their origin; 0 is '', the hardware itself. */
  intern(name: string): number {
    const known = this.nameIndex.get(name);
    if (known !== undefined) return known;
    this.names.push(name);
    this.nameIndex.set(name, this.names.length - 1);
    return this.names.length - 1;
  }

  /** The name behind an interned integer. */
  nameOf(origin: number): string | undefined {
    return this.names[origin];
  }

  /** Something was put into memory for the boot to use. */
  produced(name: string, what: Produced): void {
    this.integrity.produced(name, what);
  }

  /** What was produced under one name is what is to be found under another; without it, nothing is. */
  producedAs(name: string, earlier: string): void {
    this.integrity.producedAs(name, earlier);
  }

  /** What is produced and consumed from now on is another kernel's: its names begin so. */
  within(prefix: string): void {
    this.integrity.within(prefix);
  }

  /** A consumer read all of it. */
  consumed(name: string, by: string, bytes: Uint8Array): void {
    this.integrity.consumed(name, by, bytes);
  }

  /** A consumer read a part of it. */
  consumedPart(name: string, by: string, offset: number, bytes: Uint8Array): void {
    this.integrity.consumedPart(name, by, offset, bytes);
  }

  /** Tells somebody of each look of a consumer at a thing, or nobody. */
  onReadCheck(tell: ((look: ReadCheck) => void) | null): void {
    this.integrity.onReadCheck = tell;
  }

  /** From now on, each look goes into a list as an entry of its own; or into none. */
  keepReadChecks(into: Consumed[] | null): void {
    this.integrity.readChecks = into;
  }

  /** Looks that were kept elsewhere count as made here. */
  replayReadChecks(looks: readonly Consumed[]): void {
    this.integrity.replay(looks);
  }

  /** Things that were read so far, in the order of first use. */
  get consumedSoFar(): readonly Consumed[] {
    return this.integrity.list();
  }

  /** The events of a step that is over. */
  eventsOf(label: string): readonly TraceEvent[] {
    this.close();
    return this.steps.find((step) => step.label === label)?.events ?? [];
  }

  /** Notes how the boot ended, also as the last event of the step it ended in. */
  outcome(outcome: Outcome): void {
    this.end = outcome;
    if (this.label !== undefined) this.emit('outcome', outcome, SEQUENCER);
  }

  /** Closes the trace. Header, a step and the outcome must have been given. */
  finish(final: FinalState): Trace {
    this.close();
    if (this.head === undefined) throw misuse('E_TRACE_UNFINISHED', 'the trace has no header');
    if (this.steps.length === 0) throw misuse('E_TRACE_UNFINISHED', 'the trace has no step');
    if (this.end === undefined) throw misuse('E_TRACE_UNFINISHED', 'the trace has no outcome');
    return {
      schema: TRACE_SCHEMA,
      header: this.head,
      steps: [...this.steps],
      consumed: this.integrity.list(),
      final: {
        regions: final.regions.map(({ name, pa, state, digest }) => ({
          name,
          pa: rangeText(pa),
          bytes: pa.length,
          state,
          digest,
        })),
        ...(final.screen !== undefined && { screen: [...final.screen] }),
      },
      outcome: this.end,
    };
  }

  /** What is known between two steps; the step before is closed. */
  snapshot(): RecorderState {
    this.close();
    return {
      header: this.head,
      steps: [...this.steps],
      scopes: [...this.scopes],
      names: [...this.names],
      integrity: this.integrity.snapshot(),
      outcome: this.end,
    };
  }

  /** Goes back to a snapshot; the next thing is a step. */
  restore(state: RecorderState): void {
    this.head = state.header;
    this.steps = [...state.steps];
    this.label = undefined;
    this.open = new Coalescer();
    this.scopes = [];
    this.path = [];
    for (const name of state.scopes) this.scopeEnter(name);
    this.names = [];
    this.nameIndex.clear();
    for (const name of state.names) this.intern(name);
    this.integrity.restore(state.integrity);
    this.end = state.outcome;
  }

  private close(): void {
    if (this.label === undefined) return;
    const runs = foldCpus(foldEntries(foldReencryption(this.open.runs)));
    const events = runs.map((run) =>
      renderEvent(run.kind, run.fields, run.origin, run.at.length, this.symbolize),
    );
    this.steps.push({ label: this.label, events });
    this.label = undefined;
    this.open = new Coalescer();
  }

  private pathNumber(parent: number, name: string): number {
    const key = `${parent} ${name}`;
    const known = this.paths.get(key);
    if (known !== undefined) return known;
    this.paths.set(key, this.paths.size + 1);
    return this.paths.size;
  }
}

/**
 * Records the trace of a boot: events under one label per step, the reads that are checked, the final state, the outcome.
 * Write-only for the machine and the kernel model: a boot does not depend on it.
 */
import { OriginNames } from './origin-names.js';
import { InputError } from '../base/errors.js';
import { Coalescer } from './coalesce.js';
import type { EventFields, FieldsOf, Origin, Span } from './event.js';
import { foldCpus, foldEntries, foldReencryption } from './fold.js';
import { Integrity, type IntegrityState, type ReadCheck, type Produced } from './integrity.js';
import { reportInOrder, type SanitizerReport } from './report.js';
import type { Search } from './searches.js';
import { rangeText, renderEvent, type Symbolize } from './render.js';
import {
  TRACE_SCHEMA,
  withReports,
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

/** Options of a recorder. */
export interface RecorderOptions {
  /** The symbol of an address, printed after it; none by default. */
  readonly symbolize?: Symbolize;
}

/** A named range of DRAM at the end of the boot. */
export interface RegionAtEnd {
  readonly name: string;
  readonly pa: Span;
  readonly state: RegionState;
  /** Digest of the raw bytes (see digestOf). */
  readonly digest: string;
}

/** The machine at the end of the boot, as far as a trace records it. */
export interface FinalState {
  readonly regions: readonly RegionAtEnd[];
  /** The lines on the screen; undefined if the machine has none. */
  readonly screen?: readonly string[] | undefined;
}

/** The state of a recorder between two steps, structured-clonable, for a boot that is resumed there. */
export interface RecorderState {
  readonly header: TraceHeader | undefined;
  readonly steps: readonly TraceStep[];
  readonly scopes: readonly string[];
  readonly names: readonly string[];
  readonly integrity: IntegrityState;
  readonly searches: readonly Search[];
  readonly outcome: Outcome | undefined;
}

/** Origin of the `outcome` event: no kernel function but the sequencer. */
const SEQUENCER: Origin = { fn: 'boot' };

function misuse(code: string, reason: string): InputError {
  return new InputError({ code, reason });
}

/** The fields that each kind of event may have. */
const WORDS: ReadonlyMap<TraceKind, ReadonlySet<string>> = new Map(
  TRACE_KINDS.map((kind) => [kind, new Set<string>([...KINDS[kind].fields, ...COMMON_FIELDS])]),
);

/**
 * Throws E_TRACE_FIELD for a kind or field that is not in the vocabulary. The type of `emit` checks the same; this check
 * is for what the compiler cannot see: a caller in JavaScript, and an unknown name in a variable or a spread.
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
  /** Events that follow one which is not recorded yet; null: there is none. */
  private held: (() => void)[] | null = null;
  /** The call stack, outermost function first. */
  private scopes: string[] = [];
  /** The number of each call path; the key is the parent path's number and the function. */
  private readonly paths = new Map<string, number>();
  private path: number[] = [];
  private readonly origins = new OriginNames();
  /** Not part of the trace. */
  private searchesSoFar: readonly Search[] = [];
  /** Prefix of the names of searches from now on. */
  private prefix = '';

  constructor(options: RecorderOptions = {}) {
    this.symbolize = options.symbolize ?? (() => undefined);
  }

  /** Sets the header: the whole invocation. */
  header(header: TraceHeader): void {
    this.head = header;
  }

  /** Starts a boot step and closes the one before. Throws E_TRACE_STEP if the label was used already. */
  step(label: string): void {
    this.close();
    if (this.steps.some((step) => step.label === label)) {
      throw misuse('E_TRACE_STEP', `the boot step ${label} was recorded already`);
    }
    this.label = label;
  }

  /** The label of the running step; undefined before the first. */
  get currentLabel(): string | undefined {
    return this.label;
  }

  /**
   * Runs `body`, then records events of one kind in the place before those of `body`: what is known of an access is known
   * after it.
   */
  ahead<K extends TraceKind, T>(
    kind: K,
    origin: Origin,
    events: () => readonly FieldsOf<K>[],
    body: () => T,
  ): T {
    const path = this.path.at(-1) ?? 0;
    const outer = this.held;
    const later: (() => void)[] = [];
    this.held = later;
    try {
      return body();
    } finally {
      this.held = outer;
      for (const fields of events()) {
        checkWords(kind, fields);
        this.put(kind, fields, origin, path);
      }
      if (outer === null) for (const record of later) record();
      else outer.push(...later);
    }
  }

  /** Records an event. Throws E_TRACE_FIELD for a kind or field not in the vocabulary, E_TRACE_STEP before any step. */
  emit<K extends TraceKind>(kind: K, fields: FieldsOf<K>, origin: Origin): void {
    checkWords(kind, fields);
    this.put(kind, fields, origin, this.path.at(-1) ?? 0);
  }

  private put<K extends TraceKind>(
    kind: K,
    fields: FieldsOf<K>,
    origin: Origin,
    path: number,
  ): void {
    if (this.label === undefined) {
      throw misuse('E_TRACE_STEP', `an event ${kind} came outside of a boot step`);
    }
    if (this.held === null) this.open.add<K>({ kind, fields }, origin, path);
    else
      this.held.push(() => {
        this.open.add<K>({ kind, fields }, origin, path);
      });
  }

  /** A function was entered: the events that follow are in its scope. */
  scopeEnter(name: string): void {
    this.scopes.push(name);
    this.path.push(this.pathNumber(this.path.at(-1) ?? 0, name));
  }

  /** Runs `body` in a scope of its own: its events merge with others of that name, whatever the call path. */
  aside(name: string, body: () => void): void {
    this.scopes.push(name);
    this.path.push(this.pathNumber(0, name));
    try {
      body();
    } finally {
      this.scopeLeave();
    }
  }

  /** The function returned. Without a matching scopeEnter() it does nothing: a corrupted stack may return too often. */
  scopeLeave(): void {
    this.scopes.pop();
    this.path.pop();
  }

  /** The integer for a name, by which an access carries its origin; 0 is '', the hardware itself. */
  intern(name: string): number {
    return this.origins.intern(name);
  }

  /** The name of an interned integer; undefined if there is none. */
  nameOf(origin: number): string | undefined {
    return this.origins.nameOf(origin);
  }

  /** A producer put the named bytes into memory for the boot to read. */
  produced(name: string, what: Produced): void {
    this.integrity.produced(name, what);
  }

  /** Reads of `name` are checked against what was produced as `earlier`; against nothing if that was not produced. */
  producedAs(name: string, earlier: string): void {
    this.integrity.producedAs(name, earlier);
  }

  /** Sets the prefix of the names that are produced and consumed from now on: those of another kernel (kexec). */
  within(prefix: string): void {
    this.integrity.within(prefix);
    this.prefix = prefix;
  }

  /** Records a search of memory for a table; not part of the trace. */
  searched(search: Omit<Search, 'present'>): void {
    const present = this.integrity.has(search.what);
    const what = this.prefix + search.what;
    this.searchesSoFar = [...this.searchesSoFar, { ...search, what, present }];
  }

  /** The searches so far, in order. */
  get searches(): readonly Search[] {
    return this.searchesSoFar;
  }

  /** A consumer read the named bytes as a whole. */
  consumed(name: string, by: string, bytes: Uint8Array): void {
    this.integrity.consumed(name, by, bytes);
  }

  /** A consumer read a part of the named bytes; `offset` is in bytes from their start. */
  consumedPart(name: string, by: string, offset: number, bytes: Uint8Array): void {
    this.integrity.consumedPart(name, by, offset, bytes);
  }

  /** Sets the callback for each read that is checked; null: none. */
  onReadCheck(callback: ((check: ReadCheck) => void) | null): void {
    this.integrity.onReadCheck = callback;
  }

  /** Appends each read that is checked from now on to `into`, unmerged; null: stops that. */
  keepReadChecks(into: Consumed[] | null): void {
    this.integrity.readChecks = into;
  }

  /** Adds read checks that were recorded elsewhere, as if they had been made here. */
  replayReadChecks(checks: readonly Consumed[]): void {
    this.integrity.replay(checks);
  }

  /** The reads that were checked so far, one entry a name and consumer, in the order of first use. */
  get consumedSoFar(): readonly Consumed[] {
    return this.integrity.list();
  }

  /** The events of a finished step, by label; empty if there is no such step. Closes the open step. */
  eventsOf(label: string): readonly TraceEvent[] {
    this.close();
    return this.steps.find((step) => step.label === label)?.events ?? [];
  }

  /** Records the outcome of the boot, also as the last event of the open step. */
  outcome(outcome: Outcome): void {
    this.end = outcome;
    if (this.label !== undefined) this.emit('outcome', outcome, SEQUENCER);
  }

  /**
   * Closes and returns the trace. `reports`: those of the sanitizer; absent: it was off. Throws E_TRACE_UNFINISHED without a
   * header, a step or an outcome.
   */
  finish(final: FinalState, reports?: readonly SanitizerReport[]): Trace {
    this.close();
    if (this.head === undefined) throw misuse('E_TRACE_UNFINISHED', 'the trace has no header');
    if (this.steps.length === 0) throw misuse('E_TRACE_UNFINISHED', 'the trace has no step');
    if (this.end === undefined) throw misuse('E_TRACE_UNFINISHED', 'the trace has no outcome');
    const trace: Trace = {
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
    return withReports(trace, reports?.map(reportInOrder));
  }

  /** The state between two steps; closes the open step. */
  snapshot(): RecorderState {
    this.close();
    return {
      header: this.head,
      steps: [...this.steps],
      scopes: [...this.scopes],
      names: this.origins.snapshot(),
      integrity: this.integrity.snapshot(),
      searches: this.searchesSoFar,
      outcome: this.end,
    };
  }

  /** Restores a snapshot; the next call must be step(). */
  restore(state: RecorderState): void {
    this.head = state.header;
    this.steps = [...state.steps];
    this.label = undefined;
    this.open = new Coalescer();
    this.scopes = [];
    this.path = [];
    for (const name of state.scopes) this.scopeEnter(name);
    this.origins.restore(state.names);
    this.integrity.restore(state.integrity);
    this.prefix = state.integrity.prefix;
    this.searchesSoFar = state.searches;
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

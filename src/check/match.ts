/** Evaluates a match file against a trace: the events that match, and the nearest event where none does. */
import { LIMITS } from '../base/limits.js';
import { didYouMean, suggest } from '../base/suggest.js';
import type { Directive, DirectiveKind } from './directive.js';
import type { MatchExpectation, Required } from './expectation.js';
import { matchRecord, mismatches, type Captures, type Mismatch, type Pattern } from './pattern.js';
import type { SanitizerReport } from '../trace/report.js';
import type { InputError } from '../base/errors.js';
import { matchReports } from './match-reports.js';
import { suppress } from './suppressions.js';
import {
  countOf,
  kindOf,
  reportsOf,
  type Consumed,
  type FinalRegion,
  type Scalar,
  type Trace,
  type TraceEvent,
} from '../trace/trace.js';

/** An event with the label of its boot step; for a directive about reports, a report and its fields. */
export interface Placed {
  readonly step: string;
  readonly event: TraceEvent;
  readonly report?: SanitizerReport;
}

/** The lines of the trace before and after an event; absent at the beginning and at the end. */
export interface Neighbours {
  readonly before?: Placed;
  readonly after?: Placed;
}

/** The event nearest to a pattern, the fields that do not match, and its neighbours. */
export interface Nearest extends Placed, Neighbours {
  readonly differs: readonly Mismatch[];
}

/** The result of a directive. */
export type Verdict =
  | { readonly status: 'found'; readonly at: readonly Placed[] }
  | { readonly status: 'absent' }
  | { readonly status: 'counted'; readonly times: number }
  | {
      readonly status: 'not-found';
      readonly pattern: Pattern;
      readonly captures: Captures;
      readonly nearest?: Nearest;
      /** The boot step where the search began. */
      readonly from?: string;
      /** The lines between which the search began: the last match and the next line. */
      readonly began: Neighbours;
    }
  | {
      /** No report matches. */
      readonly status: 'not-reported';
      readonly pattern: Pattern;
      readonly captures: Captures;
      /** The number of reports that were compared. */
      readonly reported: number;
      readonly nearest?: Nearest;
    }
  | { readonly status: 'forbidden'; readonly at: Placed & Neighbours }
  | {
      readonly status: 'wrong-count';
      readonly times: number;
      /** The first and the last matching line; absent if there is none. */
      readonly first?: Placed & Neighbours;
      readonly last?: Placed & Neighbours;
      /** If no event matches, the nearest one. */
      readonly nearest?: Nearest;
    }
  | { readonly status: 'unused'; readonly reason: string };

/** A directive and its verdict. */
export interface DirectiveResult {
  readonly directive: Directive;
  /** Its index in the file, from 0. */
  readonly index: number;
  readonly verdict: Verdict;
}

/** The result for one name of the sections final, outcome and consumed. */
export interface RequiredResult {
  readonly section: 'final' | 'outcome' | 'consumed';
  readonly name: string;
  readonly ok: boolean;
  /** Whether the trace has the name at all. */
  readonly known: boolean;
  /** Names near to it that the trace has, if it does not have this one. */
  readonly suggestion?: string;
  readonly differs: readonly Mismatch[];
}

/** The result of a whole match file. */
export interface MatchResult {
  readonly ok: boolean;
  readonly directives: readonly DirectiveResult[];
  readonly required: readonly RequiredResult[];
  /** What came of `suppress`, if the file has it. */
  readonly suppress?: {
    /** The number of reports that it covers. */
    readonly accepted: number;
    /** Entries that cover none (E_SUPPRESSION_UNUSED), with their places. */
    readonly unused: readonly InputError[];
  };
}

const GOOD: ReadonlySet<Verdict['status']> = new Set(['found', 'absent', 'counted']);

/** Whether a directive passed. */
export function isGood({ status }: Verdict): boolean {
  return GOOD.has(status);
}

/** A range of indices of the trace's events: [start, end). */
interface EventRange {
  readonly start: number;
  readonly end: number;
}

/** A match of all patterns of a directive: the captures, and the index of each pattern's event, in their order. */
interface Found {
  readonly captures: Captures;
  readonly indices: readonly number[];
}

class Matching {
  private readonly events: Placed[];
  private readonly steps = new Map<string, EventRange>();
  /** Where the next search begins: the index after the last match. A `not` is checked from here as well. */
  private cursor = 0;
  /** Comparisons of the any-order directives so far. */
  private tries = 0;

  constructor(
    steps: Trace['steps'],
    private captures: Captures = new Map(),
    private readonly reports: readonly SanitizerReport[] = [],
  ) {
    this.events = steps.flatMap(({ label: step, events }) =>
      events.map((event) => ({ step, event })),
    );
    let start = 0;
    for (const { label, events } of steps) {
      this.steps.set(label, { start, end: start + events.length });
      start += events.length;
    }
  }

  /** The captures that are bound so far. */
  get bound(): Captures {
    return this.captures;
  }

  run(directives: readonly Directive[]): DirectiveResult[] {
    const verdicts = new Map<number, Verdict>();
    let pendingNots: number[] = [];
    let searchFailed = false;
    const checkNots = (until: number): void => {
      for (const index of pendingNots) {
        const directive = directives[index];
        if (directive !== undefined) verdicts.set(index, this.forbid(directive, until));
      }
      pendingNots = [];
    };
    directives.forEach((directive, index) => {
      if (directive.about === 'reports') {
        verdicts.set(index, this.unknownStep(directive) ?? this.report(directive));
        return;
      }
      if (directive.kind === 'not') {
        pendingNots.push(index);
        return;
      }
      const unknown = this.unknownStep(directive);
      if (unknown === undefined && directive.kind === 'count') {
        verdicts.set(index, this.count(directive));
      } else if (unknown === undefined && !(searchFailed && directive.kind === 'next')) {
        const found = this.find(directive);
        verdicts.set(index, found.verdict);
        searchFailed = found.indices === undefined;
        if (found.indices === undefined) return;
        checkNots(Math.min(...found.indices));
        this.cursor = Math.max(...found.indices) + 1;
      } else {
        const reason = 'the match before it was not found';
        verdicts.set(index, unknown ?? { status: 'unused', reason });
        searchFailed ||= directive.kind !== 'count';
      }
    });
    checkNots(this.events.length);
    return directives.flatMap((directive, index) => {
      const verdict = verdicts.get(index);
      return verdict === undefined ? [] : [{ directive, index, verdict }];
    });
  }

  private unknownStep({ step }: Directive): Verdict | undefined {
    return step === undefined || this.steps.has(step)
      ? undefined
      : {
          status: 'unused',
          reason: `the trace has no boot step ${step}${didYouMean(step, this.steps.keys())}`,
        };
  }

  /** A range, cut to the step that a directive is restricted to. */
  private confined({ step }: Directive, { start, end }: EventRange): EventRange {
    const within = step === undefined ? undefined : this.steps.get(step);
    if (within === undefined) return { start, end };
    return { start: Math.max(start, within.start), end: Math.min(end, within.end) };
  }

  private find(directive: Directive): { verdict: Verdict; indices?: readonly number[] } {
    const after = { start: this.cursor, end: this.events.length };
    const reach =
      directive.kind === 'next' ? { ...after, end: Math.min(this.cursor + 1, after.end) } : after;
    const range = this.confined(directive, reach);
    const alone = directive.patterns.every((each) => this.assign([each], range) !== undefined);
    const found = alone ? this.assign(directive.patterns, range) : undefined;
    if (alone && found === undefined && this.tries >= LIMITS.anyOrderTries.most) {
      const reason = `the any-order directives compare more than ${LIMITS.anyOrderTries.most} events`;
      return { verdict: { status: 'unused', reason } };
    }
    if (found === undefined) return { verdict: this.missing(directive, range) };
    this.captures = found.captures;
    const at = found.indices.map((index) => this.placed(index));
    return { verdict: { status: 'found', at }, indices: found.indices };
  }

  /** Finds a distinct event for each pattern, by backtracking: the earliest assignment in pattern order. */
  private assign(patterns: readonly Pattern[], { start, end }: EventRange): Found | undefined {
    const many = patterns.length > 1;
    const search = (rank: number, captures: Captures, taken: number[]): Found | undefined => {
      const pattern = patterns[rank];
      if (pattern === undefined) return { captures, indices: taken };
      for (
        let index = start;
        index < end && !(many && this.tries >= LIMITS.anyOrderTries.most);
        index++
      ) {
        if (taken.includes(index)) continue;
        if (many) this.tries += 1;
        const bound = matchRecord(pattern, this.placed(index).event, captures);
        const rest = bound && search(rank + 1, bound, [...taken, index]);
        if (rest !== undefined) return rest;
      }
      return undefined;
    };
    return search(0, this.captures, []);
  }

  /** The verdict of a directive about reports. */
  private report(directive: Directive): Verdict {
    const { verdict, captures } = matchReports(directive, this.reports, this.captures);
    this.captures = captures;
    return verdict;
  }

  private forbid(directive: Directive, until: number): Verdict {
    const from = this.cursor;
    const unknown = this.unknownStep(directive);
    if (unknown !== undefined) return unknown;
    const range = this.confined(directive, { start: from, end: until });
    const own = directive.step === undefined ? undefined : this.steps.get(directive.step);
    const outside = own !== undefined && (own.end <= from || own.start >= until);
    if (outside && own.end > own.start) {
      const reason = `the boot step ${directive.step ?? ''} is not between the matches around it`;
      return { status: 'unused', reason };
    }
    for (const pattern of directive.patterns) {
      const found = this.assign([pattern], range)?.indices[0];
      if (found !== undefined) return { status: 'forbidden', at: this.located(found) };
    }
    return { status: 'absent' };
  }

  private count(directive: Directive): Verdict {
    const range = this.confined(directive, { start: 0, end: this.events.length });
    const [pattern = {}] = directive.patterns;
    let times = 0;
    const lines: number[] = [];
    for (let index = range.start; index < range.end; index++) {
      const { event } = this.placed(index);
      if (matchRecord(pattern, event, this.captures) === undefined) continue;
      times += countOf(event);
      lines.push(index);
    }
    const { min, max } = directive.times ?? { min: 1, max: Number.MAX_SAFE_INTEGER };
    if (times >= min && times <= max) return { status: 'counted', times };
    const [first, last] = [lines[0], lines.at(-1)];
    const nearest = first === undefined ? this.nearest(pattern, range, 'count') : undefined;
    return {
      status: 'wrong-count',
      times,
      ...(first !== undefined && { first: this.located(first) }),
      ...(last !== undefined && last !== first && { last: this.located(last) }),
      ...(nearest !== undefined && { nearest }),
    };
  }

  /** The verdict of a directive without a match: its first pattern that no event matches, and the nearest event. */
  private missing(directive: Directive, range: EventRange): Verdict {
    const [first = {}] = directive.patterns;
    const pattern =
      directive.patterns.find((each) => this.assign([each], range) === undefined) ?? first;
    const nearest = this.nearest(pattern, range, directive.kind);
    const from = this.events[range.start]?.step;
    return {
      status: 'not-found',
      pattern,
      captures: this.captures,
      began: this.between(range.start),
      ...(nearest !== undefined && { nearest }),
      ...(from !== undefined && { from }),
    };
  }

  /** The event of the pattern's kind with the fewest mismatches: in the range, otherwise in the whole trace. */
  private nearest(pattern: Pattern, range: EventRange, kind: DirectiveKind): Nearest | undefined {
    const best = ({ start, end }: EventRange): Nearest | undefined => {
      let found: Nearest | undefined;
      for (let index = start; index < end; index++) {
        const { step, event } = this.placed(index);
        const own = kindOf(event);
        if (kind !== 'next' && (own === undefined || !Object.hasOwn(pattern, own))) continue;
        const differs = mismatches(pattern, event, this.captures);
        if (found === undefined || differs.length < found.differs.length) {
          found = { step, event, differs, ...this.neighbours(index) };
        }
      }
      return found;
    };
    return best(range) ?? best({ start: 0, end: this.events.length });
  }

  /** The lines before and after the position before the event `index`. */
  private between(index: number): Neighbours {
    const [before, after] = [this.events[index - 1], this.events[index]];
    return { ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
  }

  private neighbours(index: number): Neighbours {
    const [before, after] = [this.events[index - 1], this.events[index + 1]];
    return { ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
  }

  private located(index: number): Placed & Neighbours {
    return { ...this.placed(index), ...this.neighbours(index) };
  }

  private placed(index: number): Placed {
    const placed = this.events[index];
    if (placed === undefined) throw new RangeError(`no event ${index}`);
    return placed;
  }
}

type Row = Readonly<Record<string, Scalar | undefined>>;

/** Checks a section's requirements: all rows of a name that match the pattern's `by` must match the other fields. */
function checkRequired(
  section: 'final' | 'consumed',
  required: Required,
  rows: readonly (FinalRegion | Consumed)[],
): RequiredResult[] {
  return required.map(([name, pattern]) => {
    const { by, ...others } = pattern;
    const named: Row[] = rows.filter((row) => row.name === name);
    const selected =
      by === undefined ? named : named.filter((row) => matchRecord({ by }, row, new Map()));
    const differs =
      selected.length === 0 && by !== undefined
        ? named.flatMap((row) => mismatches({ by }, row, new Map()))
        : selected.flatMap((row) => mismatches(others, row, new Map()));
    const known = named.length > 0;
    const near = known
      ? {}
      : suggest(
          name,
          rows.map((row) => row.name),
        );
    return { section, name, ok: known && differs.length === 0, known, ...near, differs };
  });
}

/** Evaluates one directive against the steps of a trace. */
export function matchDirective(directive: Directive, steps: Trace['steps']): { verdict: Verdict } {
  const [result] = new Matching(steps).run([directive]);
  return result ?? { verdict: { status: 'absent' } };
}

/**
 * Evaluates directives against records that are not events, in their order; `captures` are bound already. Returns those
 * that are bound afterwards too.
 */
export function matchRecords(
  directives: readonly Directive[],
  records: readonly TraceEvent[],
  captures: Captures,
): { readonly results: readonly DirectiveResult[]; readonly captures: Captures } {
  const matching = new Matching([{ label: '', events: [...records] }], captures);
  return { results: matching.run(directives), captures: matching.bound };
}

/** Evaluates a match file against a trace: a result for each directive and each required name, in file order. */
export function match(expectation: MatchExpectation, trace: Trace): MatchResult {
  const { reports, accepted } = acceptedOf(expectation, trace);
  const directives = new Matching(trace.steps, new Map(), reports).run(expectation.directives);
  const required = [
    ...checkRequired('final', expectation.final, trace.final.regions),
    ...checkRequired('consumed', expectation.consumed, trace.consumed),
  ];
  if (expectation.outcome !== undefined) {
    const differs = mismatches(expectation.outcome, trace.outcome, new Map());
    required.push({
      section: 'outcome',
      name: 'outcome',
      ok: differs.length === 0,
      known: true,
      differs,
    });
  }
  const ok =
    directives.every(({ verdict }) => isGood(verdict)) &&
    required.every((each) => each.ok) &&
    (accepted === undefined || accepted.unused.length === 0);
  return { ok, directives, required, ...(accepted !== undefined && { suppress: accepted }) };
}

/** The reports that the directives see: those that the file does not accept. */
function acceptedOf(
  { suppress: entries }: MatchExpectation,
  trace: Trace,
): {
  readonly reports: readonly SanitizerReport[];
  readonly accepted: MatchResult['suppress'];
} {
  const all = reportsOf(trace);
  if (entries === undefined) return { reports: all, accepted: undefined };
  const { reports, unused } = suppress(all, entries);
  const open = reports.filter(({ suppressed }) => suppressed === undefined);
  return { reports: open, accepted: { accepted: all.length - open.length, unused } };
}

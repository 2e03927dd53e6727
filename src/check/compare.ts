/**
 * Compares two whole traces, step by step. Events are compared by their fields: the order of keys does not count, and
 * two events that differ in some fields are reported as one changed event.
 */
import { own } from '../base/own.js';
import { align, EQUAL, type Aligned, type Weighing } from '../base/align.js';
import { reportDifferences, type ReportDifference } from './compare-reports.js';
import {
  kindOf,
  isSanitized,
  reportsOf,
  type Scalar,
  type Trace,
  type TraceEvent,
  type TraceStep,
} from '../trace/trace.js';
import { inOrder } from '../trace/yaml-out.js';

/** A value that differs, by the path of its field; undefined where one side has none. */
export interface FieldDifference {
  readonly field: string;
  readonly expected: Scalar | undefined;
  readonly found: Scalar | undefined;
}

/** One event that differs. */
export type EventDifference =
  | { readonly change: 'gone'; readonly event: TraceEvent }
  | { readonly change: 'added'; readonly event: TraceEvent }
  | {
      readonly change: 'changed';
      readonly expected: TraceEvent;
      readonly found: TraceEvent;
      readonly fields: readonly FieldDifference[];
    };

/** One boot step that differs: missing or extra as a whole, or with events that differ. */
export interface StepDifference {
  readonly label: string;
  readonly change: 'gone' | 'added' | 'changed';
  readonly events: readonly EventDifference[];
}

/** All differences between two traces. */
export interface Difference {
  readonly header: readonly FieldDifference[];
  readonly steps: readonly StepDifference[];
  readonly consumed: readonly FieldDifference[];
  readonly final: readonly FieldDifference[];
  readonly outcome: readonly FieldDifference[];
  readonly reports: readonly ReportDifference[];
}

/** Least share of equal fields for two events to be compared as one changed event (our choice). */
const MIN_SIMILARITY = 0.5;

const keysOfBoth = (a: object, b: object): string[] => [
  ...new Set([...Object.keys(a), ...Object.keys(b)]),
];

/** The fields in which two events differ, in the order they are printed. */
export function eventFields(expected: TraceEvent, found: TraceEvent): FieldDifference[] {
  return keysOfBoth(inOrder(expected), inOrder(found))
    .filter((field) => own(expected, field) !== own(found, field))
    .map((field) => ({ field, expected: own(expected, field), found: own(found, field) }));
}

/** Similarity of two events, from 0 to 1: the share of fields that are equal; 0 if their kinds differ. */
export function similarity(a: TraceEvent, b: TraceEvent): number {
  if (kindOf(a) !== kindOf(b)) return 0;
  const keys = keysOfBoth(a, b);
  return keys.filter((key) => own(a, key) === own(b, key)).length / keys.length;
}

/** How events are aligned: by equality, then by similarity. */
export const byEvent: Weighing<TraceEvent> = {
  key: (event) => JSON.stringify(inOrder(event)),
  similar: (a, b) => {
    const share = similarity(a, b);
    return share < MIN_SIMILARITY ? 0 : Math.min(EQUAL - 1, Math.round(share * EQUAL));
  },
};

const byLabel: Weighing<TraceStep> = { key: ({ label }) => label, similar: () => 0 };

/** The differences between the events of one step, in order. */
export function eventDifferences(
  expected: readonly TraceEvent[],
  found: readonly TraceEvent[],
): EventDifference[] {
  return align(expected, found, byEvent).flatMap(({ a, b }: Aligned): EventDifference[] => {
    const was = a === undefined ? undefined : expected[a];
    const is = b === undefined ? undefined : found[b];
    if (was !== undefined && is !== undefined) {
      const fields = eventFields(was, is);
      return fields.length === 0 ? [] : [{ change: 'changed', expected: was, found: is, fields }];
    }
    if (was !== undefined) return [{ change: 'gone', event: was }];
    return is === undefined ? [] : [{ change: 'added', event: is }];
  });
}

function stepDifferences(
  expected: readonly TraceStep[],
  found: readonly TraceStep[],
): StepDifference[] {
  return align(expected, found, byLabel).flatMap(({ a, b }): StepDifference[] => {
    const was = a === undefined ? undefined : expected[a];
    const is = b === undefined ? undefined : found[b];
    const label = was?.label ?? is?.label ?? '';
    const events = eventDifferences(was?.events ?? [], is?.events ?? []);
    if (was === undefined) return [{ label, change: 'added', events }];
    if (is === undefined) return [{ label, change: 'gone', events }];
    return events.length === 0 ? [] : [{ label, change: 'changed', events }];
  });
}

/** The scalars of a value by their path: `image.digest`; in a list, by their own value: `overlay[sme_me_mask]`. */
function flat(value: unknown, path = ''): [string, Scalar][] {
  if (typeof value === 'object' && value !== null) {
    const inner: [string, Scalar][] = Object.entries(value).flatMap(([key, each]) => {
      if (Array.isArray(value)) return flat(each, `${path}[${isScalar(each) ? each : key}]`);
      return flat(each, path === '' ? key : `${path}.${key}`);
    });
    return inner.length > 0 ? inner : [[path, Array.isArray(value) ? '[]' : '{}']];
  }
  return isScalar(value) ? [[path, value]] : [];
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** The scalars in which two values of plain data differ, by their path; in a list, by their own value. */
export function plainDifferences(expected: unknown, found: unknown): FieldDifference[] {
  const was = new Map(flat(expected));
  const is = new Map(flat(found));
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((field) => was.get(field) !== is.get(field))
    .map((field) => ({ field, expected: was.get(field), found: is.get(field) }));
}

/** Rows by name (`NAME (2)` for a second one), so that a missing row does not shift all rows after it. */
export function byName<R>(rows: readonly R[], name: (row: R) => string): Record<string, R> {
  const seen = new Map<string, number>();
  return Object.fromEntries(
    rows.map((row) => {
      const times = (seen.get(name(row)) ?? 0) + 1;
      seen.set(name(row), times);
      return [times === 1 ? name(row) : `${name(row)} (${times})`, row];
    }),
  );
}

/** The part of a header that is compared: all but the version of the program that wrote the trace. */
export function comparedHeader({ header }: Trace): Omit<Trace['header'], 'version'> {
  const { version: _version, ...compared } = header;
  return compared;
}

/** Compares two traces: every difference of header, steps, consumed, final state, outcome and reports. */
export function compare(expected: Trace, found: Trace): Difference {
  const consumed = ({ consumed }: Trace): unknown =>
    byName(consumed, ({ name, by }) => `${name} by ${by}`);
  const end = ({ final: { regions, screen } }: Trace): unknown => ({
    ...byName(regions, ({ name }) => name),
    ...(screen !== undefined && { screen: { ...screen } }),
  });
  return {
    header: plainDifferences(comparedHeader(expected), comparedHeader(found)),
    steps: stepDifferences(expected.steps, found.steps),
    consumed: plainDifferences(consumed(expected), consumed(found)),
    final: plainDifferences(end(expected), end(found)),
    outcome: plainDifferences(expected.outcome, found.outcome),
    // Where the sanitizer was off in one of them, which the header has, no reports means nothing.
    reports:
      isSanitized(expected) && isSanitized(found)
        ? reportDifferences(reportsOf(expected), reportsOf(found))
        : [],
  };
}

/** Whether nothing differs. `header: false` ignores the header: two invocations may give the same boot. */
export function isSame(difference: Difference, options: { header?: boolean } = {}): boolean {
  const { header, steps, consumed, final, outcome, reports } = difference;
  const rest = [steps, consumed, final, outcome, reports];
  return [...(options.header === false ? [] : [header]), ...rest].every(
    (part) => part.length === 0,
  );
}

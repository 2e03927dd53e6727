/** Parses and validates a trace, from YAML or JSON; an error has the file, the path and the line. */
import type * as z from 'zod';
import { InputError } from '../base/errors.js';
import { suggest } from '../base/suggest.js';
import { isKind, TRACE_KINDS } from './vocabulary.js';
import {
  kindOf,
  schemaOf,
  TRACE_SCHEMA,
  traceSchema,
  withReports,
  type Trace,
  type TraceStep,
} from './trace.js';
import {
  describeValue,
  readYaml,
  schemaError,
  valueAt,
  type PathKey,
  type YamlSource,
} from '../base/yaml-source.js';

const CODE = 'E_TRACE';

/** The E_TRACE error for the value at `path`, which is not a valid event. */
export function eventError(source: YamlSource, path: readonly PathKey[]): InputError {
  const event = valueAt(source.value, path);
  const isMapping = typeof event === 'object' && event !== null && !Array.isArray(event);
  const keys = isMapping ? Object.keys(event) : [];
  const kind = isMapping ? kindOf(event as Record<string, unknown>) : undefined;
  if (kind === undefined) {
    return new InputError({
      code: CODE,
      place: source.place(path),
      expected: `an event, one of ${TRACE_KINDS.join(', ')}`,
      found: keys.length > 0 ? keys.join(', ') : describeValue(event),
      ...suggest(keys[0] ?? '', TRACE_KINDS),
    });
  }
  const schema = schemaOf(kind);
  const result = schema.safeParse(event);
  const issue = result.error?.issues[0];
  const second = keys.filter(isKind)[1];
  if (issue === undefined || second !== undefined) {
    return new InputError({
      code: CODE,
      place: source.place(path, second),
      reason: `an event has one kind, this one is ${kind} and ${second ?? 'another'}`,
    });
  }
  return schemaError(CODE, source, { ...issue, path: [...path, ...issue.path] }, schema, path);
}

/** The path `steps[i].events[j]` of the event that an issue is about; undefined if it is about no event. */
function eventPath(path: readonly PropertyKey[]): PathKey[] | undefined {
  const [steps, step, events, event] = path;
  return steps === 'steps' && events === 'events' && Number.isInteger(step)
    ? Number.isInteger(event)
      ? ['steps', Number(step), 'events', Number(event)]
      : undefined
    : undefined;
}

function traceError(source: YamlSource, issue: z.core.$ZodIssue): InputError {
  const path = eventPath(issue.path);
  return path === undefined
    ? schemaError(CODE, source, issue, traceSchema)
    : eventError(source, path);
}

/** Throws E_TRACE for a duplicate label, or if no step has an event. `path` is that of the steps in the file. */
export function checkSteps(
  source: YamlSource,
  path: readonly PathKey[],
  steps: readonly TraceStep[],
): void {
  const labels = new Set<string>();
  steps.forEach(({ label }, index) => {
    if (labels.has(label)) {
      throw new InputError({
        code: CODE,
        place: source.place([...path, index, 'label']),
        expected: 'each label once',
        found: `${label} again`,
      });
    }
    labels.add(label);
  });
  if (steps.every(({ events }) => events.length === 0)) {
    throw new InputError({
      code: CODE,
      place: source.place(path),
      expected: 'at least one event',
      found: 'an empty trace',
    });
  }
}

/** Whether the sanitizer was on; version 1 says so only if it was. */
const wasSanitized = ({ schema, header }: Trace): boolean =>
  schema === TRACE_SCHEMA ? header.sanitize !== false : header.sanitize === true;

/**
 * The trace with its reports as this version has them: a section, or `sanitize: false` in the header. Throws E_TRACE for a
 * section `reports` in a version without it, or where the header says that the sanitizer was off, and for none where it
 * was on.
 */
function versionOf(source: YamlSource, trace: Trace): Trace {
  const { schema, reports } = trace;
  const refuse = (place: InputError['place'], expected: string, found: string): InputError =>
    new InputError({ code: CODE, place, expected, found });
  if (reports !== undefined && schema !== TRACE_SCHEMA) {
    const expected = `${TRACE_SCHEMA}, for a trace with reports`;
    throw refuse(source.place(['schema']), expected, String(schema));
  }
  const on = wasSanitized(trace);
  if (on && reports === undefined && schema === TRACE_SCHEMA) {
    const expected = 'reports ([]: there are none), or sanitize: false in the header';
    throw refuse(source.place([]), expected, 'neither');
  }
  if (!on && reports !== undefined) {
    const expected = 'no reports, since the header has sanitize: false';
    throw refuse(source.place(['reports']), expected, `${String(reports.length)} reports`);
  }
  return withReports(trace, on ? (reports ?? []) : undefined);
}

/** Throws E_TRACE for a report about a step that the trace does not have. `pathOf`: where a report's step is given. */
export function checkReports(
  source: YamlSource,
  pathOf: (index: number) => readonly PathKey[],
  { steps, reports = [] }: Pick<Trace, 'steps' | 'reports'>,
): void {
  const labels = steps.map(({ label }) => label);
  reports.forEach(({ step }, index) => {
    if (labels.includes(step)) return;
    throw new InputError({
      code: CODE,
      place: source.place(pathOf(index)),
      expected: 'the label of a step of this trace',
      found: step,
      ...suggest(step, labels),
    });
  });
}

/** The trace in a parsed file, at path `at` (default: the whole file). Throws E_TRACE. */
export function traceOf(source: YamlSource, at: readonly PathKey[] = []): Trace {
  const inner: YamlSource = {
    file: source.file,
    value: valueAt(source.value, at),
    place: (path, key) => source.place([...at, ...path], key),
  };
  const result = traceSchema.safeParse(inner.value);
  if (!result.success) {
    const [issue] = result.error.issues;
    if (issue === undefined) throw result.error;
    throw traceError(inner, issue);
  }
  checkSteps(inner, ['steps'], result.data.steps);
  const trace = versionOf(inner, result.data);
  checkReports(inner, (index) => ['reports', index, 'step'], trace);
  return trace;
}

/** Parses a trace file; JSON is YAML too. Throws InputError (E_YAML, E_TRACE, E_TOO_LARGE). */
export function parseTrace(file: string, text: string): Trace {
  return traceOf(readYaml(file, text));
}

/** The functions that a trace names, at their lines of a source tree. */
import type { Trace } from '../trace/trace.js';
import { countOf } from '../trace/trace.js';
import type { Row } from './result.js';
import { functionOf, type ModelName, nameRow } from './tree-model.js';
import { type RecordFile, type Reviewed, namedRow } from './tree-names.js';

/** A function of a trace. */
export interface TraceFunction {
  readonly name: string;
  /** Its kernel file; absent if the trace does not give it. */
  readonly file?: string;
  /** The events in it. */
  readonly events: number;
  /** The label of the first step with one, and the path of that event. */
  readonly first: { readonly label: string; readonly path: string };
}

/** The functions of a trace's events in the order of their first event, each once. */
export function functionsOf(trace: Trace): TraceFunction[] {
  const found = new Map<string, TraceFunction>();
  trace.steps.forEach(({ label, events }, step) => {
    events.forEach((event, index) => {
      if (typeof event.in !== 'string') return;
      const name = functionOf(event.in);
      const file = typeof event.file === 'string' ? event.file : undefined;
      const key = `${name} ${file ?? ''}`;
      const before = found.get(key);
      const first = { label, path: `steps.${step}.events.${index}` };
      found.set(key, {
        name,
        ...(file === undefined ? {} : { file }),
        events: (before?.events ?? 0) + countOf(event),
        first: before?.first ?? first,
      });
    });
  });
  return [...found.values()];
}

/** A row for each function of a trace: where the tree defines it. `model`: the base kernel's functions with their files. */
export function reviewTrace(
  { file: traceFile, trace }: { readonly file: string; readonly trace: Trace },
  {
    records,
    model,
  }: { readonly records: readonly RecordFile[]; readonly model: readonly ModelName[] },
  reviewed: Omit<Reviewed, 'applied'> & { readonly applied: ReadonlySet<number> },
): Row[] {
  const files = new Map(model.map(({ name, file }) => [functionOf(name), file]));
  const fits = (entry: ModelName, { name, file }: TraceFunction): boolean =>
    entry.name === name && (file === undefined || entry.file === file);
  return functionsOf(trace).map((fn): Row => {
    const { name, events, first } = fn;
    const added = records.find(({ record }) => record.adds.some((entry) => fits(entry, fn)));
    const entry = added?.record.adds.find((each) => fits(each, fn));
    const row = {
      about: 'trace' as const,
      claim: name,
      record: { file: traceFile, path: first.path },
      ...(added === undefined ? {} : { patch: added.record.number }),
    };
    const said = `${events} ${events === 1 ? 'event' : 'events'}, first in ${first.label}`;
    const withEvents = (each: Row): Row => ({
      ...each,
      note: each.note === undefined ? said : `${said}; ${each.note}`,
    });
    if (added !== undefined && entry !== undefined) {
      const applied = reviewed.applied.has(added.record.number);
      return withEvents(namedRow(entry, row, { ...reviewed, applied }, true));
    }
    const file = fn.file ?? files.get(name);
    if (file === undefined) {
      return withEvents({ ...row, state: 'not checked', note: 'not a function of a kernel file' });
    }
    return withEvents(nameRow({ name, file }, row, reviewed));
  });
}

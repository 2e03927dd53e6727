/** Applies the changes in a file to a base trace. An edit that does not apply is a misfit, with its place. */
import { own } from '../base/own.js';
import { InputError } from '../base/errors.js';
import {
  changesFileSchema,
  type ConsumedEdit,
  type EventChange,
  type EventEdit,
  type HeaderChanges,
  type NameEdit,
  type RegionEdit,
  type ReportEdit,
  type StepEdit,
  type TraceChanges,
} from './changes.js';
import { applyEdits, hasFields, type Edit } from './list-edits.js';
import {
  kindOf,
  reportsOf,
  schemaOf,
  withReports,
  type Scalar,
  type Trace,
  type TraceEvent,
  type TraceStep,
} from '../trace/trace.js';
import { checkReports, checkSteps, eventError } from '../trace/yaml-in.js';
import { printEvent } from '../trace/yaml-out.js';
import type { SanitizerReport } from '../trace/report.js';
import {
  schemaError,
  validate,
  valueAt,
  type PathKey,
  type YamlSource,
} from '../base/yaml-source.js';

const CODE = 'E_CHANGES';

/** The result of applying changes. */
export interface Applied {
  readonly trace: Trace;
  /** Edits whose element the base does not have (E_APPLY, with their places); the trace is made without them. */
  readonly misfits: readonly InputError[];
}

/** An element, or the fields that identify it. */
type Fields = Readonly<Record<string, unknown>>;

/** A copy of `item` with the fields of `to`; null removes a field, undefined is ignored. */
export function withFields(item: Fields, to: Fields): Fields {
  const out: Record<string, unknown> = { ...item };
  for (const [field, value] of Object.entries(to)) {
    if (value === null) Reflect.deleteProperty(out, field);
    else if (value !== undefined) out[field] = value;
  }
  return out;
}

/** One application of a file to a base; collects the misfits. */
class Application {
  readonly misfits: InputError[] = [];

  constructor(private readonly source: YamlSource) {}

  /** Records an edit whose element is not found, as E_APPLY at the place of `path`. */
  misfit(path: readonly PathKey[], what: string, expected: string, nearest?: string): InputError {
    const error = new InputError({
      code: 'E_APPLY',
      place: this.source.place(path),
      reason: `the base has no such ${what} after the edit before`,
      expected,
      found: nearest ?? 'none similar',
    });
    this.misfits.push(error);
    return error;
  }

  names(
    path: readonly PathKey[],
    what: string,
    base: readonly string[],
    edits: readonly NameEdit[],
  ): string[] {
    return applyEdits(base, edits, {
      matches: (item, key) => item === key,
      change: (item) => item,
      misfit: (index, key) => this.misfit([...path, index], what, JSON.stringify(key)),
    });
  }

  /** Applies edits to elements that are identified by some of their fields. */
  rows<K extends Fields, C extends Fields, T extends Fields>(
    path: readonly PathKey[],
    what: string,
    base: readonly T[],
    edits: readonly Edit<K, C, T>[],
    change: (item: T, to: C, path: readonly PathKey[]) => T,
  ): T[] {
    return applyEdits<K, C, T>(base, edits, {
      matches: hasFields,
      change: (item, to, index) => change(item, to, [...path, index, 'to']),
      misfit: (index, key, rest) => {
        this.misfit([...path, index], what, fieldsText(key), nearest(rest, key));
      },
    });
  }

  /** An event of the file, validated by its kind. Throws E_TRACE. */
  event(event: TraceEvent, path: readonly PathKey[]): TraceEvent {
    const kind = kindOf(event);
    if (kind === undefined || !schemaOf(kind).safeParse(event).success) {
      throw eventError(this.source, path);
    }
    return event;
  }

  /** An event of the base with some fields changed. Throws E_CHANGES if it is no longer valid. */
  changed(event: TraceEvent, to: EventChange, path: readonly PathKey[]): TraceEvent {
    const changed = withFields(event, to) as Record<string, Scalar>;
    const kind = kindOf(changed);
    if (kind === undefined) {
      throw new InputError({
        code: CODE,
        place: this.source.place(path),
        reason: 'the kind of an event cannot change: drop this one and add another',
      });
    }
    const schema = schemaOf(kind);
    const issue = schema.safeParse(changed).error?.issues[0];
    if (issue === undefined) return changed;
    throw schemaError(
      CODE,
      {
        ...this.source,
        place: (inner, key) => this.source.place([...path, ...inner], key),
        value: changed,
      },
      issue,
      schema,
    );
  }

  events(
    path: readonly PathKey[],
    base: readonly TraceEvent[],
    edits: readonly EventEdit[],
  ): TraceEvent[] {
    edits.forEach((edit, index) => {
      if ('add' in edit) this.event(edit.add, [...path, index, 'add']);
    });
    return this.rows(path, 'event', base, edits, (event, to, at) => this.changed(event, to, at));
  }

  steps(base: readonly TraceStep[], edits: readonly StepEdit[]): TraceStep[] {
    const path: PathKey[] = ['changes', 'steps'];
    const general = edits.map((edit, index): Edit<string, readonly EventEdit[], TraceStep> => {
      if ('step' in edit) return { change: edit.step, to: edit.events };
      if (!('add' in edit)) return edit;
      edit.add.events.forEach((event, at) =>
        this.event(event, [...path, index, 'add', 'events', at]),
      );
      return edit;
    });
    const steps = applyEdits(base, general, {
      matches: ({ label }, key) => label === key,
      change: ({ label, events }, to, index) => ({
        label,
        events: this.events([...path, index, 'events'], events, to),
      }),
      misfit: (index, key) => this.misfit([...path, index], 'step', key),
    });
    checkSteps(this.source, path, steps);
    return steps;
  }

  header(base: Trace['header'], changes: HeaderChanges): Trace['header'] {
    const path: PathKey[] = ['changes', 'header'];
    const list = (name: 'without' | 'with' | 'overlay'): string[] =>
      this.names([...path, name], 'name', base[name], changes[name] ?? []);
    const without = list('without');
    const extra = list('with');
    // With another hunk selection it would be the trace of another run, with nothing to compare it to.
    const [misfit] = this.misfits;
    if (misfit !== undefined) throw misfit;
    const { settings, config, image, optionsNotModelled: options, ...others } = changes;
    const notModelled =
      options === undefined || options === null
        ? options
        : this.names(
            [...path, 'optionsNotModelled'],
            'option',
            base.optionsNotModelled ?? [],
            options,
          );
    if (notModelled?.length === 0) {
      throw new InputError({
        code: CODE,
        place: this.source.place([...path, 'optionsNotModelled']),
        expected: 'an option, or null for none',
        found: 'an empty list',
      });
    }
    return withFields(base, {
      ...others,
      // That of the base's writer; the file does not record its own.
      version: null,
      without,
      with: extra,
      overlay: list('overlay'),
      settings: withFields(base.settings, settings ?? {}),
      config: withFields(base.config, config ?? {}),
      image: withFields(base.image, image ?? {}),
      optionsNotModelled: notModelled,
    }) as Trace['header'];
  }

  final(base: Trace['final'], changes: NonNullable<TraceChanges['final']>): Trace['final'] {
    const path: PathKey[] = ['changes', 'final'];
    const { screen } = changes;
    const regions = this.rows(
      [...path, 'regions'],
      'region',
      base.regions,
      (changes.regions ?? []) as readonly RegionEdit[],
      (region, to) => withFields(region, to) as typeof region,
    );
    const lines =
      screen === undefined || screen === null
        ? screen
        : this.names([...path, 'screen'], 'line', base.screen ?? [], screen);
    return withFields({ ...base, regions }, { screen: lines }) as Trace['final'];
  }

  /** Those of the base about a step that the trace does not have are left out, as misfits: an edit has to drop them. */
  reports(
    base: readonly SanitizerReport[],
    edits: readonly ReportEdit[],
    steps: readonly TraceStep[],
  ): SanitizerReport[] {
    const path = ['changes', 'reports'];
    const reports = this.rows(
      path,
      'report',
      base,
      edits,
      (report, to) => withFields(report, to) as typeof report,
    );
    const labels = new Set(steps.map(({ label }) => label));
    return reports.filter((report) => {
      if (labels.has(report.step) || !base.includes(report)) return true;
      this.misfits.push(
        new InputError({
          code: 'E_APPLY',
          place: this.source.place(path),
          reason: 'the base has a report about a step that this trace does not have',
          expected: 'an edit that drops it',
          found: `${report.rule} in ${report.step}`,
        }),
      );
      return false;
    });
  }

  consumed(base: Trace['consumed'], edits: readonly ConsumedEdit[]): Trace['consumed'] {
    return this.rows(
      ['changes', 'consumed'],
      'consumed entry',
      base,
      edits,
      (row, to) => withFields(row, to) as typeof row,
    );
  }
}

const fieldsText = (key: Fields): string => printEvent(key as TraceEvent);

/** The element that has most of the fields of a key, as text; undefined if none has any. */
function nearest(rest: readonly Fields[], key: Fields): string | undefined {
  const share = (item: Fields): number =>
    Object.entries(key).filter(([field, value]) => own(item, field) === value).length;
  const best = rest.reduce<{ item?: Fields; share: number }>(
    (most, item) => (share(item) > most.share ? { item, share: share(item) } : most),
    { share: 0 },
  );
  return best.item === undefined ? undefined : `nearest ${fieldsText(best.item)}`;
}

/** Whether a parsed file has this form: `expect: exact` with `base` or `changes`. */
export function isDifference(source: YamlSource): boolean {
  if (valueAt(source.value, ['expect']) !== 'exact') return false;
  return ['base', 'changes'].some((key) => valueAt(source.value, [key]) !== undefined);
}

/** The path of the base, as written in the file. Throws E_CHANGES for a file that is not of this form. */
export function baseOf(source: YamlSource): string {
  return validate(CODE, changesFileSchema, source).base;
}

/**
 * Applies a file of changes to its base. Throws E_CHANGES and E_TRACE for an invalid file, E_APPLY for an edit of the
 * hunk selection (`without`, `with`) that does not apply: it would be another run. Other misfits are returned.
 */
export function applyChanges(base: Trace, source: YamlSource): Applied {
  const { changes } = validate(CODE, changesFileSchema, source);
  const application = new Application(source);
  const header = application.header(base.header, changes.header ?? {});
  const outcome = withFields(base.outcome, changes.outcome ?? {}) as Trace['outcome'];
  const steps = application.steps(base.steps, changes.steps ?? []);
  const changed: Trace = {
    ...base,
    header,
    steps,
    consumed: application.consumed(base.consumed, changes.consumed ?? []),
    final: application.final(base.final, changes.final ?? {}),
    outcome,
  };
  const { sanitize = true } = changes.header?.sanitize === null ? { sanitize: false } : header;
  const edits = changes.reports ?? [];
  const added = edits.filter((edit) => 'add' in edit).length;
  if (!sanitize && added > 0) {
    throw new InputError({
      code: CODE,
      place: source.place(['changes', 'reports']),
      expected: 'no report, since the header has sanitize: false',
      found: added === 1 ? '1 report' : `${String(added)} reports`,
    });
  }
  // Without the sanitizer there is no report that an edit could be about.
  const reports = application.reports(sanitize ? reportsOf(base) : [], edits, steps);
  const trace = withReports(changed, sanitize ? reports : undefined);
  checkReports(source, () => ['changes', 'reports'], trace);
  return { trace, misfits: application.misfits };
}

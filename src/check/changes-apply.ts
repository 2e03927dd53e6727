/** Makes the whole trace of a base and the changes in a file. What the base has no place for is a misfit, with its place. */
import { InputError } from '../base/errors.js';
import {
  changesFileSchema,
  type ConsumedEdit,
  type EventChange,
  type EventEdit,
  type HeaderChanges,
  type NameEdit,
  type RegionEdit,
  type StepEdit,
  type TraceChanges,
} from './changes.js';
import { applyEdits, hasFields, type Edit } from './list-edits.js';
import {
  kindOf,
  schemaOf,
  type Scalar,
  type Trace,
  type TraceEvent,
  type TraceStep,
} from '../trace/trace.js';
import { checkSteps, eventError } from '../trace/yaml-in.js';
import { printEvent } from '../trace/yaml-out.js';
import {
  schemaError,
  validate,
  valueAt,
  type PathKey,
  type YamlSource,
} from '../base/yaml-source.js';

const CODE = 'E_CHANGES';

/** A trace made of changes. */
export interface Applied {
  readonly trace: Trace;
  /** Edits that name what the base does not have (E_APPLY, with their places); the trace is as if they were not there. */
  readonly misfits: readonly InputError[];
}

/** Fields by which an element is found, and the element itself. */
type Fields = Readonly<Record<string, unknown>>;

/** Fields with some of them new; null takes one away. */
export function withFields(item: Fields, to: Fields): Fields {
  const out: Record<string, unknown> = { ...item };
  for (const [field, value] of Object.entries(to)) {
    if (value === null) Reflect.deleteProperty(out, field);
    else if (value !== undefined) out[field] = value;
  }
  return out;
}

/** The part of a file that is being applied. */
class Application {
  readonly misfits: InputError[] = [];

  constructor(private readonly source: YamlSource) {}

  /** Notes an edit whose element is not there. */
  misfit(path: readonly PathKey[], what: string, wanted: string, nearest?: string): InputError {
    const error = new InputError({
      code: 'E_APPLY',
      place: this.source.place(path),
      reason: `the base has no such ${what} from here on`,
      expected: wanted,
      found: nearest ?? 'none like it',
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

  /** Edits of elements that are found by some of their fields. */
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

  /** An event of the file, checked as one. */
  event(event: TraceEvent, path: readonly PathKey[]): TraceEvent {
    const kind = kindOf(event);
    if (kind === undefined || !schemaOf(kind).safeParse(event).success) {
      throw eventError(this.source, path);
    }
    return event;
  }

  /** An event of the base with some fields changed. */
  changed(event: TraceEvent, to: EventChange, path: readonly PathKey[]): TraceEvent {
    const changed = withFields(event, to) as Record<string, Scalar>;
    const kind = kindOf(changed);
    if (kind === undefined) {
      throw new InputError({
        code: CODE,
        place: this.source.place(path),
        reason: 'an event keeps its kind: drop this one and add another',
      });
    }
    const issue = schemaOf(kind).safeParse(changed).error?.issues[0];
    if (issue === undefined) return changed;
    throw schemaError(
      CODE,
      {
        ...this.source,
        place: (inner, key) => this.source.place([...path, ...inner], key),
        value: changed,
      },
      issue,
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
    // Of another composition it would be another run's trace: there is nothing to compare it with.
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

  consumed(base: Trace['consumed'], edits: readonly ConsumedEdit[]): Trace['consumed'] {
    return this.rows(
      ['changes', 'consumed'],
      'consumed thing',
      base,
      edits,
      (row, to) => withFields(row, to) as typeof row,
    );
  }
}

const fieldsText = (key: Fields): string => printEvent(key as TraceEvent);

/** The element that has most of the fields of a key, in the file's words; undefined if none has any. */
function nearest(rest: readonly Fields[], key: Fields): string | undefined {
  const share = (item: Fields): number =>
    Object.entries(key).filter(([field, value]) => item[field] === value).length;
  const best = rest.reduce<{ item?: Fields; share: number }>(
    (most, item) => (share(item) > most.share ? { item, share: share(item) } : most),
    { share: 0 },
  );
  return best.item === undefined ? undefined : `at most ${fieldsText(best.item)}`;
}

/** Whether a file is of this form: an exact trace with a base or changes. */
export function isDifference(source: YamlSource): boolean {
  if (valueAt(source.value, ['expect']) !== 'exact') return false;
  return ['base', 'changes'].some((key) => valueAt(source.value, [key]) !== undefined);
}

/** The file of the base, as a file of changes names it. Throws E_CHANGES for a file that is not of this form. */
export function baseOf(source: YamlSource): string {
  return validate(CODE, changesFileSchema, source).base;
}

/**
 * The trace of a file of changes. Throws E_CHANGES and E_TRACE for what is wrong in the file itself, E_APPLY for an edit
 * of the composition (`without`, `with`) that does not fit: the run would be another.
 */
export function applyChanges(base: Trace, source: YamlSource): Applied {
  const { changes } = validate(CODE, changesFileSchema, source);
  const application = new Application(source);
  const header = application.header(base.header, changes.header ?? {});
  const { findings } = changes;
  const outcome = withFields(base.outcome, changes.outcome ?? {}) as Trace['outcome'];
  const trace: Trace = {
    ...base,
    header,
    steps: application.steps(base.steps, changes.steps ?? []),
    consumed: application.consumed(base.consumed, changes.consumed ?? []),
    final: application.final(base.final, changes.final ?? {}),
    outcome,
  };
  return {
    trace: withFields(trace, { findings }) as Trace,
    misfits: application.misfits,
  };
}

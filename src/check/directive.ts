/**
 * The directives of a match file. In order: `expect` (somewhere after the last match), `next` (the very next event),
 * `any-order` (all of several, after the last match), `not` (not between the match before and the one after). Independent
 * of order: `count` (the number of events; a line counts its `n`), and `report` (the sanitizer made a matching report), with
 * `not` and `count` of a report. `step` restricts any of them to a boot step.
 */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { own } from '../base/own.js';
import { suggest } from '../base/suggest.js';
import { reportPattern, toReportPattern } from './report-directive.js';
import { capturesOf, valuePattern, type Pattern, type ValuePattern } from './pattern.js';
import type { Scalar } from '../trace/trace.js';
import { meaningOf, MEANINGS } from '../trace/meanings.js';
import { isKind, keysOf, principalOf, TRACE_KINDS, type TraceKind } from '../trace/vocabulary.js';
import {
  describeValue,
  validate,
  valueAt,
  type PathKey,
  type YamlSource,
} from '../base/yaml-source.js';

/** The error code of an expectation file. */
export const CODE = 'E_EXPECTATION';

/** Schema of a field of a pattern in the file. */
export const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const patternSchema = z.record(z.string(), value);
const count = z.int().min(0);
const step = z
  .string()
  .min(1)
  .optional()
  .describe('Label of the boot step that the directive is restricted to.');
/** Schema of the number that a `count` requires. */
export const times = z.union([
  count,
  z
    .strictObject({
      min: count.optional().describe('The least number of events, 0 by default.'),
      max: count.optional().describe('The greatest number of events, no limit by default.'),
    })
    .refine(({ min, max }) => min !== undefined || max !== undefined, 'needs min or max'),
]);

/** The schemas of the directives, for a given schema of patterns; `any`: of one about an event or a report. */
function directives<P extends z.ZodType, A extends z.ZodType>(pattern: P, any: A) {
  return {
    expect: z.strictObject({
      expect: pattern.describe('A matching event follows somewhere after the last match.'),
      step,
    }),
    next: z.strictObject({
      next: pattern.describe('The line after the last match is a matching event.'),
      step,
    }),
    not: z.strictObject({
      not: any.describe('No matching event is between the match before and the one after.'),
      step,
    }),
    'any-order': z.strictObject({
      'any-order': z
        .array(pattern)
        .min(2)
        .max(LIMITS.anyOrder.most)
        .describe('A distinct matching event for each follows after the last match, in any order.'),
      step,
    }),
    count: z.strictObject({
      count: any.describe('Matching events are counted, in the whole trace or in the step.'),
      times: times.describe('The required number: a number, or min and max.'),
      step,
    }),
    report: z.strictObject({
      report: reportPattern.describe('The sanitizer made a matching report.'),
      step,
    }),
  } as const;
}

const DIRECTIVES = directives(patternSchema, z.record(z.string(), z.unknown()));
const ofReport = z.strictObject({ report: reportPattern });

/** Schema of a pattern of one kind of event: the kind with its principal value, and any of its other keys. */
function patternOf(kind: TraceKind): z.ZodType {
  const principal = z.union([z.string(), z.number(), z.boolean()]);
  const shape: Record<string, z.ZodType> = {
    [kind]: principal.describe(meaningOf(kind, principalOf(kind))),
  };
  for (const key of keysOf(kind)) shape[key] = value.optional().describe(meaningOf(kind, key));
  return z.strictObject(shape).describe(MEANINGS[kind].what);
}

/** Schema of a directive, for editors; `directiveOf` gives more exact errors. */
export function directiveSchema(): z.ZodType {
  const description = 'An event by its kind, and fields that it must have.';
  const pattern = z.union(TRACE_KINDS.map(patternOf)).meta({ id: 'pattern', description });
  return z.union(Object.values(directives(pattern, z.union([pattern, ofReport]))));
}

/** The kind of a directive. */
export type DirectiveKind = keyof typeof DIRECTIVES;

/** The number of events that a `count` requires, both ends included. */
export interface Times {
  readonly min: number;
  readonly max: number;
}

/** One line of a match file. */
export interface Directive {
  readonly kind: DirectiveKind;
  /** One pattern; for any-order, two or more. */
  readonly patterns: readonly Pattern[];
  /** Label of the boot step that it is restricted to. */
  readonly step?: string;
  /** The required number, for `count` only. */
  readonly times?: Times;
  /** For a directive about reports; its patterns are of their fields. */
  readonly about?: 'reports';
}

/** An E_EXPECTATION error with a reason, at the place of `path`. */
export function refuse(source: YamlSource, path: readonly PathKey[], reason: string): InputError {
  return new InputError({ code: CODE, place: source.place(path), reason });
}

/** Parses the pattern of a record. Throws E_EXPECTATION for an invalid value or no field at all. */
export function toPattern(
  source: YamlSource,
  path: readonly PathKey[],
  fields: Readonly<Record<string, Scalar | null | undefined>>,
): Pattern {
  const out: [string, ValuePattern][] = [];
  for (const [field, each] of Object.entries(fields)) {
    if (each === undefined) continue;
    const read = valuePattern(each);
    if (typeof read === 'string') throw refuse(source, [...path, field], read);
    out.push([field, read]);
  }
  if (out.length === 0) throw refuse(source, path, 'a pattern needs at least one field');
  return Object.fromEntries(out);
}

/** Parses the pattern of an event: one kind, and fields that events of the kind have. Throws E_EXPECTATION. */
function eventPattern(
  source: YamlSource,
  path: readonly PathKey[],
  fields: Readonly<Record<string, Scalar | null>>,
): Pattern {
  const names = Object.keys(fields);
  const kinds = names.filter(isKind);
  const [kind, second] = kinds;
  if (kind === undefined || second !== undefined) {
    const unknown = names.filter((name) => !TRACE_KINDS.some((any) => keysOf(any).includes(name)));
    const given = unknown.length === 0 ? 'none' : unknown.join(', ');
    throw new InputError({
      code: CODE,
      place: source.place(path),
      expected: `one kind of event in a pattern, of ${TRACE_KINDS.join(', ')}`,
      found: second === undefined ? given : kinds.join(' and '),
      ...(second === undefined && suggest(unknown[0] ?? '', TRACE_KINDS)),
    });
  }
  const wrong = names.find((name) => name !== kind && !keysOf(kind).includes(name));
  if (wrong !== undefined) {
    throw new InputError({
      code: CODE,
      place: source.place(path, wrong),
      reason: `unknown key ${JSON.stringify(wrong)}`,
      expected: `one of ${keysOf(kind).join(', ')}`,
      ...suggest(wrong, keysOf(kind)),
    });
  }
  if (fields[kind] === null) throw refuse(source, [...path, kind], 'a kind cannot be absent');
  return toPattern(source, path, fields);
}

/** The number that a `count` requires, both ends included. */
export function toTimes(given: z.infer<typeof times>): Times {
  if (typeof given === 'number') return { min: given, max: given };
  return { min: given.min ?? 0, max: given.max ?? Number.MAX_SAFE_INTEGER };
}

/** The part of a file at a path, as a file of its own. */
export const below = (source: YamlSource, path: readonly PathKey[]): YamlSource => ({
  file: source.file,
  value: valueAt(source.value, path),
  place: (inner, key) => source.place([...path, ...inner], key),
});

/**
 * Parses the directive at `path`. `rules`: the rules of the sanitizer, if they are known. Throws E_EXPECTATION with its
 * place.
 */
export function directiveOf(
  source: YamlSource,
  path: readonly PathKey[],
  rules?: readonly string[],
): Directive {
  const found = valueAt(source.value, path);
  const keys = typeof found === 'object' && found !== null ? Object.keys(found) : [];
  const kinds = keys.filter((key): key is DirectiveKind => Object.hasOwn(DIRECTIVES, key));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    throw new InputError({
      code: CODE,
      place: source.place(path),
      expected: `one of ${Object.keys(DIRECTIVES).join(', ')}`,
      found: keys.length > 0 ? keys.join(', ') : describeValue(found),
      ...(kind === undefined && suggest(keys[0] ?? '', Object.keys(DIRECTIVES))),
    });
  }
  const inner = below(source, path);
  const read = (inside: PathKey[], fields: z.infer<typeof patternSchema>): Pattern =>
    eventPattern(source, [...path, ...inside], fields);
  /** The pattern of a `not` or `count`, of an event or, under the key `report`, of a report. */
  const readAny = (
    fields: Readonly<Record<string, unknown>>,
  ): Pick<Directive, 'patterns' | 'about'> => {
    const at = [...path, kind];
    if (typeof own(fields, 'report') !== 'object') {
      return {
        patterns: [eventPattern(source, at, validate(CODE, patternSchema, below(source, at)))],
      };
    }
    const { report } = validate(CODE, z.strictObject({ report: z.unknown() }), below(source, at));
    return {
      patterns: [toReportPattern(CODE, source, [...at, 'report'], report, rules)],
      about: 'reports',
    };
  };
  const confined = (label: string | undefined): { step?: string } =>
    label === undefined ? {} : { step: label };
  const one = (fields: z.infer<typeof patternSchema>, label: string | undefined): Directive => ({
    kind,
    patterns: [read([kind], fields)],
    ...confined(label),
  });
  switch (kind) {
    case 'any-order': {
      const { 'any-order': list, step: label } = validate(CODE, DIRECTIVES['any-order'], inner);
      const patterns = list.map((fields, index) => read([kind, index], fields));
      return { kind, patterns, ...confined(label) };
    }
    case 'count': {
      const { count: fields, times: given, step: label } = validate(CODE, DIRECTIVES.count, inner);
      const range = toTimes(given);
      if (range.min > range.max) throw refuse(source, [...path, 'times'], 'min is above max');
      return { kind, ...readAny(fields), times: range, ...confined(label) };
    }
    case 'expect': {
      const { expect: fields, step: label } = validate(CODE, DIRECTIVES.expect, inner);
      return one(fields, label);
    }
    case 'next': {
      const { next: fields, step: label } = validate(CODE, DIRECTIVES.next, inner);
      return one(fields, label);
    }
    case 'not': {
      const { not: fields, step: label } = validate(CODE, DIRECTIVES.not, inner);
      return { kind, ...readAny(fields), ...confined(label) };
    }
    case 'report': {
      const { step: label } = validate(CODE, DIRECTIVES.report, inner);
      const given = valueAt(found, [kind]);
      const pattern = toReportPattern(CODE, source, [...path, kind], given, rules);
      return { kind, patterns: [pattern], about: 'reports', ...confined(label) };
    }
  }
}

/** Where directives are, for the errors of `checkUse`. */
interface UseContext {
  readonly code: string;
  /** The path of their list. */
  readonly path: readonly PathKey[];
  /** The captures bound before them; gets those that they bind. */
  readonly bound: Set<string>;
  /** The path of a directive's pattern below that of the directive. */
  readonly keyOf: (kind: DirectiveKind, index: number) => readonly PathKey[];
}

/** Throws E_EXPECTATION for directives that cannot fail or have no effect, and for unbound captures. */
export function checkUse(
  source: YamlSource,
  directives: readonly Directive[],
  context: Partial<UseContext> = {},
): void {
  const { code = CODE, path: list = ['match'], bound = new Set(), keyOf } = context;
  const wrong = (path: readonly PathKey[], reason: string): InputError =>
    new InputError({ code, place: source.place(path), reason });
  let placed = false;
  let lastNot: number | undefined;
  directives.forEach(({ kind, patterns, about }, index) => {
    const path = [...list, index, ...(keyOf?.(kind, index) ?? [kind])];
    if (kind === 'next' && !placed) {
      throw wrong(path, 'next needs a directive before it');
    }
    if (kind === 'next' && lastNot !== undefined) {
      throw wrong([...list, lastNot], 'unused: no event can be before a next');
    }
    const names = patterns.flatMap((pattern) => Object.values(pattern).flatMap(capturesOf));
    if (kind === 'not' || kind === 'count') {
      const unbound = names.find((name) => !bound.has(name));
      if (unbound !== undefined) {
        throw wrong(path, `the capture $${unbound} is not bound before this ${kind}`);
      }
      if (kind === 'not' && about === undefined) lastNot = index;
    } else if (about === 'reports') {
      for (const name of names) bound.add(name);
    } else {
      placed = true;
      lastNot = undefined;
      for (const name of names) bound.add(name);
    }
  });
}

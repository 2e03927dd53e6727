/**
 * Files of expected traces. `exact`: the whole trace, whose header gives the run; a trace file is such a file unchanged,
 * and one may be written as its difference from another, its base. `match`: how to run the boot, and directives about
 * the relevant events, in the way of LLVM's FileCheck.
 */
import { LIMITS } from '../base/limits.js';
import * as z from 'zod';
import { applyChanges, baseOf, isDifference } from './changes-apply.js';
import { InputError } from '../base/errors.js';
import {
  below,
  checkUse,
  CODE,
  directiveOf,
  directiveSchema,
  refuse,
  toPattern,
  value,
  type Directive,
} from './directive.js';
import { jsonSchema } from '../base/json-schema.js';
import { checkRun, isWatchedRun, runSchema, type RunOf } from './run-section.js';
import { suggest } from '../base/suggest.js';
import { suppressionsOf, suppressionsSchema, type Suppressions } from './suppressions.js';
import type { Pattern } from './pattern.js';
import {
  ALL_OUTCOMES,
  EXECUTED_KINDS,
  OUTCOME_KINDS,
  REGION_STATES,
  type Scalar,
  type Trace,
} from '../trace/trace.js';
import { traceOf } from '../trace/yaml-in.js';
import {
  describeValue,
  readYaml,
  validate,
  valueAt,
  type YamlSource,
} from '../base/yaml-source.js';

/** An optional value pattern; without it the value is not compared. */
const optionalValue = (what: string): z.ZodOptional<typeof value> =>
  value.optional().describe(what);

/** How an executed boot can end. */
const EXECUTED_OUTCOMES = [...EXECUTED_KINDS, 'triple-fault'] as const;

const SUPPRESS =
  'Reports of the sanitizer that are accepted, each with its reason; the directives do not see them.';

const MATCH =
  'Directives about the events, in order (expect, next, any-order, not), counts, and reports.';

/** How a boot ends that can end in these ways. */
const outcomeSchema = <K extends readonly string[]>(kinds: K) =>
  z
    .strictObject({
      kind: z.enum(kinds).optional().describe('How the boot ends.'),
      where: optionalValue('The function in which it ends.'),
      message: optionalValue('The message, such as that of a panic.'),
    })
    .optional()
    .describe('How the boot ends.');

const matchSchema = z.strictObject({
  expect: z.literal('match').describe('The kind of expectation.'),
  run: runSchema.describe('The boot that is run: the flags of sme-boot run.'),
  match: z.array(z.unknown()).min(1).max(LIMITS.directives.most).optional().describe(MATCH),
  suppress: z.unknown().optional().describe(SUPPRESS),
  final: z
    .record(
      z.string(),
      z.strictObject({
        state: z.enum(REGION_STATES).optional().describe('What DRAM holds of it at the end.'),
        digest: optionalValue('SHA-256 of its bytes on the bus.'),
        pa: optionalValue('Its physical range.'),
        bytes: optionalValue('Its size in bytes.'),
      }),
    )
    .optional()
    .describe('Regions at the end, by name: each that is named must match.'),
  outcome: outcomeSchema(OUTCOME_KINDS),
  consumed: z
    .record(
      z.string(),
      z.strictObject({
        by: optionalValue('Its reader; without it the pattern is about all readers.'),
        intact: z.boolean().optional().describe('Whether it reads the bytes that were written.'),
        firstDifference: optionalValue(
          'Offset of the first byte that differs; null: none is known.',
        ),
      }),
    )
    .optional()
    .describe('What the boot reads, by name: each that is named must match.'),
});

/** A match file of an executed boot, which has other outcomes. */
const executedSchema = matchSchema.extend({
  outcome: outcomeSchema(EXECUTED_OUTCOMES),
});

const exactSchema = z.strictObject({
  expect: z.literal('exact').describe('The kind of expectation.'),
  trace: z.unknown().describe('A whole trace, as trace.schema.json says.'),
});

/** Required values by name: of regions or of what is consumed. */
export type Required = readonly (readonly [name: string, pattern: Pattern])[];

/** A match file. */
export interface MatchExpectation {
  readonly expect: 'match';
  readonly run: RunOf;
  readonly directives: readonly Directive[];
  /** Accepted reports, each with its reason. */
  readonly suppress?: Suppressions;
  readonly final: Required;
  readonly outcome: Pattern | undefined;
  readonly consumed: Required;
}

/** A file of a whole trace, or of a trace as its difference from another. */
export interface ExactExpectation {
  readonly expect: 'exact';
  readonly trace: Trace;
  /** The file name of the base, as written in this file, if it is a difference. */
  readonly base?: string;
  /** Edits that do not apply to the base (E_APPLY); the trace is made without them. */
  readonly misfits: readonly InputError[];
}

/** A file of an expected trace. */
export type Expectation = ExactExpectation | MatchExpectation;

/** Reads the trace that a file names as its base; `source` is the file that names it. */
export type BaseReader = (base: string, source: YamlSource) => Trace;

/** The default: throws E_BASE, for callers that read only whole traces and match files. */
const noBase: BaseReader = (_base, source) => {
  throw new InputError({
    code: 'E_BASE',
    place: source.place(['base']),
    reason: 'a difference needs its base, which cannot be read here',
  });
};

/** Reads a file of suppressions that a match file names; `source` is the match file. */
export type SuppressionsReader = (path: string, source: YamlSource) => Suppressions;

/** The default: throws E_EXPECTATION, for callers that have no files. */
const noFile: SuppressionsReader = (_path, source) => {
  throw refuse(
    source,
    ['suppress'],
    'a file of suppressions cannot be read here: give its entries',
  );
};

function matchOf(
  source: YamlSource,
  rules: readonly string[] | undefined,
  readFile: SuppressionsReader,
): MatchExpectation {
  const executed = valueAt(source.value, ['run', 'execute']) === true;
  if (executed && valueAt(source.value, ['consumed']) !== undefined) {
    throw refuse(source, ['consumed'], 'the readers of data are not known of an executed boot');
  }
  const { run, match, final, outcome, consumed, suppress } = executed
    ? validate(CODE, executedSchema, source)
    : validate(CODE, matchSchema, source);
  checkRun(source, run);
  const directives = (match ?? []).map((_each, index) =>
    directiveOf(source, ['match', index], rules),
  );
  checkUse(source, directives);
  const required = (
    section: string,
    rows: Readonly<Record<string, Readonly<Record<string, Scalar | null | undefined>>>> = {},
  ): Required =>
    Object.entries(rows).map(([name, fields]) => [
      name,
      toPattern(source, [section, name], fields),
    ]);
  const expectation: MatchExpectation = {
    expect: 'match',
    run,
    directives,
    final: required('final', final),
    outcome: outcome === undefined ? undefined : toPattern(source, ['outcome'], outcome),
    consumed: required('consumed', consumed),
    ...(suppress !== undefined && {
      suppress:
        typeof suppress === 'string'
          ? readFile(suppress, source)
          : suppressionsOf(below(source, ['suppress']), rules),
    }),
  };
  if (!isWatchedRun(run)) refuseUnwatched(source, expectation);
  const filled = [directives, expectation.final, expectation.consumed].some(
    (part) => part.length > 0,
  );
  if (!filled && expectation.outcome === undefined) {
    throw refuse(source, [], 'it expects nothing: give match, final, outcome or consumed');
  }
  return expectation;
}

/** Throws E_EXPECTATION for what is about reports in a file whose boot the sanitizer does not watch. */
function refuseUnwatched(
  source: YamlSource,
  { run, directives, suppress }: MatchExpectation,
): void {
  const directive = directives.findIndex(({ about }) => about === 'reports');
  if (directive < 0 && suppress === undefined) return;
  const path = directive < 0 ? ['suppress'] : ['match', directive];
  const off =
    run.execute === true
      ? 'an executed boot is watched only with run.sanitize: true'
      : 'run.sanitize: false turns the sanitizer off';
  throw refuse(source, path, `it is about reports, and ${off}`);
}

/**
 * Parses a file of an expected trace. Throws InputError with its place: E_YAML (not YAML), E_TRACE (the exact trace is
 * not a valid one), E_BASE (a difference from another trace), E_EXPECTATION (anything else).
 */
export function readExpectation(file: string, text: string): Expectation {
  return expectationOf(readYaml(file, text));
}

/**
 * The expectation in a parsed file. `rules`: the rules of the sanitizer, where directives may name no other. Throws as
 * {@link readExpectation}, and E_CHANGES for an invalid difference.
 */
export function expectationOf(
  source: YamlSource,
  readBase: BaseReader = noBase,
  rules?: readonly string[],
  readFile: SuppressionsReader = noFile,
): Expectation {
  const form = valueAt(source.value, ['expect']);
  if (form === 'match') return matchOf(source, rules, readFile);
  if (isDifference(source)) {
    const base = baseOf(source);
    return { expect: 'exact', base, ...applyChanges(readBase(base, source), source) };
  }
  if (form === 'exact') {
    validate(CODE, exactSchema, source);
    return { expect: 'exact', trace: traceOf(source, ['trace']), misfits: [] };
  }
  if (form === undefined && valueAt(source.value, ['schema']) !== undefined) {
    return { expect: 'exact', trace: traceOf(source), misfits: [] };
  }
  throw new InputError({
    code: CODE,
    place: source.place(['expect']),
    expected: 'expect: exact, expect: match, or a trace',
    found: describeValue(form === undefined ? source.value : form),
    ...(typeof form === 'string' && suggest(form, ['exact', 'match', 'effects'])),
  });
}

/** The JSON Schema of a file of an expected trace. */
export function expectationJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'expectation',
    title: 'sme-boot expectation',
    description: 'Requirements on the trace of a boot (docs/expectations.md).',
  };
  const whole = matchSchema.extend({
    outcome: outcomeSchema(ALL_OUTCOMES),
    match: z.array(directiveSchema()).min(1).max(LIMITS.directives.most).optional().describe(MATCH),
    suppress: z
      .union([
        z.string().min(1).describe('A file of suppressions, relative to this one: --suppress.'),
        suppressionsSchema,
      ])
      .optional()
      .describe(SUPPRESS),
  });
  return jsonSchema(names, z.union([whole, exactSchema]));
}

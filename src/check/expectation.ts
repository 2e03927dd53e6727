/**
 * Files of expected traces. `exact`: the whole trace, whose header says the run; a trace as it was written is one as it
 * stands, and one may be written as its difference from another, its base. `match`: how to run, and directives that hold what matters, in the way of LLVM's FileCheck.
 */
import * as z from 'zod';
import { applyChanges, baseOf, isDifference } from './changes-apply.js';
import { InputError } from '../base/errors.js';
import {
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
import type { Pattern } from './pattern.js';
import { OUTCOME_KINDS, REGION_STATES, type Scalar, type Trace } from '../trace/trace.js';
import { traceOf } from '../trace/yaml-in.js';
import {
  describeValue,
  readYaml,
  validate,
  valueAt,
  type YamlSource,
} from '../base/yaml-source.js';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const count = z.int().min(0);

/** How to run the boot that a match file is about. */
const runSchema = z.strictObject({
  scenario: z.string().min(1).describe('A scenario by name, or a file.'),
  series: z.string().min(1).optional().describe('A series by name, or a file: --series.'),
  stage: count.optional().describe('Patches 1 to this one are applied: --stage.'),
  activate: z.boolean().optional().describe('Patch 18 on top of the stage: --activate.'),
  without: z.array(z.string()).optional().describe('Hunks and patches left out: --without.'),
  stub: z
    .boolean()
    .optional()
    .describe('What is left out stays as stubs: its names exist and do nothing: --stub.'),
  neutral: z.boolean().optional().describe('The former name of stub.'),
  with: z.array(z.string()).optional().describe('Alternatives put in: --with.'),
  set: z
    .record(z.string(), scalar)
    .optional()
    .describe('Values of the scenario that are changed, by their path: --set.'),
});

/** A value of a thing at the end, that is not compared if it is not there. */
const wantedValue = (what: string): z.ZodOptional<typeof value> => value.optional().describe(what);

const MATCH = 'Directives about the events, in order: expect, next, any-order, not, count.';

const matchSchema = z.strictObject({
  expect: z.literal('match').describe('The form of the file.'),
  run: runSchema.describe('The boot that is run: the flags of sme-boot run.'),
  match: z.array(z.unknown()).min(1).optional().describe(MATCH),
  final: z
    .record(
      z.string(),
      z.strictObject({
        state: z.enum(REGION_STATES).optional().describe('What DRAM holds of it at the end.'),
        digest: wantedValue('SHA-256 of its bytes on the bus.'),
        pa: wantedValue('Its physical range.'),
        bytes: wantedValue('Its size in bytes.'),
      }),
    )
    .optional()
    .describe('Regions at the end, by name: those that are named must be as said.'),
  outcome: z
    .strictObject({
      kind: z.enum(OUTCOME_KINDS).optional().describe('How the boot ends.'),
      where: wantedValue('The function in which it ends.'),
      message: wantedValue('What there is to say.'),
    })
    .optional()
    .describe('How the boot ends.'),
  consumed: z
    .record(
      z.string(),
      z.strictObject({
        by: wantedValue('Its reader; without it the pattern is about all readers.'),
        intact: z.boolean().optional().describe('Whether the reader gets what was put there.'),
        firstDifference: wantedValue('Offset of the first byte that differs; null: none is known.'),
      }),
    )
    .optional()
    .describe('Things that the boot reads, by name: those that are named must be as said.'),
});

const exactSchema = z.strictObject({
  expect: z.literal('exact').describe('The form of the file.'),
  trace: z.unknown().describe('A whole trace, as trace.schema.json says.'),
});

/** How to run the boot that a match file is about: the flags of `run`. */
export type RunOf = z.infer<typeof runSchema>;

/** What is wanted of named things: regions, consumed things, or the outcome. */
export type Required = readonly (readonly [name: string, pattern: Pattern])[];

/** A match file. */
export interface MatchExpectation {
  readonly expect: 'match';
  readonly run: RunOf;
  readonly directives: readonly Directive[];
  readonly final: Required;
  readonly outcome: Pattern | undefined;
  readonly consumed: Required;
}

/** A file of a whole trace, or of one as its difference from another. */
export interface ExactExpectation {
  readonly expect: 'exact';
  readonly trace: Trace;
  /** The file of the base, as this one names it, if it is a difference. */
  readonly base?: string;
  /** What of the difference does not fit the base; the trace is as if it were not there. */
  readonly misfits: readonly InputError[];
}

/** A file of an expected trace. */
export type Expectation = ExactExpectation | MatchExpectation;

/** Finds the trace that a file names as its base; `source` is the file that names it. */
export type BaseReader = (base: string, source: YamlSource) => Trace;

/** Where only whole traces and match files can be read. */
const noBase: BaseReader = (_base, source) => {
  throw new InputError({
    code: 'E_BASE',
    place: source.place(['base']),
    reason: 'a difference needs its base, which cannot be read here',
  });
};

function matchOf(source: YamlSource): MatchExpectation {
  const { run, match, final, outcome, consumed } = validate(CODE, matchSchema, source);
  const directives = (match ?? []).map((_each, index) => directiveOf(source, ['match', index]));
  checkUse(source, directives);
  const wanted = (
    section: string,
    things: Readonly<Record<string, Readonly<Record<string, Scalar | null | undefined>>>> = {},
  ): Required =>
    Object.entries(things).map(([name, fields]) => [
      name,
      toPattern(source, [section, name], fields),
    ]);
  const expectation: MatchExpectation = {
    expect: 'match',
    run,
    directives,
    final: wanted('final', final),
    outcome: outcome === undefined ? undefined : toPattern(source, ['outcome'], outcome),
    consumed: wanted('consumed', consumed),
  };
  const asked = [directives, expectation.final, expectation.consumed].some(
    (part) => part.length > 0,
  );
  if (!asked && expectation.outcome === undefined) {
    throw refuse(source, [], 'it expects nothing: give match, final, outcome or consumed');
  }
  return expectation;
}

/**
 * Reads a file of an expected trace. Throws InputError: E_YAML (not YAML), E_TRACE (the exact trace is none),
 * E_EXPECTATION (anything else), each with its place.
 */
export function readExpectation(file: string, text: string): Expectation {
  return expectationOf(readYaml(file, text));
}

/** What a parsed file expects; throws as {@link readExpectation} does, and E_CHANGES for a wrong difference. */
export function expectationOf(source: YamlSource, readBase: BaseReader = noBase): Expectation {
  const form = valueAt(source.value, ['expect']);
  if (form === 'match') return matchOf(source);
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
  });
}

/** The JSON Schema of a file of an expected trace. */
export function expectationJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'expectation',
    title: 'sme-boot expectation',
    description: 'What must come true of a boot (docs/expectations.md).',
  };
  const whole = matchSchema.extend({
    match: z.array(directiveSchema()).min(1).optional().describe(MATCH),
  });
  return jsonSchema(names, z.union([whole, exactSchema]));
}

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
  refuse,
  toPattern,
  value,
  type Directive,
} from './directive.js';
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
  scenario: z.string().min(1),
  /** A composition by name, or a file. */
  series: z.string().min(1).optional(),
  stage: count.optional(),
  activate: z.boolean().optional(),
  without: z.array(z.string()).optional(),
  neutral: z.boolean().optional(),
  with: z.array(z.string()).optional(),
  set: z.record(z.string(), scalar).optional(),
});

const matchSchema = z.strictObject({
  expect: z.literal('match'),
  run: runSchema,
  match: z.array(z.unknown()).min(1).optional(),
  final: z
    .record(
      z.string(),
      z.strictObject({
        state: z.enum(REGION_STATES).optional(),
        digest: value.optional(),
        pa: value.optional(),
        bytes: value.optional(),
      }),
    )
    .optional(),
  outcome: z
    .strictObject({
      kind: z.enum(OUTCOME_KINDS).optional(),
      where: value.optional(),
      message: value.optional(),
    })
    .optional(),
  consumed: z
    .record(
      z.string(),
      z.strictObject({
        by: value.optional(),
        intact: z.boolean().optional(),
        firstDifference: value.optional(),
      }),
    )
    .optional(),
});

const exactSchema = z.strictObject({ expect: z.literal('exact'), trace: z.unknown() });

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

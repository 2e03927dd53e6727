/**
 * Directives about the lines of a command's output: those of a match file, with the pattern of a line in place of that of an
 * event. A line is compared without the spaces around it.
 */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { printable } from '../base/printable.js';
import { suggest } from '../base/suggest.js';
import { describeValue, validate, type PathKey, type YamlSource } from '../base/yaml-source.js';
import { checkUse, toTimes, times, type Directive, type DirectiveKind } from './directive.js';
import { isGood, matchRecords, type DirectiveResult } from './match.js';
import { patternText, valuePattern, type Captures, type Pattern } from './pattern.js';

/** The field of the record that a line is. */
const FIELD = 'line';

const pattern = z.string().min(1);
const FORMS = {
  expect: z.strictObject({
    expect: pattern.describe('A matching line follows somewhere after the last match.'),
  }),
  next: z.strictObject({
    next: pattern.describe('The line after the last match is a matching one.'),
  }),
  not: z.strictObject({
    not: pattern.describe('No matching line is between the match before and the one after.'),
  }),
  count: z.strictObject({
    count: pattern.describe('Matching lines are counted, in the whole output.'),
    times: times.describe('The required number: a number, or min and max.'),
  }),
} as const;
type Form = keyof typeof FORMS;

/** Schema of one directive; `linesOf` gives more exact errors. */
export const lineSchema = z
  .union([
    pattern.describe('A matching line follows somewhere after the last match: as expect.'),
    ...Object.values(FORMS),
  ])
  .describe('A line, or /regular expression/; $name and named groups are captures.');

const isForm = (key: string): key is Form => Object.hasOwn(FORMS, key);

/** The directive of a value at `path`, and the path of its pattern. */
function directiveAt(
  code: string,
  source: YamlSource,
  path: readonly PathKey[],
  given: unknown,
): Directive {
  const read = (key: Form | undefined, text: string): Pattern => {
    const found = valuePattern(text);
    if (typeof found !== 'string') return { [FIELD]: found };
    const at = key === undefined ? path : [...path, key];
    throw new InputError({ code, place: source.place(at), reason: found });
  };
  if (typeof given === 'string') return { kind: 'expect', patterns: [read(undefined, given)] };
  const keys = typeof given === 'object' && given !== null ? Object.keys(given) : [];
  const [kind, second] = keys.filter(isForm);
  if (kind === undefined || second !== undefined) {
    throw new InputError({
      code,
      place: source.place(path),
      expected: `a line in quotes, or one of ${Object.keys(FORMS).join(', ')}`,
      found: keys.length > 0 ? keys.join(', ') : describeValue(given),
      ...(second === undefined && suggest(keys[0] ?? '', Object.keys(FORMS))),
    });
  }
  const inner: YamlSource = {
    file: source.file,
    value: given,
    place: (below, key) => source.place([...path, ...below], key),
  };
  const one = (text: string): Directive => ({ kind, patterns: [read(kind, text)] });
  switch (kind) {
    case 'expect':
      return one(validate(code, FORMS.expect, inner).expect);
    case 'next':
      return one(validate(code, FORMS.next, inner).next);
    case 'not':
      return one(validate(code, FORMS.not, inner).not);
    case 'count': {
      const { count, times: stated } = validate(code, FORMS.count, inner);
      const range = toTimes(stated);
      if (range.min <= range.max) return { ...one(count), times: range };
      throw new InputError({
        code,
        place: source.place([...path, 'times']),
        reason: 'min is above max',
      });
    }
  }
}

/**
 * The directives of a list at `path`. `bound` has the names of the captures of earlier lists, and gets those of this one.
 * Throws InputError with `code` and the place.
 */
export function linesOf(
  code: string,
  source: YamlSource,
  path: readonly PathKey[],
  list: readonly unknown[],
  bound: Set<string>,
): Directive[] {
  const directives = list.map((each, i) => directiveAt(code, source, [...path, i], each));
  checkUse(source, directives, { code, path, bound, keyOf: (kind, i) => keyOf(list[i], kind) });
  return directives;
}

const keyOf = (given: unknown, kind: DirectiveKind): PathKey[] =>
  typeof given === 'string' ? [] : [kind];

/** Evaluates directives against lines; `captures` are those of earlier outputs. */
export function matchLines(
  directives: readonly Directive[],
  lines: readonly string[],
  captures: Captures,
): ReturnType<typeof matchRecords> {
  const records = lines.map((line) => ({ [FIELD]: line.trim() }));
  return matchRecords(directives, records, captures);
}

/** Most lines of an output in a description (our choice). */
const SHOWN = 24;

/** What is wrong with a directive that failed: in one line, and the lines below it. */
export function lineFailure(
  { directive, verdict }: DirectiveResult,
  lines: readonly string[],
): { readonly headline: string; readonly details: readonly string[] } | undefined {
  if (isGood(verdict)) return undefined;
  const captures = verdict.status === 'not-found' ? verdict.captures : undefined;
  const [first = {}] = directive.patterns;
  const wanted = Object.values(first).map((each) => patternText(each, captures));
  const text = printable(`${directive.kind} ${wanted.join('')}`);
  const shown = lines.slice(0, SHOWN).map((line) => `  | ${printable(line)}`);
  const more = lines.length - shown.length;
  const output =
    lines.length === 0
      ? ['the command printed nothing']
      : ['the output:', ...shown, ...(more > 0 ? [`  | … and ${more} more lines`] : [])];
  switch (verdict.status) {
    case 'not-found': {
      const { before } = verdict.began;
      const after = before === undefined ? '' : ` after "${String(before.event[FIELD])}"`;
      return { headline: `${text}: no such line${printable(after)}`, details: output };
    }
    case 'forbidden': {
      const found = printable(`| ${String(verdict.at.event[FIELD])}`);
      return { headline: `${text}: found, but forbidden`, details: [`  ${found}`] };
    }
    case 'wrong-count': {
      const { min, max } = directive.times ?? { min: 1, max: Infinity };
      const range =
        min === max
          ? `${min}`
          : max > LIMITS.yamlLines.most
            ? `${min} or more`
            : `${min} to ${max}`;
      return { headline: `${text}: expected ${range}, found ${verdict.times}`, details: output };
    }
    case 'unused':
      return { headline: `${text}: unused, ${verdict.reason}`, details: [] };
    default:
      return undefined;
  }
}

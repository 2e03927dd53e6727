/**
 * Reads a hand-written YAML file and gives the place of each value for errors: file, YAML path, line and column.
 * Aliases, tags and several documents in one file are refused: no input of this project needs them (our choice).
 */
import {
  Composer,
  isCollection,
  isNode,
  isPair,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
  visit,
  type CST,
  type Document,
  type DocumentOptions,
  type Node,
  type SchemaOptions,
  type YAMLMap,
} from 'yaml';
import type * as z from 'zod';
import { InputError, type Place } from './errors.js';
import { checkLimit, LIMITS, type Limit } from './limits.js';
import { own, ownOf } from './own.js';
import { keysAt } from './schema-keys.js';
import { oneOf, suggest } from './suggest.js';

/** One component of the path to a value: a key of a mapping or an index of a sequence. */
export type PathKey = string | number;

/** A parsed YAML file. */
export interface YamlSource {
  readonly file: string;
  readonly value: unknown;
  /** The place of the value at `path`; with `key`, the place of that key of it. */
  place(path: readonly PathKey[], key?: string): Place;
}

/** How scalars are parsed. */
export interface YamlOptions {
  /** `text` (default): 0x10 is the text "0x10", as in a trace; `number` (YAML 1.2 core): it is the number 16. */
  readonly hex?: 'text' | 'number';
  /** The largest size; LIMITS.yamlFile unless given. */
  readonly limit?: Limit;
}

/** Options of the `yaml` library, for reading and writing: plain hexadecimal is text. */
export const hexAsText = {
  schema: 'core',
  customTags: (tags) =>
    tags.filter((tag) => typeof tag === 'string' || tag.tag !== INT_TAG || tag.format !== 'HEX'),
} as const satisfies DocumentOptions & SchemaOptions;

const INT_TAG = 'tag:yaml.org,2002:int';
const IDENTIFIER = /^[\w-]+$/;

/** A path as text: `steps[3].events[0].map`. */
export function pathText(path: readonly PathKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = IDENTIFIER.test(key) ? key : JSON.stringify(key);
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/**
 * Parses a YAML text; `file` is the name for errors. Throws E_FILE_TOO_LARGE above LIMITS.yamlFile, E_YAML with the
 * place for anything that is not one YAML document without aliases and tags.
 */
export function readYaml(file: string, text: string, options: YamlOptions = {}): YamlSource {
  checkLimit(options.limit ?? LIMITS.yamlFile, text.length, { file });
  if (options.limit === undefined) checkLimit(LIMITS.yamlLines, linesOf(text), { file });
  const lineCounter = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  const bad = (reason: string, place: Place, cause?: unknown): InputError =>
    new InputError({ code: 'E_YAML', place: { file, ...place }, reason, cause });

  const tooDeep = (offset: number, cause?: unknown): InputError =>
    new InputError({
      code: LIMITS.yamlDepth.code,
      place: { file, ...at(offset) },
      expected: `at most ${LIMITS.yamlDepth.most} levels of nesting`,
      found: 'more',
      cause,
    });

  let document: Document.Parsed;
  let value: unknown;
  try {
    const scalars = options.hex === 'number' ? { schema: 'core' as const } : hexAsText;
    // The library compares each key of a mapping with every other one: repeatedKey() does not.
    const composer = new Composer({ prettyErrors: false, uniqueKeys: false, ...scalars });
    const [first, second] = composer.compose(tokensOf(text, lineCounter), true, text.length);
    if (first === undefined) throw bad('no document', {});
    if (second !== undefined) throw bad('more than one document', at(second.range[0]));
    document = first;
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw bad(problem.message, at(problem.pos[0]), problem);
    visit(document, {
      Collection: (_key, collection, path) => {
        const depth = path.filter(isCollection).length + 1;
        if (depth > LIMITS.yamlDepth.most) throw tooDeep(collection.range?.[0] ?? 0);
        const again = isMap(collection) ? repeatedKey(collection) : undefined;
        if (again !== undefined) throw bad(NOT_UNIQUE, at(again));
      },
      Pair: (_key, { key }) => {
        // toJS() would make a text of it, and print a warning.
        if (isNode(key) && !isPlainKey(key)) {
          throw bad('a key is a scalar', key.range ? at(key.range[0]) : {});
        }
        // Validation would ignore it silently.
        if (!isScalar(key) || key.value !== '__proto__') return;
        throw bad('the key __proto__ is not allowed', key.range ? at(key.range[0]) : {});
      },
      Alias: (_key, alias) => {
        throw bad('aliases are not allowed', alias.range ? at(alias.range[0]) : {});
      },
    });
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (error instanceof TooDeep) throw tooDeep(error.offset);
    if (error instanceof RangeError) throw tooDeep(0, error);
    throw error;
  }
  return {
    file,
    value,
    place(path, key) {
      const whole = key === undefined ? path : [...path, key];
      const offset = offsetOf(document, path, key);
      const known = whole.length === 0 ? { file } : { file, path: pathText(whole) };
      return offset === undefined ? known : { ...known, ...at(offset) };
    },
  };
}

/** Whether a key is a scalar whose value is no object, as that of `!!binary` is. */
const isPlainKey = (key: Node): boolean =>
  isScalar(key) && (typeof key.value !== 'object' || key.value === null);

function linesOf(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

const NOT_UNIQUE = 'Map keys must be unique';

/** Offset of the first key of a mapping that equals one before it; undefined if there is none. */
function repeatedKey({ items }: YAMLMap): number | undefined {
  const known = new Set<string>();
  for (const { key } of items) {
    if (!isScalar(key)) continue;
    // 1 and "1" are one key of an object.
    if (known.has(String(key.value))) return key.range?.[0] ?? 0;
    known.add(String(key.value));
  }
  return undefined;
}

/** Thrown for a token that is nested far beyond the limit. */
class TooDeep extends Error {
  constructor(readonly offset: number) {
    super('too deep');
  }
}

/**
 * The tokens of a text. The parser does not recurse, as what makes the document of them does: at the end of the stack that
 * may end the process. Throws TooDeep.
 */
function* tokensOf(text: string, lines: LineCounter): Generator<CST.Token, void> {
  const parser = new Parser((offset) => {
    lines.addNewLine(offset);
  });
  const lexer = new Lexer();
  lines.addNewLine(0);
  for (const lexeme of lexer.lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > 2 * LIMITS.yamlDepth.most) throw new TooDeep(parser.offset);
  }
  yield* parser.end();
}

/** Offset of the value (or of its key `key`) in the text; if it is absent, that of the nearest value around it. */
function offsetOf(
  document: Document.Parsed,
  path: readonly PathKey[],
  key: string | undefined,
): number | undefined {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (!isNode(node)) continue;
    if (depth === path.length && key !== undefined && isMap(node)) {
      const pair = node.items.find(({ key: each }) => isScalar(each) && each.value === key);
      if (isPair(pair) && isScalar(pair.key)) return pair.key.range?.[0];
    }
    return node.range?.[0];
  }
  return undefined;
}

const SHOWN = 60;

/** A short description of a value, for `found` of an error: at most 60 characters. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, SHOWN) : value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

type Issue = z.core.$ZodIssue;

/** The text of `expected` for a schema issue; undefined if the issue's own message is to be used. */
export function expectedOf(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return own(NAMES, issue.expected) ?? issue.expected;
    case 'invalid_value':
      return issue.values.map(String).join(' or ');
    case 'too_small':
      return issue.minimum === 1 && issue.origin !== 'number' && issue.origin !== 'int'
        ? 'not empty'
        : `at least ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return undefined;
  }
}

const NAMES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

/** The value at a path, by own properties only; undefined if there is none. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => ownOf(inner, key), value);
}

/** The issue to report for a union: that of the alternative whose issues are deepest, then fewest. */
function plainest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const alternatives = issue.errors
    .filter((errors) => errors.length > 0)
    .map((errors) => errors.map(plainest))
    .sort((a, b) => depthOf(b) - depthOf(a) || a.length - b.length);
  const first = alternatives[0]?.[0];
  return first === undefined ? issue : { ...first, path: [...issue.path, ...first.path] };
}

const depthOf = (issues: readonly Issue[]): number =>
  Math.max(...issues.map(({ path }) => path.length));

/** The error for a value that `schema` refused, with `code` and the value's place in the file. */
export function schemaError(
  code: string,
  source: YamlSource,
  given: Issue,
  schema: z.ZodType,
  at: readonly PathKey[] = [],
): InputError {
  const issue = plainest(given);
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const known = keysAt(schema, path.slice(at.length));
    return new InputError({
      code,
      place: source.place(path, key),
      reason: `unknown key ${JSON.stringify(key)}`,
      ...(known.length > 0 && { expected: oneOf(known, `one of ${known.length} keys`) }),
      ...suggest(key, known),
    });
  }
  const expected = expectedOf(issue);
  const found = valueAt(source.value, issue.path);
  const names = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  return new InputError({
    code,
    place: source.place(path),
    ...(expected === undefined ? { reason: issue.message } : { expected }),
    found: describeValue(found),
    ...(typeof found === 'string' && suggest(found, names)),
  });
}

/** The issue to report: the first, but before a missing key an unknown one beside it, which may be that key misspelt. */
export function issueOf(issues: readonly Issue[], value: unknown): Issue | undefined {
  const [first] = issues;
  if (first === undefined || valueAt(value, first.path) !== undefined) return first;
  const parent = first.path.slice(0, -1);
  const beside = issues.find(
    ({ code, path }) =>
      code === 'unrecognized_keys' &&
      path.length === parent.length &&
      path.every((key, index) => key === parent[index]),
  );
  return beside ?? first;
}

/** The file's value, parsed by `schema`. Throws InputError with `code` for the first issue. */
export function validate<T>(code: string, schema: z.ZodType<T>, source: YamlSource): T {
  const result = schema.safeParse(source.value);
  if (result.success) return result.data;
  const issue = issueOf(result.error.issues, source.value);
  if (issue === undefined) throw result.error;
  throw schemaError(code, source, issue, schema);
}

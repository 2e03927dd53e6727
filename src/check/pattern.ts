/**
 * Patterns of events: the fields that must be there and what they must be. A value is a literal, a regular expression
 * `/…/` (anywhere in the value, as written), a capture `$name` (binds the value, afterwards it must be the same), or
 * null: the field must be absent. `\/…` and `\$…` are literals that begin so. Named groups of a regular expression are
 * captures too.
 */
import type { Scalar } from '../trace/trace.js';

/** What captures hold: from the value that each was bound to. */
export type Captures = ReadonlyMap<string, string>;

/** What one value must be. */
export type ValuePattern =
  | { readonly is: 'literal'; readonly text: string }
  | { readonly is: 'regex'; readonly regex: RegExp }
  | { readonly is: 'capture'; readonly name: string }
  | { readonly is: 'absent' };

/** A partial event: what its fields must be, by name. */
export type Pattern = Readonly<Record<string, ValuePattern>>;

/** The longest regular expression (our choice: a pattern is a line). */
const MAX_REGEX = 500;
/** An address or range as the trace prints it, with its symbol behind. */
const ADDRESS_WITH_SYMBOL = /^(0x[0-9a-f]+(?:\.\.0x[0-9a-f]+)?) (.+)$/;
const CAPTURE = /^\$[A-Za-z_]\w*$/;

/** Reads what one value must be. Returns what is wrong with it as text. */
export function valuePattern(value: Scalar | null): ValuePattern | string {
  if (value === null) return { is: 'absent' };
  const text = String(value);
  if (text.startsWith('\\/') || text.startsWith('\\$')) {
    return { is: 'literal', text: text.slice(1) };
  }
  if (text.startsWith('$')) {
    return CAPTURE.test(text)
      ? { is: 'capture', name: text.slice(1) }
      : 'a capture is $ and a name; write \\$ for a literal dollar';
  }
  if (!text.startsWith('/')) return { is: 'literal', text };
  if (text.length < 3 || !text.endsWith('/')) {
    return 'a regular expression stands between two /; write \\/ for a literal slash';
  }
  if (text.length > MAX_REGEX) return `a regular expression has at most ${MAX_REGEX} characters`;
  try {
    return { is: 'regex', regex: new RegExp(text.slice(1, -1), 'u') };
  } catch (error) {
    return error instanceof Error ? error.message : 'not a regular expression';
  }
}

/** The captures that a value may bind. */
export function capturesOf(pattern: ValuePattern): string[] {
  if (pattern.is === 'capture') return [pattern.name];
  if (pattern.is !== 'regex') return [];
  return [...pattern.regex.source.matchAll(/\(\?<([A-Za-z_]\w*)>/g)].map(([, name]) => name ?? '');
}

/** A literal stands for a whole value, or for its address or its symbol alone. */
function isLiteral(text: string, value: string): boolean {
  if (text === value) return true;
  const [, address, symbol] = ADDRESS_WITH_SYMBOL.exec(value) ?? [];
  return text === address || text === symbol;
}

/** Whether a value is as it must be: the captures it binds, or undefined. */
export function matchValue(
  pattern: ValuePattern,
  value: Scalar | undefined,
  captures: Captures,
): Captures | undefined {
  if (value === undefined) return pattern.is === 'absent' ? captures : undefined;
  const text = String(value);
  switch (pattern.is) {
    case 'absent':
      return undefined;
    case 'literal':
      return isLiteral(pattern.text, text) ? captures : undefined;
    case 'capture':
      return bind(captures, [[pattern.name, text]]);
    case 'regex': {
      const match = pattern.regex.exec(text);
      if (match === null) return undefined;
      const groups = Object.entries(match.groups ?? {});
      return bind(captures, groups);
    }
  }
}

function bind(
  captures: Captures,
  values: readonly (readonly [string, string | undefined])[],
): Captures | undefined {
  const out = new Map(captures);
  for (const [name, value] of values) {
    if (value === undefined) continue; // a group that took no part
    const known = out.get(name);
    if (known !== undefined && known !== value) return undefined;
    out.set(name, value);
  }
  return out;
}

/** A record's values against a pattern: the captures it binds, or undefined. */
export function matchRecord(
  pattern: Pattern,
  record: Readonly<Record<string, Scalar | undefined>>,
  captures: Captures,
): Captures | undefined {
  let bound: Captures | undefined = captures;
  for (const [field, value] of Object.entries(pattern)) {
    bound = matchValue(value, record[field], bound);
    if (bound === undefined) return undefined;
  }
  return bound;
}

/** A field that is not as the pattern wants it. */
export interface Mismatch {
  readonly field: string;
  /** What it must be, as written; a bound capture with its value. */
  readonly expected: string;
  readonly found: Scalar | undefined;
}

/** How a value pattern is written. */
export function patternText(pattern: ValuePattern, captures: Captures = new Map()): string {
  switch (pattern.is) {
    case 'absent':
      return '(absent)';
    case 'literal':
      return pattern.text;
    case 'regex':
      return `/${pattern.regex.source}/`;
    case 'capture': {
      const value = captures.get(pattern.name);
      return value === undefined ? `$${pattern.name}` : `$${pattern.name} (${value})`;
    }
  }
}

/** The fields of a record that are not as the pattern wants them. */
export function mismatches(
  pattern: Pattern,
  record: Readonly<Record<string, Scalar | undefined>>,
  captures: Captures,
): Mismatch[] {
  return Object.entries(pattern)
    .filter(([field, value]) => matchValue(value, record[field], captures) === undefined)
    .map(([field, value]) => ({
      field,
      expected: patternText(value, captures),
      found: record[field],
    }));
}

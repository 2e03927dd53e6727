/**
 * Patterns of events: required fields and their values. A value is a literal, a regular expression `/…/` (matches
 * anywhere in the value, as printed), a capture `$name` (the first match binds it, later ones must be equal), or null:
 * the field must be absent. `\/…` and `\$…` are literals that begin with / and $. Named groups of a regular expression
 * are captures too.
 *
 * Regular expressions have RE2's syntax: without backreferences and lookaround, so that a match takes time proportional
 * to the pattern and the value, whatever the file has.
 */
import { RE2JS } from 're2js';
import { LIMITS } from '../base/limits.js';
import { own } from '../base/own.js';
import type { Scalar } from '../trace/trace.js';

/** The value of each bound capture, by name. */
export type Captures = ReadonlyMap<string, string>;

/** The pattern of one value. */
export type ValuePattern =
  | { readonly is: 'literal'; readonly text: string }
  | { readonly is: 'regex'; readonly source: string; readonly regex: RE2JS }
  | { readonly is: 'capture'; readonly name: string }
  | { readonly is: 'absent' };

/** A partial event: the pattern of each field, by name. */
export type Pattern = Readonly<Record<string, ValuePattern>>;

/** An address or range as the trace prints it, followed by its symbol. */
const ADDRESS_WITH_SYMBOL = /^(0x[0-9a-f]+(?:\.\.0x[0-9a-f]+)?) (.+)$/;
const CAPTURE = /^\$[A-Za-z_]\w*$/;

/** Parses the pattern of one value; returns the reason as text if it is invalid. */
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
    return 'a regular expression is written between two /; write \\/ for a literal slash';
  }
  return regexPattern(text.slice(1, -1));
}

function regexPattern(source: string): ValuePattern | string {
  const { pattern, patternProgram } = LIMITS;
  const length = source.length + '//'.length;
  if (length > pattern.most) {
    return `a regular expression has at most ${pattern.most} characters, found ${length}`;
  }
  try {
    const regex = RE2JS.compile(RE2JS.translateRegExp(source));
    const size = regex.programSize();
    if (size <= patternProgram.most) return { is: 'regex', source, regex };
    return `a regular expression compiles to at most ${patternProgram.most} instructions, found ${size}`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it cannot be parsed';
    const why = reason.replace(/^error parsing regexp: /, '');
    return `a regular expression in RE2 syntax (no backreferences, no lookahead or lookbehind): ${why}`;
  }
}

/** The names of the captures that a value pattern may bind. */
export function capturesOf(pattern: ValuePattern): string[] {
  if (pattern.is === 'capture') return [pattern.name];
  if (pattern.is !== 'regex') return [];
  return Object.keys(pattern.regex.namedGroups());
}

/** Whether a literal equals the whole value, its address (or range), or its symbol. */
function isLiteral(text: string, value: string): boolean {
  if (text === value) return true;
  const [, address, symbol] = ADDRESS_WITH_SYMBOL.exec(value) ?? [];
  return text === address || text === symbol;
}

/** Matches one value: the captures, extended by those it binds; undefined if it does not match. */
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
      const matcher = pattern.regex.matcher(text);
      if (!matcher.find()) return undefined;
      return bind(
        captures,
        capturesOf(pattern).map((name) => [name, matcher.group(name)]),
      );
    }
  }
}

function bind(
  captures: Captures,
  values: readonly (readonly [string, string | null])[],
): Captures | undefined {
  const out = new Map(captures);
  for (const [name, value] of values) {
    if (value === null) continue; // a group that took no part
    const known = out.get(name);
    if (known !== undefined && known !== value) return undefined;
    out.set(name, value);
  }
  return out;
}

/** Matches a record against a pattern: the captures, extended; undefined if a field does not match. */
export function matchRecord(
  pattern: Pattern,
  record: Readonly<Record<string, Scalar | undefined>>,
  captures: Captures,
): Captures | undefined {
  let bound: Captures | undefined = captures;
  for (const [field, value] of Object.entries(pattern)) {
    bound = matchValue(value, own(record, field), bound);
    if (bound === undefined) return undefined;
  }
  return bound;
}

/** A field that does not match its pattern. */
export interface Mismatch {
  readonly field: string;
  /** The pattern as written; a bound capture is followed by its value. */
  readonly expected: string;
  readonly found: Scalar | undefined;
}

/** The text of a value pattern; a bound capture is followed by its value: `$page (0x1000)`. */
export function patternText(pattern: ValuePattern, captures: Captures = new Map()): string {
  switch (pattern.is) {
    case 'absent':
      return '(absent)';
    case 'literal':
      return pattern.text;
    case 'regex':
      return `/${pattern.source}/`;
    case 'capture': {
      const value = captures.get(pattern.name);
      return value === undefined ? `$${pattern.name}` : `$${pattern.name} (${value})`;
    }
  }
}

/** The fields of a record that do not match their pattern, each checked by itself. */
export function mismatches(
  pattern: Pattern,
  record: Readonly<Record<string, Scalar | undefined>>,
  captures: Captures,
): Mismatch[] {
  return Object.entries(pattern)
    .filter(([field, value]) => matchValue(value, own(record, field), captures) === undefined)
    .map(([field, value]) => ({
      field,
      expected: patternText(value, captures),
      found: own(record, field),
    }));
}

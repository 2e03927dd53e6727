/** Values of own hunks with their places. */
import { InputError, type InputErrorDetails, type Place } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { isPrintable } from '../base/printable.js';

/** The path of a value in a module. */
export interface At {
  readonly place: Place;
  readonly key: (name: string) => At;
  readonly index: (index: number) => At;
}

export function atPath(where: Place, path: string): At {
  return {
    place: { ...where, path },
    key: (name) =>
      atPath(where, /^\w+$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`),
    index: (index) => atPath(where, `${path}[${String(index)}]`),
  };
}

/** The E_OWN_HUNK error at a value. */
export const fail = (at: At, details: Omit<InputErrorDetails, 'code' | 'place'>): InputError =>
  new InputError({ code: 'E_OWN_HUNK', place: at.place, ...details });

/** What a value is, in a word or two. */
export function kindOfValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function record(at: At, value: unknown): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw fail(at, { expected: 'an object', found: kindOfValue(value) });
}

export function list(at: At, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw fail(at, { expected: 'a list', found: kindOfValue(value) });
}

/** A text of one line. */
export function text(at: At, value: unknown): string {
  if (typeof value !== 'string') throw fail(at, { expected: 'a text', found: kindOfValue(value) });
  if (value.trim() === '' || value.length > LIMITS.text.most || !isPrintable(value)) {
    throw fail(at, { expected: 'a text of one line', found: JSON.stringify(value) });
  }
  return value;
}

export const strings = (at: At, value: unknown): string[] =>
  list(at, value).map((each, index) => text(at.index(index), each));

/** Throws for a function that returns a promise: the kernel does not wait for it. */
export function checkSynchronous(at: At, body: object): void {
  const { name } = body.constructor;
  if (!/^Async|Generator/.test(name)) return;
  throw fail(at, {
    reason: 'kernel code is synchronous',
    expected: 'a plain function',
    found: name,
  });
}

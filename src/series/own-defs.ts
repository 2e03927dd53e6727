/** Functions and variables that own hunks add. */
import { InputError } from '../base/errors.js';
import { suggest } from '../base/suggest.js';
import { describeThrown } from '../base/thrown.js';
import type { Def, KernelFile } from '../kernel/table.js';
import type { Variable } from '../kernel/variables.js';
import { checkSynchronous, fail, kindOfValue, list, record, text, type At } from './own-values.js';

const KINDS = ['fn', 'inline', 'label'] as const;
const SECTIONS = ['.data', '.bss', '.init.data', '.rodata'] as const;
/** The largest code or variable, in bytes (our choice: KERNEL_IMAGE_SIZE is a thousand times that). */
const LARGEST = 2 ** 20;

/** The value if it is one of a list of names. */
function oneOf<T extends string>(at: At, value: unknown, names: readonly T[]): T {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  const given = typeof value === 'string' ? JSON.stringify(value) : kindOfValue(value);
  throw fail(at, {
    expected: names.join(', '),
    found: given,
    ...(typeof value === 'string' && suggest(value, names)),
  });
}

/** Throws for a key that is not one of `keys`. */
function checkKeys(at: At, value: object, keys: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown === undefined) return;
  throw fail(at.key(unknown), {
    reason: 'unknown key',
    expected: keys.join(', '),
    ...suggest(unknown, keys),
  });
}

function size(at: At, value: unknown): number {
  if (Number.isInteger(value) && Number(value) > 0 && Number(value) <= LARGEST)
    return Number(value);
  throw fail(at, {
    expected: `bytes, 1 to ${String(LARGEST)}`,
    found: typeof value === 'number' ? String(value) : kindOfValue(value),
  });
}

function def(at: At, value: unknown): Def {
  const given = record(at, value);
  checkKeys(at, given, ['kind', 'body', 'quiet', 'size']);
  const kind = oneOf(at.key('kind'), given.kind, KINDS);
  const { body, quiet = kind !== 'fn' } = given;
  if (typeof body !== 'function') {
    throw fail(at.key('body'), {
      expected: 'a function: (k, …) => { … }',
      found: kindOfValue(body),
    });
  }
  checkSynchronous(at.key('body'), body);
  return {
    kind,
    // Its parameters are those that its callers give: own code calls own code.
    body: body as Def['body'],
    quiet: quiet === true,
    ...(given.size !== undefined && { size: size(at.key('size'), given.size) }),
  };
}

/** Files of kernel code: `[{ file, defs: { name: { kind, body } } }]`. */
export function checkDefs(at: At, value: unknown): KernelFile[] {
  return list(at, value).map((each, index) => {
    const here = at.index(index);
    const given = record(here, each);
    checkKeys(here, given, ['file', 'defs']);
    const defs = here.key('defs');
    const made = Object.entries(record(defs, given.defs)).map(([name, one]) => [
      name,
      def(defs.key(name), one),
    ]);
    return { file: text(here.key('file'), given.file), defs: Object.fromEntries(made) as object };
  });
}

/** The initial bytes of a variable, checked when the image is made. */
function initOf(at: At, value: unknown, room: number): NonNullable<Variable['init']> {
  if (typeof value !== 'function') {
    throw fail(at, { expected: 'a function: (at) => Uint8Array', found: kindOfValue(value) });
  }
  const make = value as (at: unknown) => unknown;
  return (addresses) => {
    let bytes: unknown;
    try {
      bytes = make(addresses);
    } catch (cause) {
      if (cause instanceof InputError) throw cause;
      throw fail(at, { reason: `it threw: ${describeThrown(cause)}`, cause });
    }
    // The array may be of another realm.
    const isBytes = Object.prototype.toString.call(bytes) === '[object Uint8Array]';
    if (isBytes && (bytes as Uint8Array).length <= room)
      return Uint8Array.from(bytes as Uint8Array);
    throw fail(at, {
      expected: `a Uint8Array of at most ${String(room)} bytes`,
      found: isBytes ? `${String((bytes as Uint8Array).length)} bytes` : kindOfValue(bytes),
    });
  };
}

function partsOf(at: At, value: unknown, room: number): Record<string, number> {
  for (const [name, offset] of Object.entries(record(at, value))) {
    if (Number.isInteger(offset) && Number(offset) >= 0 && Number(offset) < room) continue;
    throw fail(at.key(name), {
      expected: `an offset below ${String(room)}`,
      found: String(offset),
    });
  }
  return value as Record<string, number>;
}

export function checkVariables(at: At, value: unknown): Variable[] {
  return list(at, value).map((each, index) => {
    const here = at.index(index);
    const given = record(here, each);
    checkKeys(here, given, ['name', 'size', 'align', 'section', 'init', 'parts', 'file']);
    const room = size(here.key('size'), given.size);
    const align = size(here.key('align'), given.align);
    if ((align & (align - 1)) !== 0) {
      throw fail(here.key('align'), { expected: 'a power of two', found: String(align) });
    }
    const { init, parts } = given;
    return {
      name: text(here.key('name'), given.name),
      size: room,
      align,
      section: oneOf(here.key('section'), given.section, SECTIONS),
      file: text(here.key('file'), given.file),
      ...(init !== undefined && { init: initOf(here.key('init'), init, room) }),
      ...(parts !== undefined && { parts: partsOf(here.key('parts'), parts, room) }),
    };
  });
}

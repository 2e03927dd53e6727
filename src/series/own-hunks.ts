/**
 * Own hunks as a module or a program gives them, checked: every key, every name. What is wrong is E_OWN_HUNK with the path
 * of the value. The code itself is not checked: it may do anything.
 */
import { InputError, type Place } from '../base/errors.js';
import { suggest } from '../base/suggest.js';
import { describeThrown } from '../base/thrown.js';
import { addedNames, type Hunk, type OwnHunk, type Replacement } from '../kernel/hunk.js';
import type { EntryName, KernelFile } from '../kernel/table.js';
import { BASE_FILES, BASE_VARIABLES } from '../linux/index.js';
import { checkDefs, checkVariables } from './own-defs.js';
import {
  atPath,
  checkSynchronous,
  fail,
  isRecord,
  kindOfValue,
  record,
  strings,
  text,
  type At,
} from './own-values.js';
import { allHunks, alternatives, patchOf } from './patches.js';

/** Two digits of a patch number from 01, and a name. */
const ID = /^(?!00)\d\d\/[A-Za-z0-9_][\w.-]*$/;
const ID_FORM = 'NN/name: a patch number from 01 to 99 and a name, as 09/initrd';

const KEYS = [
  'id',
  'file',
  'what',
  'instead',
  'source',
  'replaces',
  'adds',
  'variables',
  'names',
  'options',
  'parameters',
  'needs',
  'stub',
] as const satisfies readonly (keyof OwnHunk)[];
const PART_KEYS = ['patch', 'part', 'turnsOn', 'hunks'];

type Make = (previous: unknown) => unknown;

/** The names of the base and of all hunks: those with a body, and all. */
function kernelNames(own: readonly OwnHunk[]): {
  readonly bodies: Set<string>;
  readonly all: Set<string>;
} {
  const hunks: readonly Hunk[] = [...allHunks(), ...alternatives(), ...own];
  const inFiles = (files: readonly KernelFile[]): string[] =>
    files.flatMap(({ defs }) => Object.keys(defs));
  const bodies = new Set([
    ...inFiles(BASE_FILES),
    ...hunks.flatMap(({ adds = [] }) => inFiles(adds)),
  ]);
  const variables = BASE_VARIABLES.map(({ name }) => name);
  return { bodies, all: new Set([...bodies, ...variables, ...hunks.flatMap(addedNames)]) };
}

/** A maker of a body whose result is checked when the kernel is linked. */
function checkedMake(at: At, make: Make): Make {
  const form = '(previous) => (k, …) => { … }';
  return (previous) => {
    let body: unknown;
    try {
      body = make(previous);
    } catch (cause) {
      throw fail(at, {
        reason: `it threw before it gave a body: ${describeThrown(cause)}`,
        expected: form,
        cause,
      });
    }
    if (typeof body !== 'function')
      throw fail(at, { expected: form, found: `no function but ${kindOfValue(body)}` });
    checkSynchronous(at, body);
    return body;
  };
}

function replacesOf(at: At, value: unknown): NonNullable<OwnHunk['replaces']> {
  const made = Object.entries(record(at, value)).map(([name, make]) => {
    const here = at.key(name);
    if (typeof make !== 'function') {
      throw fail(here, {
        expected: 'a function: (previous) => (k, …) => { … }',
        found: kindOfValue(make),
      });
    }
    checkSynchronous(here, make);
    return [name, checkedMake(here, make as Make)];
  });
  if (made.length === 0) throw fail(at, { expected: 'at least one name', found: 'none' });
  return Object.fromEntries(made) as { readonly [N in EntryName]?: Replacement<N> };
}

function idOf(at: At, value: unknown): string {
  const id = text(at, value);
  if (!ID.test(id)) throw fail(at, { expected: ID_FORM, found: JSON.stringify(id) });
  if (alternatives().some((each) => each.id === id)) {
    throw fail(at, {
      reason: `${id} is an alternative of sme-boot`,
      expected: `another id, with instead: '${id}' to replace it where --with applies it`,
    });
  }
  return id;
}

function insteadOf(at: At, id: string, value: unknown): string {
  const instead = text(at, value);
  const ids = [...allHunks(), ...alternatives()].map((hunk) => hunk.id);
  if (!ids.includes(instead)) {
    throw fail(at, {
      reason: 'there is no such hunk or alternative',
      expected: 'an id that "sme-boot list hunks" or "sme-boot list alternatives" prints',
      found: JSON.stringify(instead),
      ...suggest(instead, ids),
    });
  }
  if (allHunks().some((hunk) => hunk.id === id)) {
    throw fail(at, {
      reason: `${id} is the id of a posted hunk, whose place it takes: it cannot be instead of ${instead} as well`,
    });
  }
  return instead;
}

function hunkOf(at: At, value: unknown): OwnHunk {
  const given = record(at, value);
  const unknown = Object.keys(given).find((key) => !KEYS.some((known) => known === key));
  if (unknown !== undefined) {
    throw fail(at.key(unknown), {
      reason: 'unknown key',
      expected: KEYS.join(', '),
      ...suggest(unknown, KEYS),
    });
  }
  const id = idOf(at.key('id'), given.id);
  const optionsAt = at.key('options');
  const options = given.options === undefined ? undefined : strings(optionsAt, given.options);
  const known = allHunks().flatMap((hunk) => hunk.options ?? []);
  for (const name of options ?? [])
    checkName(optionsAt, name, known, 'no hunk of the series has this option');
  const of = <T>(key: keyof OwnHunk, read: (at: At, value: unknown) => T): Record<string, T> =>
    given[key] === undefined ? {} : { [key]: read(at.key(key), given[key]) };
  return {
    id,
    file: text(at.key('file'), given.file),
    what: text(at.key('what'), given.what),
    ...of('instead', (here, each) => insteadOf(here, id, each)),
    ...of('source', text),
    ...of('replaces', replacesOf),
    ...of('adds', checkDefs),
    ...of('variables', checkVariables),
    ...of('names', strings),
    ...(options !== undefined && { options }),
    ...of('parameters', strings),
    ...of('needs', strings),
    ...of('stub', checkDefs),
  };
}

function checkName(at: At, name: string, names: Iterable<string>, reason: string): void {
  const known = [...names];
  if (known.includes(name)) return;
  throw fail(at, { reason, found: JSON.stringify(name), ...suggest(name, known) });
}

/** Throws for a name of a hunk that neither the base nor any hunk has, and for a name of the base that it adds. */
function checkNames(at: At, hunk: OwnHunk, { bodies, all }: ReturnType<typeof kernelNames>): void {
  for (const name of Object.keys(hunk.replaces ?? {})) {
    checkName(
      at.key('replaces'),
      name,
      bodies,
      'neither the kernel nor any patch has this name to replace',
    );
  }
  for (const name of hunk.needs ?? []) {
    checkName(at.key('needs'), name, all, 'neither the kernel nor any patch has this name');
  }
  const base = new Set([
    ...BASE_FILES.flatMap(({ defs }) => Object.keys(defs)),
    ...BASE_VARIABLES.map(({ name }) => name),
  ]);
  const taken = addedNames(hunk).find((name) => base.has(name));
  if (taken !== undefined) {
    throw fail(at.key('adds'), {
      reason: `the base kernel has ${taken} already`,
      expected: '"replaces" for it',
    });
  }
}

/** The list of a value: a list, or a part of a patch with its hunks. */
function listOf(
  at: At,
  value: unknown,
): { readonly list: readonly unknown[]; readonly at: At; readonly patch?: number } {
  if (Array.isArray(value)) return { list: value, at };
  if (!isRecord(value) || !Array.isArray(value.hunks)) {
    throw fail(at, {
      expected: 'a list of hunks, or a part of a patch: { patch, hunks }',
      found: kindOfValue(value),
    });
  }
  const unknown = Object.keys(value).find((key) => !PART_KEYS.includes(key));
  if (unknown === 'alternatives') {
    throw fail(at.key(unknown), {
      reason: 'alternatives are not applied by themselves',
      expected: 'own hunks with "instead"',
    });
  }
  if (unknown !== undefined) {
    throw fail(at.key(unknown), {
      reason: 'unknown key',
      expected: PART_KEYS.join(', '),
      ...suggest(unknown, PART_KEYS),
    });
  }
  const { patch } = value;
  if (typeof patch !== 'number') {
    throw fail(at.key('patch'), { expected: 'the number of the patch', found: kindOfValue(patch) });
  }
  return { list: value.hunks as readonly unknown[], at: at.key('hunks'), patch };
}

/**
 * Own hunks from any value, checked; `where` is the place of the value, `at` its path in there (`hunks`). Throws
 * E_OWN_HUNK.
 */
export function ownHunks(value: unknown, where: Place = {}, path = 'hunks'): readonly OwnHunk[] {
  const top: At = atPath(where, path);
  const { list, at, patch } = listOf(top, value);
  if (list.length === 0) throw fail(at, { expected: 'at least one hunk', found: 'none' });
  const hunks = list.map((each, index) => hunkOf(at.index(index), each));
  const names = kernelNames(hunks);
  for (const [index, hunk] of hunks.entries()) {
    const here = at.index(index);
    if (patch !== undefined && patchOf(hunk) !== patch) {
      throw fail(here.key('id'), { expected: `a hunk of patch ${String(patch)}`, found: hunk.id });
    }
    checkNames(here, hunk, names);
  }
  checkOnce(hunks, at.place);
  return hunks;
}

/** Throws E_OWN_HUNK if two own hunks have one id. */
export function checkOnce(hunks: readonly OwnHunk[], place: Place = {}): void {
  const twice = hunks.find(({ id }, index) => hunks.findIndex((each) => each.id === id) < index);
  if (twice === undefined) return;
  throw new InputError({
    code: 'E_OWN_HUNK',
    place,
    reason: 'two own hunks have one id',
    expected: 'each id once',
    found: twice.id,
  });
}

/** Leaving hunks out: their names, the hunks that need them, and their stubs. */
import * as z from 'zod';
import { addedNames, neededNames, type Hunk } from '../kernel/hunk.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { oneOf, suggest } from '../base/suggest.js';
import { allHunks, patchOf } from './patches.js';

/**
 * A name of a hunk, alternative or patch in its canonical form, with two digits: `9/initrd` is `09/initrd`, `9` is `09`.
 * Any other name is returned as it is.
 */
export function canonicalName(name: string): string {
  const [, patch, rest = ''] = /^(\d+)(\/.+)?$/.exec(name) ?? [];
  return patch === undefined ? name : `${String(Number(patch)).padStart(2, '0')}${rest}`;
}

/** Schema of the name of a hunk, alternative or patch in a file; a patch may be a number: 09 and "9" are both patch 09. */
export const selectedName = z
  .union([z.string().min(1), z.int().min(0)])
  .transform((name) => canonicalName(String(name)));

/** The hunks of `among` that the ids and patch numbers in `names` select. Throws E_HUNK for an unknown one. */
export function expand(names: readonly string[], among: readonly Hunk[]): Hunk[] {
  return names.flatMap((given) => {
    const name = canonicalName(given);
    const patch = /^\d+$/.test(name) ? Number(name) : undefined;
    const found = among.filter((hunk) =>
      patch === undefined ? hunk.id === name : patchOf(hunk) === patch,
    );
    if (found.length > 0) return found;
    const later = allHunks().find((hunk) => hunk.id === name || patchOf(hunk) === patch);
    if (later === undefined) {
      throw unknownHunk(given, among, 'there is no such hunk or patch at this stage');
    }
    throw new InputError({
      code: 'E_HUNK',
      reason: 'this stage does not have this hunk or patch',
      expected: `stage ${patchOf(later)} or a later one`,
      found: given,
    });
  });
}

/** The E_HUNK error for a name that is no hunk or patch of `among`. */
export function unknownHunk(found: string, among: readonly Hunk[], reason: string): InputError {
  const name = canonicalName(found);
  const patch = /^\d\d(?=\/|$)/.exec(name)?.[0];
  const near = among.filter((hunk) => patch !== undefined && patchOf(hunk) === Number(patch));
  const ids = (near.length > 0 ? near : among).map(({ id }) => id);
  return new InputError({
    code: 'E_HUNK',
    reason,
    expected: oneOf(ids, 'a hunk or the number of a patch, as "sme-boot list hunks" prints them'),
    found: found === '' ? '""' : found,
    ...suggest(name, ids),
  });
}

/** A hunk left out, a hunk that needs it, and the names that it needs. */
interface Unmet {
  readonly hunk: Hunk;
  readonly by: Hunk;
  readonly names: readonly string[];
}

/** The hunks of `remaining` that need names which only hunks left out add. */
export function unmetBy(out: ReadonlySet<Hunk>, remaining: readonly Hunk[]): Unmet[] {
  const available = new Set(remaining.flatMap(addedNames));
  return [...out].flatMap((hunk) => {
    const missing = addedNames(hunk).filter((name) => !available.has(name));
    return remaining
      .map((by) => ({ hunk, by, names: neededNames(by).filter((name) => missing.includes(name)) }))
      .filter(({ names }) => names.length > 0);
  });
}

/** Throws E_LEFT_OUT if hunks of `remaining` need names of those left out; the message has all of them. */
export function checkLeftOut(out: ReadonlySet<Hunk>, remaining: readonly Hunk[]): void {
  const all = unmetBy(out, remaining);
  if (all.length === 0) return;
  const needs = all.map(
    ({ hunk, by, names }) => `${by.id} needs ${names.join(', ')} of ${hunk.id}`,
  );
  throw new InputError({
    code: 'E_LEFT_OUT',
    reason: `${needs.join('; ')} (--stub defines the names with bodies that do nothing)`,
  });
}

/** The stub of a hunk: its names, with bodies that do nothing. Throws E_NO_STUB if it gives no stub of a name. */
export function stubOf(hunk: Hunk): Hunk {
  const stubs = hunk.stub ?? [];
  const given = new Set(stubs.flatMap((file) => Object.keys(file.defs)));
  const missing = (hunk.adds ?? [])
    .flatMap((file) => Object.keys(file.defs))
    .filter((name) => !given.has(name));
  if (missing.length > 0) {
    throw new InputError({
      code: 'E_NO_STUB',
      reason: `${hunk.id} has no stub of ${missing.join(', ')}`,
    });
  }
  const { id, file, what, variables, names } = hunk;
  return {
    id,
    file,
    what,
    adds: stubs,
    ...optional({ variables, names }),
  };
}

/** Leaving hunks out: their names, the hunks that need them, and their stubs. */
import { addedNames, neededNames, type Hunk } from '../kernel/hunk.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { patchOf } from './patches.js';

/** The hunks of `among` that the ids and patch numbers in `names` select. Throws E_HUNK for an unknown one. */
export function expand(names: readonly string[], among: readonly Hunk[]): Hunk[] {
  return names.flatMap((name) => {
    const patch = /^\d+$/.test(name) ? Number(name) : undefined;
    const found = among.filter((hunk) =>
      patch === undefined ? hunk.id === name : patchOf(hunk) === patch,
    );
    if (found.length > 0) return found;
    const near = among.filter((hunk) => patchOf(hunk) === Number(name.slice(0, 2)));
    throw new InputError({
      code: 'E_HUNK',
      reason: 'there is no such hunk or patch at this stage',
      expected: (near.length > 0 ? near : among).map((hunk) => hunk.id).join(', '),
      found: name,
    });
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

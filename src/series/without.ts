/** Leaving hunks out: who they are, who would miss them, and what is left of one that keeps only its names. */
import { addedNames, neededNames, type Hunk } from '../kernel/hunk.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { patchOf } from './patches.js';

/** The hunks that ids and patch numbers name, among those that are there. Throws E_HUNK. */
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

/** A hunk that somebody needs, and for which names. */
interface Unmet {
  readonly hunk: Hunk;
  readonly by: Hunk;
  readonly names: readonly string[];
}

/** Who of those that stay would miss something that only the hunks left out bring. */
export function unmetBy(out: ReadonlySet<Hunk>, staying: readonly Hunk[]): Unmet[] {
  const there = new Set(staying.flatMap(addedNames));
  return [...out].flatMap((hunk) => {
    const gone = addedNames(hunk).filter((name) => !there.has(name));
    return staying
      .map((by) => ({ hunk, by, names: neededNames(by).filter((name) => gone.includes(name)) }))
      .filter(({ names }) => names.length > 0);
  });
}

/** Throws E_LEFT_OUT, naming all who need what is left out. */
export function checkLeftOut(out: ReadonlySet<Hunk>, staying: readonly Hunk[]): void {
  const all = unmetBy(out, staying);
  if (all.length === 0) return;
  const who = all.map(({ hunk, by, names }) => `${by.id} needs ${names.join(', ')} of ${hunk.id}`);
  throw new InputError({
    code: 'E_LEFT_OUT',
    reason: `${who.join('; ')} (--stub keeps the names and makes them do nothing)`,
  });
}

/** A hunk with its names and nothing else. Throws E_NO_STUB where it has not said what its names are then. */
export function stubOf(hunk: Hunk): Hunk {
  const stubs = hunk.stub ?? [];
  const given = new Set(stubs.flatMap((file) => Object.keys(file.defs)));
  const wanting = (hunk.adds ?? [])
    .flatMap((file) => Object.keys(file.defs))
    .filter((name) => !given.has(name));
  if (wanting.length > 0) {
    throw new InputError({
      code: 'E_NO_STUB',
      reason: `${hunk.id} has no stubs of ${wanting.join(', ')}`,
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

/** The names that kernels of any stage have: which can be called, their number of arguments, the patch that adds them. */
import { BASE_FILES } from '../linux/index.js';
import { addedNames, type Hunk } from '../kernel/hunk.js';
import type { KernelFile, LinkedEntry } from '../kernel/table.js';
import { allHunks, patchOf } from './patches.js';

/** A function or macro of the base kernel or of a patch. */
export interface SeriesFunction {
  /** Number of arguments: the most that any of its bodies, of base or patches, takes. */
  readonly arity: number;
  /** The patch that adds it; absent for the base kernel's. */
  readonly patch?: number;
}

type Body = LinkedEntry['body'];

/** Every name that can be called at some stage, of the base, of a patch or of own hunks. */
export function seriesFunctions(own: readonly Hunk[] = []): ReadonlyMap<string, SeriesFunction> {
  const found = new Map<string, SeriesFunction>();
  const note = (name: string, body: { readonly length: number }, patch?: number): void => {
    const before = found.get(name);
    // The kernel itself is the first parameter of each body.
    const arity = Math.max(before?.arity ?? 0, body.length - 1);
    const by = before === undefined ? patch : before.patch;
    found.set(name, { arity, ...(by !== undefined && { patch: by }) });
  };
  const noteFile = (file: KernelFile, patch?: number): void => {
    for (const [name, def] of Object.entries(file.defs)) note(name, def.body, patch);
  };
  for (const file of BASE_FILES) noteFile(file);
  for (const hunk of [...allHunks(), ...own]) {
    for (const file of [...(hunk.adds ?? []), ...(hunk.stub ?? [])]) {
      noteFile(file, patchOf(hunk));
    }
    for (const [name, replacement] of Object.entries(hunk.replaces ?? {})) {
      const make = replacement as (previous: Body) => Body;
      note(
        name,
        make(() => undefined),
        patchOf(hunk),
      );
    }
  }
  return found;
}

/** The number of the patch that adds a name of any kind (function, variable, constant); undefined if none does. */
export function patchAdding(name: string): number | undefined {
  const hunk = allHunks().find((each) => addedNames(each).includes(name));
  if (hunk !== undefined) return patchOf(hunk);
  const part = allHunks().find((each) =>
    each.variables?.some(({ parts }) => Object.hasOwn(parts ?? {}, name)),
  );
  return part === undefined ? undefined : patchOf(part);
}

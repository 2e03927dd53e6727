/** Puts hunks on the base kernel: the counterpart of applying patches and building. */
import { BASE_FILES, BASE_VARIABLES } from '../kernel/base.js';
import { ENTRY_POINTS } from '../kernel/entry-points.js';
import { addedNames, type Hunk } from '../kernel/hunk.js';
import type { EntryName, KernelFile, LinkedEntry, LinkedTable } from '../kernel/table.js';
import type { Variable } from '../kernel/variables.js';
import { InputError } from '../trace/errors.js';
import { allHunks, patchOf } from './patches.js';

/** A kernel ready to be placed in an image. */
export interface LinkedKernel {
  readonly table: LinkedTable;
  readonly variables: readonly Variable[];
  /** Names of functions, in the order in which they are laid out. */
  readonly functions: readonly string[];
  /** The base's own functions: what a built-in image holds without any patch. */
  readonly baseFunctions: readonly string[];
  readonly hunks: readonly Hunk[];
}

type Body = LinkedEntry['body'];

/** The base kernel with some hunks, in their order. Throws E_MISSING_NEED where a hunk needs a name that nobody adds. */
export function link(hunks: readonly Hunk[]): LinkedKernel {
  const table = new Map<string, LinkedEntry>();
  const variables: Variable[] = [...BASE_VARIABLES];
  for (const file of BASE_FILES) addFile(table, file, undefined);
  const baseFunctions = functionsOf(table);
  const names = new Set<string>([...table.keys(), ...variables.map((v) => v.name)]);
  for (const hunk of hunks) for (const name of addedNames(hunk)) names.add(name);

  for (const hunk of hunks) {
    checkNeeds(hunk, names);
    for (const file of hunk.adds ?? []) addFile(table, file, hunk);
    variables.push(...(hunk.variables ?? []));
  }
  for (const hunk of hunks) {
    for (const [name, replacement] of Object.entries(hunk.replaces ?? {})) {
      const before = table.get(name);
      if (before === undefined) throw missing(hunk, name);
      // The table is typed by name where it is written; here a body is only handed on.
      const make = replacement as (previous: Body) => Body;
      table.set(name, {
        ...before,
        body: make(before.body),
        patch: patchOf(hunk),
        hunk: hunk.id,
      });
    }
  }
  const known = new Set(baseFunctions);
  const added = functionsOf(table).filter((name) => !known.has(name));
  return {
    table,
    variables,
    functions: [...baseFunctions, ...added],
    baseFunctions,
    hunks,
  };
}

/** Fails like a build: a needed name that neither the base nor another hunk has. */
function checkNeeds(hunk: Hunk, names: ReadonlySet<string>): void {
  for (const need of hunk.needs ?? []) if (!names.has(need)) throw missing(hunk, need);
}

function missing(hunk: Hunk, name: string): InputError {
  const from = allHunks().find((other) => addedNames(other).includes(name));
  const whom = from === undefined ? '' : ` from ${from.id.slice(0, 2)}`;
  return new InputError({
    code: 'E_MISSING_NEED',
    reason: `${hunk.id.slice(0, 2)} needs ${name}${whom}`,
    place: { path: hunk.id },
  });
}

function addFile(table: Map<string, LinkedEntry>, file: KernelFile, hunk: Hunk | undefined): void {
  for (const [name, def] of Object.entries(file.defs)) {
    table.set(name, {
      name: name as EntryName,
      kind: def.kind,
      body: def.body,
      quiet: def.quiet,
      file: file.file,
      ...(hunk === undefined ? {} : { patch: patchOf(hunk), hunk: hunk.id }),
    });
  }
}

function functionsOf(table: ReadonlyMap<string, LinkedEntry>): string[] {
  const called = [...table.values()].filter((e) => e.kind === 'fn').map((e) => e.name as string);
  const entered = Object.keys(ENTRY_POINTS);
  return [...entered, ...called.filter((name) => !entered.includes(name))];
}

/** Links the base kernel with hunks: the counterpart of applying patches and building. */
import { own } from '../base/own.js';
import { BASE_FILES, BASE_VARIABLES, ENTRY_POINTS, freshState } from '../linux/index.js';
import { addedNames, type Hunk } from '../kernel/hunk.js';
import type { KernelConfig } from '../kernel/kernel.js';
import type { EntryName, KernelFile, LinkedEntry, LinkedTable } from '../kernel/table.js';
import type { CodePlan } from '../kernel/program.js';
import type { KernelState } from '../kernel/state.js';
import type { Variable } from '../kernel/variables.js';
import { InputError } from '../base/errors.js';
import { allHunks, patchOf } from './patches.js';

/** A linked kernel, ready to be placed in an image. */
export interface LinkedKernel {
  readonly table: LinkedTable;
  readonly variables: readonly Variable[];
  /** Functions in the order in which they are placed. */
  readonly functions: readonly CodePlan[];
  /** The functions of the base: those of a built-in image without any patch. */
  readonly baseFunctions: readonly string[];
  readonly hunks: readonly Hunk[];
  /** Options of the configuration that may be set. */
  readonly options: ReadonlySet<string>;
  /** Makes its initial state outside simulated memory; no hunk adds to it. */
  readonly freshState: () => KernelState;
}

type Body = LinkedEntry['body'];

/** The base kernel without hunks, linked once. */
const BASE = linkBase();

function linkBase(): { readonly table: LinkedTable; readonly functions: readonly string[] } {
  const table = new Map<string, LinkedEntry>();
  for (const file of BASE_FILES) addFile(table, file, undefined);
  return { table, functions: functionsOf(table) };
}

/** The configuration that a kernel can have: an option that the series adds and this kernel lacks is not set. */
export function configOf(config: KernelConfig, { options }: LinkedKernel): KernelConfig {
  const added = new Set(allHunks().flatMap((hunk) => hunk.options ?? []));
  const set = Object.entries(config).map(([name, value]) => [
    name,
    value === true && (!added.has(name) || options.has(name)),
  ]);
  return Object.fromEntries(set) as KernelConfig;
}

/**
 * Links the base kernel with `hunks`, in their order. Names that `placed` hunks add get an address in the image, in
 * their order, whether the hunk is applied or not. Throws E_MISSING_NEED if a hunk needs a name that none adds.
 */
export function link(hunks: readonly Hunk[], placed: readonly Hunk[] = hunks): LinkedKernel {
  const { functions: baseFunctions } = BASE;
  const table = new Map(BASE.table);
  const variables: Variable[] = [...BASE_VARIABLES];
  const names = new Set<string>([...table.keys(), ...variables.map((v) => v.name)]);
  for (const hunk of hunks) for (const name of addedNames(hunk)) names.add(name);

  for (const hunk of hunks) {
    checkNeeds(hunk, names);
    for (const file of hunk.adds ?? []) addFile(table, file, hunk);
  }
  const added = new Map(placed.flatMap((hunk) => hunk.variables ?? []).map((v) => [v.name, v]));
  variables.push(...added.values());
  for (const hunk of hunks) {
    for (const [name, replacement] of Object.entries(hunk.replaces ?? {})) {
      const before = table.get(name);
      if (before === undefined) throw missing(hunk, name);
      // The table is typed by name where it is written; here a body is only passed on.
      const make = replacement as (previous: Body) => Body;
      table.set(name, {
        ...before,
        body: make(before.body),
        patch: patchOf(hunk),
        hunk: hunk.id,
        hunks: [...(before.hunks ?? []), hunk.id],
      });
    }
  }
  const sizes = new Map(placed.flatMap(sizesIn));
  const known = new Set(baseFunctions);
  const fresh = placed.flatMap(functionsIn).filter((name) => !known.has(name));
  return {
    table,
    variables,
    functions: [...baseFunctions, ...new Set(fresh)].map((name) => codeOf(name, sizes.get(name))),
    baseFunctions,
    hunks,
    options: new Set(hunks.flatMap((hunk) => hunk.options ?? [])),
    freshState,
  };
}

/** Throws E_MISSING_NEED for a needed name that neither the base nor another hunk has, as a build would fail. */
function checkNeeds(hunk: Hunk, names: ReadonlySet<string>): void {
  for (const need of hunk.needs ?? []) if (!names.has(need)) throw missing(hunk, need);
}

function missing(hunk: Hunk, name: string): InputError {
  const from = allHunks().find((other) => addedNames(other).includes(name));
  const source = from === undefined ? '' : ` from ${from.id.slice(0, 2)}`;
  return new InputError({
    code: 'E_MISSING_NEED',
    reason: `${hunk.id.slice(0, 2)} needs ${name}${source}`,
    place: { path: hunk.id },
  });
}

function addFile(table: Map<string, LinkedEntry>, file: KernelFile, hunk: Hunk | undefined): void {
  for (const [name, def] of Object.entries(file.defs)) {
    table.set(name, {
      name: name as EntryName,
      kind: def.kind,
      // Typed by name where it is written; here it is only passed on.
      body: def.body as Body,
      quiet: def.quiet,
      file: file.file,
      ...(hunk === undefined ? {} : { patch: patchOf(hunk), hunk: hunk.id, hunks: [hunk.id] }),
    });
  }
}

function codeOf(name: string, size: number | undefined): CodePlan {
  const file = own(ENTRY_POINTS, name);
  return { name, ...(size !== undefined && { size }), ...(file !== undefined && { file }) };
}

/** Code sizes in bytes that a hunk gives, by name. */
function sizesIn(hunk: Hunk): [string, number][] {
  const defs = (hunk.adds ?? []).flatMap((file) => Object.entries(file.defs));
  return defs.flatMap(([name, { size }]) => (size === undefined ? [] : [[name, size]]));
}

/** Names of functions that a hunk adds. */
function functionsIn(hunk: Hunk): string[] {
  const defs = (hunk.adds ?? []).flatMap((file) => Object.entries(file.defs));
  return defs.filter(([, def]) => def.kind === 'fn').map(([name]) => name);
}

function functionsOf(table: ReadonlyMap<string, LinkedEntry>): string[] {
  const called = [...table.values()].filter((e) => e.kind === 'fn').map((e) => e.name as string);
  const entered = Object.keys(ENTRY_POINTS);
  return [...entered, ...called.filter((name) => !entered.includes(name))];
}

/**
 * The kernel as a table of functions and macro values under the kernel's own names.
 *
 * Each file of the model declares its names by adding to `Entries`, and gives their bodies with `kernelFile`. A patch
 * replaces bodies (it gets the previous one to call) or adds names. Where a patch edits the middle of a function, the
 * base has an entry of its own there (`startup_64:fixup`), so that no patch copies a function.
 */
import type { Kernel } from './kernel.js';

/** Every name of the base kernel with its signature; its files add to it by declaration merging. */
// eslint wants a member: this one is the entry that every kernel has.
export interface Entries {
  /** The CPU stops for good (arch/x86/kernel/head_64.S bad_address, and the end of early_fixup_exception). */
  halt(k: Kernel, why: string): never;
}

/** Every name of a kernel with patches: those that patches bring besides the base's own. Patch files add to it. */
// eslint wants a member: a patched kernel stops as any other does.
export interface PatchEntries extends Entries {
  halt(k: Kernel, why: string): never;
}

/**
 * A kernel as patch code sees it: the names of all patches, though a build has those of its hunks only (`Hunk.needs`).
 * Base code takes a `Kernel`, which has the base's names.
 */
export type PatchedKernel = Kernel & { readonly fn: Fns<PatchEntries> };

/** A name of the kernel, whether the base or a patch brings it. */
export type EntryName = keyof PatchEntries;

/**
 * What a name is in the kernel: `fn` has an address, is called through the simulated stack and fetched; `inline` is a
 * static inline function or macro and runs in its caller; `label` is a place in the middle of a function.
 */
export type EntryKind = 'fn' | 'inline' | 'label';

/** The body of one name. */
export interface Def<N extends EntryName = EntryName> {
  readonly kind: EntryKind;
  readonly body: PatchEntries[N];
  /** Not worth a line in the trace when it is entered. */
  readonly quiet: boolean;
  /** Bytes of its code as posted, where what runs depends on them. */
  readonly size?: number;
}

/** The bodies that one kernel source file gives. */
export interface KernelFile {
  readonly file: string;
  readonly defs: { readonly [N in EntryName]?: Def<N> };
}

/** One name as linked: its body, its file, and the hunk that gave it its present form. */
export interface LinkedEntry {
  readonly name: EntryName;
  readonly kind: EntryKind;
  readonly body: (k: Kernel, ...args: never[]) => unknown;
  readonly quiet: boolean;
  readonly file: string;
  readonly patch?: number;
  readonly hunk?: string;
  /** All hunks that have a part in the body, the last one included; absent for the base's own. */
  readonly hunks?: readonly string[];
}

/** What a kernel is made of: every name with its body. */
export type LinkedTable = ReadonlyMap<string, LinkedEntry>;

/** A body as code calls it, with the kernel bound. */
type Bound<F> = F extends (k: never, ...args: infer A) => infer R ? (...args: A) => R : never;

/** The table as code calls it: `k.fn.name(arguments)`. */
export type Fns<E extends Entries> = { readonly [N in keyof E]: Bound<E[N]> };

/** A function with an address of its own. */
export function fn<B>(body: B, quiet = false): { kind: 'fn'; body: B; quiet: boolean } {
  return { kind: 'fn', body, quiet };
}

/** A function in assembly whose code has a known size in bytes: what runs depends on it. */
export function code<B>(
  size: number,
  body: B,
): { kind: 'fn'; body: B; quiet: boolean; size: number } {
  return { kind: 'fn', body, quiet: false, size };
}

/** A static inline function or a macro. */
export function inline<B>(body: B): { kind: 'inline'; body: B; quiet: true } {
  return { kind: 'inline', body, quiet: true };
}

/** A labelled place in the middle of a function. */
export function label<B>(body: B): { kind: 'label'; body: B; quiet: true } {
  return { kind: 'label', body, quiet: true };
}

/** A kernel source file whose names are known to the compiler. */
export interface KernelFileOf<N extends EntryName> extends KernelFile {
  readonly defs: { readonly [K in N]: Def<K> };
}

/** Bodies of names, as a module of the kernel gives them. Their C file is the module's place (linux/index.ts). */
export function bodies<N extends EntryName>(
  defs: KernelFileOf<N>['defs'],
): KernelFileOf<N>['defs'] {
  return defs;
}

/** The bodies of one kernel source file. */
export function kernelFile<N extends EntryName>(
  file: string,
  defs: KernelFileOf<N>['defs'],
): KernelFileOf<N> {
  return { file, defs };
}

/**
 * What the files of the base are checked against where they are listed: each name that they declare has a body in one of
 * them, and none is a patch's. The compiler's message lists the names that are missing or too many.
 */
export type Complete<F extends readonly KernelFile[], Given = NamesOf<F[number]>> = [
  Exclude<keyof Entries, Given> | Exclude<Given, keyof Entries>,
] extends [never]
  ? readonly KernelFile[]
  : {
      readonly withoutBody: Exclude<keyof Entries, Given>;
      readonly ofPatches: Exclude<Given, keyof Entries>;
    };

type NamesOf<F extends KernelFile> = F extends KernelFileOf<infer N> ? N : never;

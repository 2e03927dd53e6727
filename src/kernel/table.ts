/**
 * The kernel as a table of functions and macro values under the kernel's own names.
 *
 * Each module of the base declares its names by adding to `Entries`, and gives their bodies with `bodies`. A patch
 * replaces bodies (it receives the previous one to call) or adds names with `kernelFile`. Where a patch edits the middle of a function, the
 * base has a separate entry there (`startup_64:fixup`), so that no patch copies a function.
 */
import type { Kernel } from './kernel.js';

/** Every name of the base kernel with its signature; its files add to it by declaration merging. */
// eslint requires a member: this is the entry that every kernel has.
export interface Entries {
  /** The CPU halts permanently (arch/x86/kernel/head_64.S bad_address, and the end of early_fixup_exception). */
  halt(k: Kernel, why: string): never;
}

/** Every name of a patched kernel: those of the base and those that patches add. Patch files add to it. */
// eslint requires a member: a patched kernel halts as any other does.
export interface PatchEntries extends Entries {
  halt(k: Kernel, why: string): never;
}

/**
 * A kernel as patch code sees it: the names of all patches, although a build has only those of its hunks (`Hunk.needs`).
 * Base code takes a `Kernel`, which has only the base's names.
 */
export type PatchedKernel = Kernel & { readonly fn: Fns<PatchEntries> };

/** A name of the kernel, of the base or of a patch. */
export type EntryName = keyof PatchEntries;

/**
 * The kind of a name: `fn` has an address, is called through the simulated stack and fetched; `inline` is a static
 * inline function or macro and runs in its caller; `label` is a point in the middle of a function.
 */
export type EntryKind = 'fn' | 'inline' | 'label';

/** The body of one name. */
export interface Def<N extends EntryName = EntryName> {
  readonly kind: EntryKind;
  readonly body: PatchEntries[N];
  /** No `enter` event is emitted for it. */
  readonly quiet: boolean;
  /** Size of its code in the posted patch, in bytes, where behaviour depends on it. */
  readonly size?: number;
}

/** The bodies of one kernel source file. */
export interface KernelFile {
  readonly file: string;
  readonly defs: { readonly [N in EntryName]?: Def<N> };
}

/** One name as linked: its body, its file, and the hunk that changed it last. */
export interface LinkedEntry {
  readonly name: EntryName;
  readonly kind: EntryKind;
  readonly body: (k: Kernel, ...args: never[]) => unknown;
  readonly quiet: boolean;
  readonly file: string;
  readonly patch?: number;
  readonly hunk?: string;
  /** All hunks that changed the body, in order; absent for a name that no hunk changed. */
  readonly hunks?: readonly string[];
}

/** A linked kernel: every name with its body. */
export type LinkedTable = ReadonlyMap<string, LinkedEntry>;

/** The call signature of a body, with the kernel bound. */
type Bound<F> = F extends (k: never, ...args: infer A) => infer R ? (...args: A) => R : never;

/** The table as called by code: `k.fn.name(arguments)`. */
export type Fns<E extends Entries> = { readonly [N in keyof E]: Bound<E[N]> };

/** A function with an address. `quiet`: no `enter` event. */
export function fn<B>(body: B, quiet = false): { kind: 'fn'; body: B; quiet: boolean } {
  return { kind: 'fn', body, quiet };
}

/** A function in assembly whose code size, in bytes, matters for its behaviour. */
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

/** A label in the middle of a function. */
export function label<B>(body: B): { kind: 'label'; body: B; quiet: true } {
  return { kind: 'label', body, quiet: true };
}

/** A kernel source file with its names as a literal type. */
export interface KernelFileOf<N extends EntryName> extends KernelFile {
  readonly defs: { readonly [K in N]: Def<K> };
}

/** The bodies of a module of the kernel. Their C file is the module's path (linux/index.ts). */
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
 * Type check of the base's files where they are listed: each declared name has a body in one of them, and none belongs
 * to a patch. The compiler's message lists the names that are missing or extra.
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

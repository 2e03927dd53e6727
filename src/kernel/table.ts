/**
 * The kernel as a table of functions and macro values under the kernel's own names.
 *
 * Each file of the model declares its names by adding to `Entries`, and gives their bodies with `kernelFile`. A patch
 * replaces bodies (it gets the previous one to call) or adds names. Where a patch edits the middle of a function, the
 * base has an entry of its own there (`startup_64:fixup`), so that no patch copies a function.
 */
import type { Kernel } from './kernel.js';

/** Every name of the kernel model with its signature; files add to it by declaration merging. */
// eslint wants a member: this one is the entry that every kernel has.
export interface Entries {
  /** The CPU stops for good (arch/x86/kernel/head_64.S bad_address, and the end of early_fixup_exception). */
  halt(k: Kernel, why: string): never;
}

export type EntryName = keyof Entries;

/**
 * What a name is in the kernel: `fn` has an address, is called through the simulated stack and fetched; `inline` is a
 * static inline function or macro and runs in its caller; `label` is a place in the middle of a function.
 */
export type EntryKind = 'fn' | 'inline' | 'label';

/** The body of one name. */
export interface Def<N extends EntryName = EntryName> {
  readonly kind: EntryKind;
  readonly body: Entries[N];
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

type Args<N extends EntryName> = Entries[N] extends (k: Kernel, ...args: infer A) => unknown
  ? A
  : never;

/** The table as code calls it: `k.fn.name(arguments)`, with the kernel bound. */
export type Fns = {
  readonly [N in EntryName]: (...args: Args<N>) => ReturnType<Entries[N]>;
};

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

/** Declares the bodies of one kernel source file. */
export function kernelFile(file: string, defs: KernelFile['defs']): KernelFile {
  return { file, defs };
}

/** What the reports about a machine need of the boot that runs on it: one of the model, or an executed one. */
import type { Loaded, Region } from '../firmware/loader.js';
import type { E820Entry } from '../linux/arch/x86/include/asm/e820.js';
import type { Range } from '../linux/mm/memblock.js';
import type { Va } from '../machine/address.js';
import type { GeneralRegister } from '../machine/cpu/registers.js';
import type { Machine } from '../machine/machine.js';
import type { Origin as Code } from '../trace/event.js';
import type { AnyOutcome } from '../trace/trace.js';

/** Names of the kernel's addresses. */
export interface ImageNames {
  has(name: string): boolean;
  /** The link address of a name. Throws where there is none. */
  link(name: string): Va;
  /** Size in bytes of a variable, or the distance to the next symbol. */
  sizeOf(name: string): number;
  /** The name of a link address, with the offset in it; undefined if there is none. */
  nameAt(address: number): { name: string; offset: number } | undefined;
}

/** Who owns memory, by the kernel's and the loader's own records. */
export interface MemoryRecords {
  readonly e820: readonly E820Entry[];
  /** Ranges that are reserved, each with the function that did it. */
  readonly reserved: readonly {
    readonly base: number;
    readonly size: number;
    readonly owner: string;
  }[];
  /** The free ranges of the page allocator, and the memory that it has; null: it does not run yet, or is not known. */
  readonly pages: { readonly free: readonly Range[]; readonly memory: readonly Range[] } | null;
  /** Whether what the loader put into memory is still its own. */
  readonly loader: boolean;
}

export interface InspectedBoot {
  readonly machine: Machine;
  readonly loaded: Loaded;
  readonly program: ImageNames;
  /** Whether the image's own instructions run. */
  readonly executed: boolean;
  /** Whether the kernel is in memory where `loaded` and `slide` say; false while a decompressor has not entered it. */
  readonly kernelPlaced: boolean;
  /** Distance in bytes of the running code from its link address. */
  readonly slide: number;
  /** Whether another kernel, with other names, may be entered. */
  readonly kexecs: boolean;
  /** Labels of the steps in order; of an executed boot those that it has come to. */
  readonly labels: readonly string[];
  /** The label of the last step that has run; undefined before the first. */
  readonly lastLabel: string | undefined;
  /** The label of the step that runs. */
  readonly currentLabel: string | undefined;
  /** null: the boot has not ended. */
  readonly outcome: AnyOutcome | null;
  /** Named ranges of physical memory. */
  regions(): Region[];
  /** Names for suggestions. */
  suggested(): Iterable<string>;
  /** The name of an access's origin: a function or device; '' for firmware, loader and hardware. */
  nameOf(origin: number): string | undefined;
  /** The code that runs. */
  code(): Code;
  /** A function by name, with file and hunk if they are known. */
  codeOf(fn: string): Code;
  records(): MemoryRecords;
  /** The general registers and RFLAGS of a CPU whose code is executed; null: they are those of the machine. */
  registers(
    cpu: number,
  ): { readonly general: ReadonlyMap<GeneralRegister, bigint>; readonly rflags: number } | null;
  /**
   * The place of a label in the order of the boot; undefined if that is not known before. Throws E_LABEL for a label that
   * the boot does not have.
   */
  indexOf(label: string): number | undefined;
  /** Runs up to a label: of a step of the model, up to its end. */
  runTo(label: string): unknown;
  runToEnd(): void;
  /** Whether the boot has come to a label, or ended in its step. */
  reached(label: string): boolean;
}

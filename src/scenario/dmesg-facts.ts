/** Facts about a machine from a kernel log. */
import type { LogLine } from './log-text.js';
import type { E820_TYPE_NAMES } from './scenario.js';

/** A range of physical memory, first and last byte. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

export type E820Name = keyof typeof E820_TYPE_NAMES;
export type E820Fact = Extent & { readonly type: E820Name };
export type EfiFact = Extent & { readonly type: number; readonly runtime: boolean };

/** A processor as named in its log line. */
export interface CpuFact {
  readonly name: string;
  /** Absent before Linux 3.7, whose line has the stepping only. */
  readonly family?: number;
  readonly model?: number;
}

/** A device whose DMA address width is in the log. */
export interface DeviceFact {
  readonly driver: string;
  readonly bits: number;
}

/** Numbers of CPUs, by the kind of line. */
export interface CpuCounts {
  /** "Allowing N CPUs" minus "M hotplug CPUs", "N present CPUs", "N Processors exceeds NR_CPUS". */
  readonly present?: number;
  /** "Allowing N CPUs". */
  readonly possible?: number;
  /** "Brought up", "Booted up", "Total of N processors activated". */
  readonly up?: number;
}

/** The position of a boot in its log. */
export interface BootPlace {
  /** Counted from 1. */
  readonly number: number;
  /** Number of boots with a memory map. */
  readonly of: number;
  /** Number of boots without one. */
  readonly without: number;
  readonly first: number;
  readonly last: number;
  /** What the numbers count. */
  readonly unit: 'line' | 'entry';
}

/** A line with a fact that a scenario has no key for. */
export interface UnusedFact {
  readonly what: string;
  readonly line: number;
}

export interface DmesgFacts {
  /** After "Linux version". */
  readonly version?: string;
  /** Evidence that the kernel was a 32-bit one. */
  readonly bits32?: string;
  readonly commandLine?: string;
  readonly e820: readonly E820Fact[];
  /** Words for types that scenarios do not have; their ranges are read as reserved. */
  readonly e820Unnamed?: readonly string[];
  /** Whether the kernel was booted by EFI firmware. */
  readonly efi: boolean;
  readonly efiMemoryMap: readonly EfiFact[];
  /** The log is of an EFI boot, but its memory is too small for the simulated EFI firmware. */
  readonly efiTooSmall?: boolean;
  /** Why the EFI map's lines were not used. */
  readonly efiProblem?: string;
  readonly ramdisk?: Extent;
  readonly cpus?: number;
  readonly counts?: CpuCounts;
  readonly cpu?: CpuFact;
  /** Evidence of the vendor, if no line names the processor. */
  readonly vendor?: { readonly name: 'AMD' | 'Intel'; readonly because: string };
  readonly dmi?: string;
  /** A line that only kernels for other processors than x86 print. */
  readonly otherMachine?: string;
  /** Memory that the kernel reports ("Memory: .../N available"), in KiB. */
  readonly memoryKib?: number;
  /** The first page of the boot page tables' extra memory ("BRK [...]"): it follows the kernel's image. */
  readonly brk?: number;
  readonly hypervisor?: string;
  /** Active encryption features, as in the kernel's line: "SME", "SEV SEV-ES". */
  readonly encryption?: string;
  /** A line that a kernel prints only if SYSCFG[23] is set. */
  readonly syscfg?: string;
  /** A line that only a machine with an AMD IOMMU has. */
  readonly iommu?: string;
  /** The console that the kernel found: "VGA+ 80x25", "dummy device 80x25". */
  readonly console?: string;
  readonly devices?: readonly DeviceFact[];
  /** Number of lines of the map that Xen passes to a guest ("Xen: [mem ...]"). */
  readonly xenRanges?: number;
  /** The map is the one printed by the hypervisor ("(XEN) Xen-e820 RAM map"). */
  readonly fromXen?: boolean;
  /** Prefix of the map's lines, if not BIOS-e820. */
  readonly mapSource?: string;
  readonly unused?: readonly UnusedFact[];
  /** Lines of the memory map that cannot be parsed. */
  readonly broken?: readonly LogLine[];
  /** Line numbers by fact. */
  readonly at?: ReadonlyMap<string, number>;
  /** Conversions made to read the log: colour codes removed, wrapped lines joined and so on. */
  readonly undone?: readonly string[];
  readonly boot?: BootPlace;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Facts of one boot while they are collected. */
export interface Collected extends Mutable<DmesgFacts> {
  e820: E820Fact[];
  e820Unnamed: string[];
  efiMemoryMap: EfiFact[];
  /** Numbers of the EFI map's entries, in the order of their lines. */
  efiNumbers: number[];
  counts: Mutable<CpuCounts>;
  devices: DeviceFact[];
  unused: UnusedFact[];
  at: Map<string, number>;
  /** Lines of the memory map, and of the EFI map, that cannot be parsed. */
  broken: LogLine[];
  efiBroken: LogLine[];
  kernelCommandLine: string[];
  hypervisorMap: E820Fact[];
  xenRanges: number;
}

/** The facts of a boot before its first line. */
export const nothingKnown = (): Collected => ({
  e820: [],
  e820Unnamed: [],
  efi: false,
  efiMemoryMap: [],
  efiNumbers: [],
  counts: {},
  devices: [],
  unused: [],
  at: new Map(),
  broken: [],
  efiBroken: [],
  kernelCommandLine: [],
  hypervisorMap: [],
  xenRanges: 0,
});

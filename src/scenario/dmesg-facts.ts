/** What a kernel log tells of a machine, as data. */
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

/** A processor as its line in the log has it. */
export interface CpuFact {
  readonly name: string;
  /** Absent before Linux 3.7, where the line has the stepping only. */
  readonly family?: number;
  readonly model?: number;
}

/** A device whose address width the log tells. */
export interface DeviceFact {
  readonly driver: string;
  readonly bits: number;
}

/** Numbers of CPUs, by the line that has them. */
export interface CpuCounts {
  /** "Allowing N CPUs" less "M hotplug CPUs", "N present CPUs", "N Processors exceeds NR_CPUS". */
  readonly present?: number;
  /** "Allowing N CPUs" as it stands. */
  readonly possible?: number;
  /** "Brought up", "Booted up", "Total of N processors activated". */
  readonly up?: number;
}

/** Where a boot is in its log. */
export interface BootPlace {
  /** Counted from 1. */
  readonly number: number;
  /** Boots whose memory map the log has. */
  readonly of: number;
  /** Others. */
  readonly without: number;
  readonly first: number;
  readonly last: number;
  /** What the numbers count. */
  readonly unit: 'line' | 'entry';
}

/** A line that says something for which a scenario has no key. */
export interface UnusedFact {
  readonly what: string;
  readonly line: number;
}

export interface DmesgFacts {
  /** After "Linux version". */
  readonly version?: string;
  /** What shows that the kernel was one of 32 bits. */
  readonly bits32?: string;
  readonly commandLine?: string;
  readonly e820: readonly E820Fact[];
  /** Words for types that a scenario cannot say; their ranges are reserved. */
  readonly e820Unnamed?: readonly string[];
  /** Whether the kernel was booted by EFI firmware. */
  readonly efi: boolean;
  readonly efiMemoryMap: readonly EfiFact[];
  /** The log is of EFI, but its memory is too small for the simulated EFI firmware. */
  readonly efiTooSmall?: boolean;
  /** Why the EFI map's lines were not used. */
  readonly efiProblem?: string;
  readonly ramdisk?: Extent;
  readonly cpus?: number;
  readonly counts?: CpuCounts;
  readonly cpu?: CpuFact;
  /** What shows the vendor where no line names the processor. */
  readonly vendor?: { readonly name: 'AMD' | 'Intel'; readonly because: string };
  readonly dmi?: string;
  /** A line that only kernels for other processors than x86 print. */
  readonly otherMachine?: string;
  /** The memory that the kernel says it has ("Memory: .../N available"), in KiB. */
  readonly memoryKib?: number;
  /** The first page of the boot page tables' extra memory ("BRK [...]"): it follows the kernel's image. */
  readonly brk?: number;
  readonly hypervisor?: string;
  /** What is active, as the kernel's line has it: "SME", "SEV SEV-ES". */
  readonly encryption?: string;
  /** A line that a kernel prints only where SYSCFG[23] is set. */
  readonly syscfg?: string;
  /** A line that only a machine with an AMD IOMMU has. */
  readonly iommu?: string;
  /** The console that the kernel found: "VGA+ 80x25", "dummy device 80x25". */
  readonly console?: string;
  readonly devices?: readonly DeviceFact[];
  /** The map that Xen gives a guest ("Xen: [mem ...]"). */
  readonly xenRanges?: number;
  /** The map is the one that the hypervisor printed ("(XEN) Xen-e820 RAM map"). */
  readonly fromXen?: boolean;
  /** What the map's lines begin with, if not BIOS-e820. */
  readonly mapSource?: string;
  readonly unused?: readonly UnusedFact[];
  /** Lines of the memory map that cannot be read. */
  readonly broken?: readonly LogLine[];
  /** Numbers of the lines that the facts are from. */
  readonly at?: ReadonlyMap<string, number>;
  /** What was undone to read the log: colour codes, wrapped lines and so on. */
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
  /** Lines of the memory map, and of the EFI map, that cannot be read. */
  broken: LogLine[];
  efiBroken: LogLine[];
  kernelCommandLine: string[];
  hypervisorMap: E820Fact[];
  xenRanges: number;
}

/** Facts of a boot of which nothing is known. */
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

/** What firmware and loader put into physical memory, and how they tell of it. */

/** A named stretch of physical memory. */
export interface Region {
  readonly name: string;
  readonly base: number;
  readonly size: number;
}

/** Bytes at a physical address, for somebody to find. */
export interface Blob {
  readonly name: string;
  readonly base: number;
  readonly bytes: Uint8Array;
}

/** An entry of the memory map that the kernel is given (boot protocol: e820_map). */
export interface E820Range {
  readonly base: number;
  readonly size: number;
  readonly type: number;
}

/** The machine that firmware's tables describe. */
export interface MachineDescription {
  /** Bytes of RAM in all. */
  readonly ram: number;
  readonly cpus: number;
  readonly iommu: boolean;
  /** Which tables firmware has: ACPI's at all, the MADT among them, the MP table; all where absent. */
  readonly tables?: { readonly acpi: boolean; readonly madt: boolean; readonly mp: boolean };
  /** The processor's name and vendor, and EAX of CPUID Fn1. */
  readonly processor: {
    readonly name: string;
    readonly vendor: string;
    readonly signature: number;
  };
}

/** What the firmware's memory map follows from besides the firmware: what the loader has taken. */
export interface LoaderMemory {
  readonly code: readonly Region[];
  readonly data: readonly Region[];
}

/** What a loader gets from the firmware just before it enters the kernel. */
export interface HandOver {
  readonly e820: readonly E820Range[];
  /** Bytes of struct efi_info for the zero page; absent without EFI. */
  readonly efiInfo?: Uint8Array;
  /** What the hand-over itself puts into memory. */
  readonly blobs: readonly Blob[];
}

/** What firmware has left in memory. */
export interface Firmware {
  /** Stretches that are the firmware's; a loader keeps clear of them. */
  readonly regions: readonly Region[];
  readonly blobs: readonly Blob[];
  handOver(loader: LoaderMemory): HandOver;
}

/** The region of a thing. */
export function regionOf({ name, base, bytes }: Blob): Region {
  return { name, base, size: bytes.length };
}

/** Keys of a scenario that say where a region goes. */
const PLACED_BY: Readonly<Record<string, string>> = {
  'boot params': 'loader.zeroPageAt',
  'command line': 'loader.cmdlineAt',
  'kernel image': 'loader.kernelAt',
  initrd: 'loader.initrdAt',
};

/** The key of a scenario that says where a region goes; undefined where none does. */
export const placedBy = (region: string): string | undefined => PLACED_BY[region];

/** All tables. */
export const ALL_TABLES = { acpi: true, madt: true, mp: true } as const;

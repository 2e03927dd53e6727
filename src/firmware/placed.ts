/** The regions and blobs of firmware and loader in physical memory, and the hand-over between them. */
import { own } from '../base/own.js';

/** A named range of physical memory. */
export interface Region {
  readonly name: string;
  readonly base: number;
  readonly size: number;
}

/** Bytes at a physical address. */
export interface Blob {
  readonly name: string;
  readonly base: number;
  readonly bytes: Uint8Array;
}

/** An entry of the memory map that is passed to the kernel (boot protocol: e820_map). */
export interface E820Range {
  readonly base: number;
  readonly size: number;
  readonly type: number;
}

/** The machine that firmware's tables describe. */
export interface MachineDescription {
  /** Total RAM in bytes. */
  readonly ram: number;
  readonly cpus: number;
  readonly iommu: boolean;
  /** The tables that firmware has: ACPI, in it the MADT, and the MP table. Absent: all. */
  readonly tables?: { readonly acpi: boolean; readonly madt: boolean; readonly mp: boolean };
  /** The processor's name and vendor, and EAX of CPUID Fn1. */
  readonly processor: {
    readonly name: string;
    readonly vendor: string;
    readonly signature: number;
  };
}

/** The regions of the loader, which are in the firmware's memory map. */
export interface LoaderMemory {
  readonly code: readonly Region[];
  readonly data: readonly Region[];
}

/** What the firmware passes to a loader just before the loader enters the kernel. */
export interface HandOver {
  readonly e820: readonly E820Range[];
  /** Bytes of struct efi_info for the zero page; absent without EFI. */
  readonly efiInfo?: Uint8Array;
  /** Blobs that the hand-over itself puts into memory. */
  readonly blobs: readonly Blob[];
}

/** Firmware as it is in memory. */
export interface Firmware {
  /** Regions of the firmware, which a loader must not use. */
  readonly regions: readonly Region[];
  readonly blobs: readonly Blob[];
  handOver(loader: LoaderMemory): HandOver;
}

/** The region of a blob. */
export function regionOf({ name, base, bytes }: Blob): Region {
  return { name, base, size: bytes.length };
}

/** The scenario keys that set the address of a region, by the region's name. */
const PLACED_BY: Readonly<Record<string, string>> = {
  'boot params': 'loader.zeroPageAt',
  'command line': 'loader.cmdlineAt',
  'kernel image': 'loader.kernelAt',
  initrd: 'loader.initrdAt',
};

/** The scenario key that sets the address of a region; undefined if there is none. */
export const placedBy = (region: string): string | undefined => own(PLACED_BY, region);

/** All tables. */
export const ALL_TABLES = { acpi: true, madt: true, mp: true } as const;

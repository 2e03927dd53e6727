/** Plain kernel state: what the model keeps outside simulated memory between boot steps; it can be written as JSON. */
import type { Va } from '../machine/address.js';
import type { MadtState } from './acpi-boot.js';
import type { AcpiState } from './acpi-tables.js';
import type { DmiState } from './dmi-scan.js';
import { freshAmdIommu, type AmdIommuState } from './amd-iommu-types.js';
import type { KernelDevice } from './dma-ops.js';
import type { E820Entry } from './e820-types.js';
import { freshEfi, type EfiState } from './efi-types.js';
import { freshConsole, type ConsoleState } from './console-state.js';
import { freshPages, type PageState } from './page-alloc.js';
import type { MpConfig } from './mpparse-types.js';
import { freshParams, type ParamState } from './param-types.js';
import type { KvmState } from './kvm-state.js';
import type { Kimage } from './kexec-types.js';
import { freshRootfs, type RootfsState } from './rootfs-types.js';

/** One function on the simulated stack. */
export interface Frame {
  readonly name: string;
  /** Where its code stands: the address it was entered at. */
  readonly at: Va;
  /** Where it returns to; the same value is on the simulated stack. */
  readonly returnsTo: Va;
}

/** A half-open range of physical addresses in bytes. */
export interface Range {
  base: number;
  size: number;
}

/** A range that somebody reserved, with who did. */
export interface OwnedRange extends Range {
  readonly owner: string;
}

/** An early mapping slot in use (mm/early_ioremap.c: prev_map, prev_size). */
export interface EarlyMapSlot {
  address: number;
  size: number;
}

/** What the command line says about the first process and its root file system (init/main.c, init/do_mounts.c). */
export interface InitState {
  /** rdinit= and init=; null where they are not given. */
  ramdiskExecuteCommand: string | null;
  executeCommand: string | null;
  /** root=; empty where it is not given. */
  savedRootName: string;
  /** rootfstype=; null where it is not given. */
  rootFsNames: string | null;
}

/** What the model keeps of a CPU while another one runs. */
export interface CpuContext {
  frames: Frame[];
  slide: number;
  /** Exceptions that are being handled. */
  nested: number;
}

export interface KernelState {
  /** Bytes between where code runs and where it was linked. */
  slide: number;
  frames: Frame[];
  /** rbp of startup_64: the load offset, with the mask in it where a hunk puts it there. */
  rbp: bigint;
  memblock: { memory: Range[]; reserved: OwnedRange[]; currentLimit: number };
  pages: PageState;
  e820: E820Entry[];
  slots: (EarlyMapSlot | null)[];
  /** _brk_end at link addresses; 0 before the first use. */
  brkEnd: number;
  brkLocked: boolean;
  pgtBuf: { end: number; top: number };
  canUseBrkPgt: boolean;
  minPfnMapped: number;
  maxPfnMapped: number;
  maxPfn: number;
  pfnMapped: { start: number; end: number }[];
  pageSizeMask: number;
  mtrrEnabled: boolean;
  bootCpuData: { vendor: string; family: number; capability: Record<string, number> };
  rootfs: RootfsState;
  init: InitState;
  microcode: { offset: number; size: number } | null;
  userPages: { name: string; va: number; pa: number }[];
  efi: EfiState;
  dmi: DmiState;
  acpi: AcpiState;
  madt: MadtState;
  /** Areas of vmalloc space in use, and where the next one goes (0: at its start). */
  vmalloc: { address: number; size: number }[];
  vmallocNext: number;
  /** iomem_resource (kernel/resource.c): its end is the last physical address that there can be. */
  iomemResource: { end: number };
  /** Devices that the PCI code found, in the order of the bus. */
  devices: KernelDevice[];
  /** Detect functions of the iommu table whose entries have IOMMU_DETECTED. */
  iommuDetected: string[];
  /** The log buffer, the consoles and the screen. */
  console: ConsoleState;
  /** Resources that probe_roms() requested, and what mpparse found. */
  roms: { name: string; start: number; end: number }[];
  mp: MpConfig;
  /** drivers/iommu/amd_iommu*.c: what no device reads. */
  amdIommu: AmdIommuState;
  /** Variables that options of the command line set. */
  params: ParamState;
  /** Whether user space runs a guest before /init. */
  guest: boolean;
  /** Virtual machines; null before KVM starts. */
  kvm: KvmState | null;
  /** kexec_image: what kexec_load() put there. */
  kexecImage: Kimage | null;
  /** Contexts of the CPUs that do not run now, by CPU number. */
  cpus: Record<number, CpuContext>;
  /** pat_init()'s static variable: the boot CPU has written the PAT. */
  patBootCpuDone: boolean;
  /** mtrr_aps_delayed_init (arch/x86/kernel/cpu/mtrr/main.c). */
  mtrrApsDelayedInit: boolean;
}

/** The state of a kernel that has not run yet. */
export function freshState(): KernelState {
  return {
    slide: 0,
    frames: [],
    rbp: 0n,
    memblock: { memory: [], reserved: [], currentLimit: Number.MAX_SAFE_INTEGER },
    pages: freshPages(),
    e820: [],
    slots: new Array<EarlyMapSlot | null>(8).fill(null),
    brkEnd: 0,
    brkLocked: false,
    pgtBuf: { end: 0, top: 0 },
    canUseBrkPgt: true,
    minPfnMapped: 0,
    maxPfnMapped: 0,
    maxPfn: 0,
    iomemResource: { end: 0 },
    pfnMapped: [],
    pageSizeMask: 0,
    mtrrEnabled: false,
    bootCpuData: { vendor: '', family: 0, capability: {} },
    rootfs: freshRootfs(),
    init: {
      ramdiskExecuteCommand: null,
      executeCommand: null,
      savedRootName: '',
      rootFsNames: null,
    },
    microcode: null,
    userPages: [],
    efi: freshEfi(),
    dmi: { available: false, version: 0, ident: {} },
    acpi: { disabled: false, permanent_mmap: false, tables: {} },
    madt: { apicIds: [], lapic: false, ioapic: false, lapicAddress: 0 },
    vmalloc: [],
    vmallocNext: 0,
    devices: [],
    iommuDetected: [],
    console: freshConsole(),
    roms: [],
    mp: { mpfFound: null, foundConfig: false, processors: [], lapic: 0 },
    amdIommu: freshAmdIommu(),
    params: freshParams(),
    guest: false,
    kvm: null,
    kexecImage: null,
    cpus: {},
    patBootCpuDone: false,
    mtrrApsDelayedInit: false,
  };
}

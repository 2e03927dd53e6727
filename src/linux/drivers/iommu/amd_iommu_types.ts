/** drivers/iommu/amd_iommu_types.h: the driver's constants and structures. Those that the IOMMU reads are in simulated memory. */
import type { Va } from '../../../machine/address.js';
import { stateSlice } from '../../../kernel/state.js';
import { bodies, inline } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';
import type { Variable } from '../../../kernel/variables.js';

/** Registers, by their offsets. */
export const MMIO = {
  DEV_TABLE: 0x0,
  CMD_BUF: 0x8,
  EVT_BUF: 0x10,
  CONTROL: 0x18,
  EXT_FEATURES: 0x30,
  CMD_HEAD: 0x2000,
  CMD_TAIL: 0x2008,
  EVT_HEAD: 0x2010,
  EVT_TAIL: 0x2018,
  STATUS: 0x2020,
  /** Bytes to map without and with performance counters. */
  CNTR_CONF: 0x4000,
  REG_END: 0x8_0000,
} as const;
export const MMIO_STATUS_EVT_INT_MASK = 1 << 1;
/** MMIO_CMD_SIZE_512 and EVT_LEN_MASK: rings of 2^9 entries. */
export const SIZE_512 = 9n << 56n;

/** Bits of the control register, by number. */
export const CONTROL = {
  IOMMU_EN: 0,
  HT_TUN_EN: 1,
  EVT_LOG_EN: 2,
  EVT_INT_EN: 3,
  INV_TIMEOUT: 5,
  PASSPW_EN: 8,
  RESPASSPW_EN: 9,
  COHERENT_EN: 10,
  ISOC_EN: 11,
  CMDBUF_EN: 12,
} as const;
export const CTRL_INV_TO_MASK = 7 << CONTROL.INV_TIMEOUT;
export const CTRL_INV_TO_1S = 4;

/** Bits of the extended feature register that the driver tests, by number, and the names that it prints. */
export const FEATURE = { PPR: 1, GT: 4, IA: 6, PC: 9 } as const;
export const FEATURE_NAMES = ['PreF', 'PPR', 'X2APIC', 'NX', 'GT', '[5]', 'IA', 'GA', 'HE', 'PC'];
/** Bits of the capability header, by number. */
export const IOMMU_CAP = { IOTLB: 24, NPCACHE: 26, EFR: 27 } as const;
export const MMIO_CAP_HDR_OFFSET = 0;

export const CMD_SIZE = 16;
export const CMD_BUFFER_SIZE = 8192;
export const EVENT_ENTRY_SIZE = 16;
export const EVT_BUFFER_SIZE = 8192;
export const CMD = {
  COMPL_WAIT: 1,
  INV_DEV_ENTRY: 2,
  INV_IOMMU_PAGES: 3,
  INV_IRT: 5,
  INV_ALL: 8,
} as const;
export const CMD_COMPL_WAIT_STORE_MASK = 1;
export const CMD_INV_IOMMU_PAGES_SIZE_MASK = 1;
export const CMD_INV_IOMMU_PAGES_PDE_MASK = 2;
export const CMD_INV_IOMMU_ALL_PAGES_ADDRESS = 0x7fff_ffff_ffff_ffffn;

/** Device table entries: bits numbered over all four quadwords. */
export const DEV_TABLE_ENTRY_SIZE = 32;
export const ALIAS_TABLE_ENTRY_SIZE = 2;
export const RLOOKUP_TABLE_ENTRY_SIZE = 8;
export const MAX_DEV_TABLE_ENTRIES = 0xffff;
export const DEV_ENTRY = {
  VALID: 0x00,
  TRANSLATION: 0x01,
  IW: 0x3e,
  EX: 0x67,
  SYSMGT1: 0x68,
  SYSMGT2: 0x69,
  IRQ_TBL_EN: 0x80,
  INIT_PASS: 0xb8,
  EINT_PASS: 0xb9,
  NMI_PASS: 0xba,
  LINT0_PASS: 0xbe,
  LINT1_PASS: 0xbf,
} as const;
export const DEV_ENTRY_MODE_SHIFT = 9n;
export const DTE_FLAG_MASK = 0x3ffn << 32n;

/** Page table entries. */
export const IOMMU_PTE_P = 1n << 0n;
export const IOMMU_PTE_TV = 1n << 1n;
export const IOMMU_PTE_FC = 1n << 60n;
export const IOMMU_PTE_IR = 1n << 61n;
export const IOMMU_PTE_IW = 1n << 62n;
export const IOMMU_PAGE_MASK = ((1n << 52n) - 1n) & ~0xfffn;
export const IOMMU_PROT_IR = 1;
export const IOMMU_PROT_IW = 2;
export const PAGE_MODE_NONE = 0;
export const PAGE_MODE_2_LEVEL = 2;
export const PAGE_MODE_6_LEVEL = 6;
/** PM_LEVEL_SIZE: the highest address that tables of `mode` levels can map. */
export const PM_LEVEL_SIZE = (mode: number): bigint =>
  mode < 6 ? (1n << BigInt(12 + mode * 9)) - 1n : (1n << 64n) - 1n;
export const PM_LEVEL_INDEX = (level: number, address: bigint): number =>
  Number((address >> BigInt(12 + level * 9)) & 0x1ffn);
const PM_LEVEL_ENC = (level: number): bigint => (BigInt(level) << 9n) & 0xe00n;
/** An entry that points to a table of level `level`. */
export const PM_LEVEL_PDE = (level: number, address: bigint): bigint =>
  address | PM_LEVEL_ENC(level) | IOMMU_PTE_P | IOMMU_PTE_IR | IOMMU_PTE_IW;
export const PM_PTE_LEVEL = (pte: bigint): number => Number((pte >> 9n) & 7n);

/** The aperture of a domain: ranges of 128 MiB. */
export const APERTURE_RANGE_SHIFT = 27;
export const APERTURE_RANGE_SIZE = 2 ** APERTURE_RANGE_SHIFT;
export const APERTURE_RANGE_PAGES = APERTURE_RANGE_SIZE / 4096;
export const APERTURE_MAX_RANGES = 32;
export const APERTURE_PAGE_INDEX = (address: number): number =>
  Math.floor(address / 2 ** 21) & 0x3f;

export const MAX_DOMAIN_ID = 65536;
/** asm/msidef.h: lowest address of interrupt messages. */
export const MSI_ADDR_BASE_LO = 0xfee0_0000;

/** struct amd_iommu. */
export interface AmdIommuInstance {
  /** Address of the structure, for the reverse lookup table (kzalloc(); a whole page is our choice). */
  readonly at: Va;
  readonly index: number;
  readonly devid: number;
  readonly cap_ptr: number;
  readonly acpi_flags: number;
  readonly mmio_phys: number;
  readonly mmio_base: Va;
  readonly cmd_buf: Va;
  readonly evt_buf: Va;
  cap: number;
  features: bigint;
  need_sync: boolean;
  int_enabled: boolean;
}

/** struct aperture_range. */
export interface ApertureRange {
  /** One page, with a bit for each page of the range. */
  readonly bitmap: Va;
  readonly offset: number;
  next_bit: number;
  /** Leaf tables by their index in the range; 0 where there is none yet. */
  pte_pages: number[];
}

/** struct protection_domain and struct dma_ops_domain. */
export interface ProtectionDomain {
  readonly id: number;
  mode: number;
  pt_root: Va;
  updated: boolean;
  /** Device ids in the domain, the last attached first. */
  dev_list: number[];
  /** Number of attached devices of each IOMMU. */
  dev_iommu: number[];
  aperture_size: number;
  /** *next_index; one for each CPU in the driver, one in all here. */
  next_index: number;
  aperture: ApertureRange[];
}

/** struct iommu_dev_data. */
export interface IommuDevData {
  readonly devid: number;
  readonly alias: number;
  /** Index of its domain; null where it is not attached. */
  domain: number | null;
}

/** enum iommu_init_state. */
export type IommuInitState =
  | 'IOMMU_START_STATE'
  | 'IOMMU_IVRS_DETECTED'
  | 'IOMMU_ACPI_FINISHED'
  | 'IOMMU_ENABLED'
  | 'IOMMU_PCI_INIT'
  | 'IOMMU_INTERRUPTS_EN'
  | 'IOMMU_DMA_OPS'
  | 'IOMMU_INITIALIZED'
  | 'IOMMU_NOT_FOUND'
  | 'IOMMU_INIT_ERROR';

/** The driver's state that no device reads. */
export interface AmdIommuState {
  init_state: IommuInitState;
  /** amd_iommu_detected */
  detected: boolean;
  /** amd_iommu_irq_remap and irq_remapping_enabled */
  irq_remap: boolean;
  irq_remapping_enabled: boolean;
  last_bdf: number;
  dev_table_size: number;
  /** ioapic_map: device ids by I/O APIC id, in the order of the table. */
  ioapic_map: { id: number; devid: number }[];
  iommus: AmdIommuInstance[];
  domains: ProtectionDomain[];
  dev_data: IommuDevData[];
}

declare module '../../../kernel/state.js' {
  interface KernelState {
    /** drivers/iommu/amd_iommu*.c: what no device reads. */
    amdIommu: AmdIommuState;
  }
}
export const amdIommuState = stateSlice(() => ({
  amdIommu: {
    init_state: 'IOMMU_START_STATE',
    detected: false,
    irq_remap: false,
    irq_remapping_enabled: false,
    last_bdf: 0,
    dev_table_size: 0,
    ioapic_map: [],
    iommus: [],
    domains: [],
    dev_data: [],
  },
}));

const pointer = (name: string): Variable => ({
  name,
  size: 8,
  align: 8,
  section: '.bss',
  file: 'drivers/iommu/amd_iommu_init.c',
});

/** Pointers to the tables that all IOMMUs share. */
export const amdIommuVariables: readonly Variable[] = [
  pointer('amd_iommu_dev_table'),
  pointer('amd_iommu_alias_table'),
  pointer('amd_iommu_rlookup_table'),
  pointer('amd_iommu_pd_alloc_bitmap'),
];

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Address of the table that an entry points to. */
    IOMMU_PTE_PAGE(k: Kernel, pte: bigint): Va;
  }
}

export const amdIommuTypes = bodies({
  IOMMU_PTE_PAGE: inline((k: Kernel, pte: bigint) => k.__va(Number(pte & IOMMU_PAGE_MASK))),
});

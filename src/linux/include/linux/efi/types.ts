/** include/linux/efi.h and asm/efi.h: EFI state of the kernel outside simulated memory, and constants. */
import { va } from '../../../../machine/address.js';
import { stateSlice } from '../../../../kernel/state.js';

/** Bits of efi.flags (include/linux/efi.h). */
export type EfiFlag =
  | 'EFI_BOOT'
  | 'EFI_SYSTEM_TABLES'
  | 'EFI_CONFIG_TABLES'
  | 'EFI_RUNTIME_SERVICES'
  | 'EFI_MEMMAP'
  | 'EFI_64BIT'
  | 'EFI_DBG'
  | 'EFI_OLD_MEMMAP'
  | 'EFI_NX_PE_DATA';

/** Members of struct efi that configuration tables fill: physical addresses. */
export type EfiTable = 'acpi20' | 'acpi' | 'smbios' | 'smbios3' | 'esrt' | 'properties_table';

/** Fields of the system table that are copied and read later (arch/x86/platform/efi/efi.c: efi_systab). */
export interface EfiSystab {
  signature: bigint;
  revision: number;
  fw_vendor: bigint;
  runtime: bigint;
  nr_tables: number;
  tables: bigint;
}

/** struct efi_memory_map; sizes in bytes. */
export interface EfiMemoryMap {
  phys_map: number;
  nr_map: number;
  desc_size: number;
  desc_version: number;
  /** Virtual address of its mapping; 0 if it is not mapped. */
  map: number;
}

/** efi_memory_desc_t as saved for the next kernel (kexec). */
export interface SavedMemoryDesc {
  readonly type: number;
  readonly phys_addr: number;
  readonly virt_addr: bigint;
  readonly num_pages: number;
  readonly attribute: bigint;
}

export interface EfiState {
  flags: EfiFlag[];
  /** efi_phys.systab. */
  physSystab: number;
  /** efi_phys.set_virtual_address_map. */
  physSetVirtualAddressMap: bigint;
  systab: EfiSystab | null;
  /** efi.systab once the firmware has virtual addresses; 0 is a NULL pointer. */
  virtSystab: bigint;
  tables: Partial<Record<EfiTable, number>>;
  memmap: EfiMemoryMap;
  /** efi_setup: physical address of the SETUP_EFI data that an earlier kernel passed (kexec); 0 if there are none. */
  efi_setup: number;
  /** efi_runtime_map, which sysfs shows: kmalloc'd in the kernel, plain state here (our choice: no slab is modelled). */
  runtimeMap: SavedMemoryDesc[];
  /** efi_pgd, a direct-map address; 0 before it is allocated. */
  efi_pgd: number;
  /** efi_scratch. */
  scratch: { efi_pgt: bigint; use_pgd: boolean; phys_stack: number };
  /** Entries of init_level4_pgt that efi_call_phys_prolog() has replaced (efi=old_map). */
  save_pgd: bigint[];
  /** efi_va: regions are placed downwards from this address. */
  efi_va: number;
  /** esrt_data and esrt_data_size. */
  esrt: { data: number; size: number };
  /** bgrt_image and bgrt_image_size: a physical address of the kernel's copy. */
  bgrt: { image: number; size: number };
}

/** asm/pgtable_64_types.h: the virtual addresses for EFI regions, used from the top down. */
export const EFI_VA_START = va(-4 * 2 ** 30);
export const EFI_VA_END = va(-68 * 2 ** 30);

/** EFI_SUCCESS (UEFI appendix D). */
export const EFI_SUCCESS = 0n;

declare module '../../../../kernel/state.js' {
  interface KernelState {
    efi: EfiState;
  }
}
export const efiState = stateSlice(() => ({
  efi: {
    flags: [],
    physSystab: 0,
    physSetVirtualAddressMap: 0n,
    systab: null,
    virtSystab: 0n,
    tables: {},
    memmap: { phys_map: 0, nr_map: 0, desc_size: 0, desc_version: 0, map: 0 },
    efi_setup: 0,
    runtimeMap: [],
    efi_pgd: 0,
    scratch: { efi_pgt: 0n, use_pgd: false, phys_stack: 0 },
    save_pgd: [],
    efi_va: EFI_VA_START,
    esrt: { data: 0, size: 0 },
    bgrt: { image: 0, size: 0 },
  },
}));

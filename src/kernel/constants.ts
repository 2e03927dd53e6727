/**
 * The kernel's numbers at the base commit, under its own names.
 * Virtual addresses are signed doubles (machine/address.ts).
 */
import { va } from '../machine/address.js';
import { MSR } from '../machine/cpu/msr.js';
import { CR0, CR4, EFER } from '../machine/cpu/registers.js';

/** arch/x86/include/asm/page_64_types.h: where physical memory is mapped. */
export const PAGE_OFFSET = va(-0x7800_0000_0000);
/** arch/x86/include/asm/page_64_types.h: where the kernel image is mapped. */
export const __START_KERNEL_map = va(-0x8000_0000);
/** arch/x86/include/asm/page_64_types.h: 512 MiB of kernel mapping. */
export const KERNEL_IMAGE_SIZE = 512 * 1024 * 1024;
/** arch/x86/include/asm/pgtable_64_types.h: the direct map's size in bytes (64 TiB). */
export const MAXMEM = 2 ** 46;
/** arch/x86/include/asm/page_64_types.h and sparsemem.h. */
export const MAX_PHYSMEM_BITS = 46;
/** arch/x86/include/asm/page_types.h: PHYSICAL_PAGE_MASK, bits 45:12. */
export const PTE_PFN_MASK = 0x0000_3fff_ffff_f000n;
/** arch/x86/include/asm/e820.h: the end of the ISA range. */
export const ISA_END_ADDRESS = 0x10_0000;

export const PTRS_PER_TABLE = 512;
export const EARLY_DYNAMIC_PAGE_TABLES = 64;
export const COMMAND_LINE_SIZE = 2048;
export const NUM_EXCEPTION_VECTORS = 32;
/** arch/x86/include/asm/segment.h: bytes of one early handler's stub. */
export const EARLY_IDT_HANDLER_SIZE = 9;
export const __KERNEL_CS = 0x10;
export const THREAD_SIZE = 16384;

/** arch/x86/include/asm/pgtable_types.h: the bits of an entry. */
export const _PAGE_PRESENT = 1n << 0n;
export const _PAGE_RW = 1n << 1n;
export const _PAGE_USER = 1n << 2n;
export const _PAGE_PWT = 1n << 3n;
export const _PAGE_PCD = 1n << 4n;
export const _PAGE_ACCESSED = 1n << 5n;
export const _PAGE_DIRTY = 1n << 6n;
export const _PAGE_PSE = 1n << 7n;
export const _PAGE_PAT = 1n << 7n;
export const _PAGE_GLOBAL = 1n << 8n;
export const _PAGE_PROTNONE = _PAGE_GLOBAL;
export const _PAGE_PAT_LARGE = 1n << 12n;
export const _PAGE_NX = 1n << 63n;
export const _PAGE_CACHE_MASK = _PAGE_PAT | _PAGE_PCD | _PAGE_PWT;

export const __PAGE_KERNEL_EXEC =
  _PAGE_PRESENT | _PAGE_RW | _PAGE_DIRTY | _PAGE_ACCESSED | _PAGE_GLOBAL;
export const __PAGE_KERNEL = __PAGE_KERNEL_EXEC | _PAGE_NX;
export const __PAGE_KERNEL_LARGE = __PAGE_KERNEL | _PAGE_PSE;
export const __PAGE_KERNEL_LARGE_EXEC = __PAGE_KERNEL_EXEC | _PAGE_PSE;
/** The two flag sets of tables in the base; patch 06 names them __PAGE_TABLE and __KERNPG_TABLE. */
export const __PAGE_TABLE = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY;
export const __KERNPG_TABLE = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY;

/** enum page_cache_mode (arch/x86/include/asm/pgtable_types.h). */
export const PAGE_CACHE_MODE = { WB: 0, WC: 1, UC_MINUS: 2, UC: 3, WT: 4, WP: 5 } as const;
export const _PAGE_CACHE_MODE_NUM = 8;

/** Control-register bits (asm/processor-flags.h). */
export const X86_CR0_PE = CR0.PE;
export const X86_CR0_MP = CR0.MP;
export const X86_CR0_EM = CR0.EM;
export const X86_CR0_TS = CR0.TS;
export const X86_CR0_ET = CR0.ET;
export const X86_CR0_NE = CR0.NE;
export const X86_CR0_WP = CR0.WP;
export const X86_CR0_AM = CR0.AM;
export const X86_CR0_CD = CR0.CD;
export const X86_CR0_PG = CR0.PG;
export const X86_CR4_PSE = CR4.PSE;
export const X86_CR4_PAE = CR4.PAE;
export const X86_CR4_PGE = CR4.PGE;
/** head_64.S: what startup_64 leaves in CR0. */
export const CR0_STATE =
  X86_CR0_PE + X86_CR0_MP + X86_CR0_ET + X86_CR0_NE + X86_CR0_WP + X86_CR0_AM + X86_CR0_PG;

/** MSR numbers under the kernel's names (asm/msr-index.h). */
export const MSR_EFER = MSR.EFER;
export const MSR_STAR = MSR.STAR;
export const MSR_LSTAR = MSR.LSTAR;
export const MSR_CSTAR = MSR.CSTAR;
export const MSR_SYSCALL_MASK = MSR.SF_MASK;
export const MSR_FS_BASE = MSR.FS_BASE;
export const MSR_GS_BASE = MSR.GS_BASE;
export const MSR_KERNEL_GS_BASE = MSR.KERNEL_GS_BASE;
export const MSR_TSC_AUX = MSR.TSC_AUX;
export const MSR_IA32_SYSENTER_CS = MSR.SYSENTER_CS;
export const MSR_IA32_SYSENTER_ESP = MSR.SYSENTER_ESP;
export const MSR_IA32_SYSENTER_EIP = MSR.SYSENTER_EIP;
export const MSR_IA32_MISC_ENABLE = MSR.MISC_ENABLE;
export const MSR_IA32_CR_PAT = MSR.PAT;
export const MSR_MTRRdefType = MSR.MTRRdefType;
export const MSR_K8_SYSCFG = MSR.SYSCFG;
export const MSR_VM_CR = MSR.VM_CR;
export const MSR_VM_HSAVE_PA = MSR.VM_HSAVE_PA;
export const EFER_SCE = BigInt(EFER.SCE);
export const EFER_NX = BigInt(EFER.NXE);
export const EFER_SVME = BigInt(EFER.SVME);

/** enum fixed_addresses (asm/fixmap.h), as the base configuration numbers them. */
export const FIXADDR_TOP = va(0xff7f_f000 - 2 ** 32);
/** After the vsyscall page (511), FIX_DBGP_BASE and FIX_EARLYCON_MEM_BASE. */
export const FIX_APIC_BASE = 514;
export const NR_FIX_BTMAPS = 64;
export const FIX_BTMAPS_SLOTS = 8;
export const FIX_BTMAP_END = 1024;
export const FIX_BTMAP_BEGIN = FIX_BTMAP_END + NR_FIX_BTMAPS * FIX_BTMAPS_SLOTS - 1;

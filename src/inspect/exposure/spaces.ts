/** The parts of the kernel's address space at the base commit (Documentation/x86/x86_64/mm.txt). */
import {
  __START_KERNEL_map,
  FIXADDR_TOP,
  FIX_BTMAP_BEGIN,
  MAXMEM,
  PAGE_OFFSET,
} from '../../kernel/constants.js';
import { ESPFIX_BASE_ADDR } from '../../linux/arch/x86/kernel/espfix_64.js';
import { VMALLOC_START } from '../../linux/arch/x86/mm/ioremap/late.js';
import { EFI_VA_END, EFI_VA_START } from '../../linux/include/linux/efi/types.js';
import { PAGE_SIZE, PGDIR_SIZE, va } from '../../machine/address.js';

/** The last byte of vmalloc space, ffffe8ffffffffff (mm.txt). */
const VMALLOC_END = va(-0x1700_0000_0001);
/** Start of the early fixmap's slots (asm/fixmap.h: fix_to_virt(FIX_BTMAP_BEGIN)). */
const FIXMAP_START = va(FIXADDR_TOP - FIX_BTMAP_BEGIN * PAGE_SIZE);

/** The part that a virtual address is in, in words; `at === address` is an identity mapping. */
export function spaceOf(at: number, address: number): string {
  if (at >= 0) return at === address ? 'its physical address' : 'a low virtual address';
  if (at >= PAGE_OFFSET && at < PAGE_OFFSET + MAXMEM) return 'the direct map';
  if (at >= FIXMAP_START) return 'the fixmap';
  if (at >= __START_KERNEL_map) return 'the kernel mapping';
  if (at >= VMALLOC_START && at <= VMALLOC_END) return 'ioremap or vmalloc space';
  if (at >= EFI_VA_END && at < EFI_VA_START) return 'the EFI mapping';
  if (at >= ESPFIX_BASE_ADDR && at < ESPFIX_BASE_ADDR + PGDIR_SIZE) return 'the espfix area';
  return 'another virtual address';
}

/** mm/mmap.c: the page protections of user memory. */
import { va } from '../../machine/address.js';
import {
  _PAGE_ACCESSED,
  _PAGE_NX,
  _PAGE_PRESENT,
  _PAGE_PROTNONE,
  _PAGE_RW,
  _PAGE_USER,
} from '../../kernel/constants.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';
import { quads, type Variable } from '../../kernel/variables.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** protection_map[] by VM_READ | VM_WRITE | VM_EXEC | VM_SHARED. */
    vm_get_page_prot(k: Kernel, vmFlags: number): bigint;
  }
}

/** include/linux/mm.h */
export const VM = { READ: 1, WRITE: 2, EXEC: 4, SHARED: 8 } as const;

const NONE = _PAGE_PROTNONE | _PAGE_ACCESSED;
const READONLY_EXEC = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;
const READONLY = READONLY_EXEC | _PAGE_NX;
const SHARED_EXEC = READONLY_EXEC | _PAGE_RW;
const SHARED = SHARED_EXEC | _PAGE_NX;

/** __P000…__P111, __S000…__S111 (asm/pgtable_types.h): private writable pages are copied, so they start read-only. */
export const PROTECTION_MAP: readonly bigint[] = [
  ...[NONE, READONLY, READONLY, READONLY],
  ...[READONLY_EXEC, READONLY_EXEC, READONLY_EXEC, READONLY_EXEC],
  ...[NONE, READONLY, SHARED, SHARED],
  ...[READONLY_EXEC, READONLY_EXEC, SHARED_EXEC, SHARED_EXEC],
];

export const mmap = bodies({
  vm_get_page_prot: inline((k: Kernel, vmFlags: number) =>
    k.readU64(va(k.sym('protection_map') + (vmFlags & 15) * 8)),
  ),
});

export const mmapVariables: readonly Variable[] = [
  {
    name: 'protection_map',
    mask: true,
    size: 16 * 8,
    align: 8,
    section: '.data',
    file: 'mm/mmap.c',
    init: () => quads(PROTECTION_MAP),
  },
];

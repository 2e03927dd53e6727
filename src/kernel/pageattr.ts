/** arch/x86/mm/pageattr.c: changing the attributes of mappings that exist. */
import type { Va } from '../machine/address.js';
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    /** Each returns 0 or a negative errno. */
    set_memory_nx(k: Kernel, address: Va, numpages: number): number;
    set_memory_x(k: Kernel, address: Va, numpages: number): number;
    set_memory_ro(k: Kernel, address: Va, numpages: number): number;
    set_memory_rw(k: Kernel, address: Va, numpages: number): number;
    set_memory_4k(k: Kernel, address: Va, numpages: number): number;
    /** Maps pages in a page-global directory that is not the kernel's own; 0 or a negative errno. */
    kernel_map_pages_in_pgd(
      k: Kernel,
      pgd: Va,
      pfn: number,
      address: number,
      numpages: number,
      pageFlags: bigint,
    ): number;
  }
}

const none = (): number => 0;

export const pageattr = kernelFile('arch/x86/mm/pageattr.c', {
  set_memory_nx: label(none),
  set_memory_x: label(none),
  set_memory_ro: label(none),
  set_memory_rw: label(none),
  set_memory_4k: label(none),
  kernel_map_pages_in_pgd: label(none),
});

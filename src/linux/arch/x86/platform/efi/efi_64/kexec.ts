/** arch/x86/platform/efi/efi_64.c: EFI in a kernel that was entered by kexec. */
import { SETUP_DATA } from '../../../../../../firmware/efi/layout.js';
import type { EfiMemoryDesc } from '../../../../../include/linux/efi/memmap.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    parse_efi_setup(k: Kernel, physAddr: bigint): void;
    efi_map_region_fixed(k: Kernel, md: EfiMemoryDesc): void;
  }
}

export const efi64Kexec = bodies({
  parse_efi_setup: inline((k: Kernel, physAddr: bigint) => {
    k.state.efi.efi_setup = Number(physAddr) + SETUP_DATA.data;
  }),

  efi_map_region_fixed: inline((k: Kernel, md: EfiMemoryDesc) => {
    k.fn.__map_region(md, Number(BigInt.asIntN(64, md.virt_addr)));
  }),
});

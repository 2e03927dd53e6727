/** arch/x86/kernel/setup.c: detects a boot from EFI firmware. */
import { EFI64_LOADER_SIGNATURE } from '../../../../../firmware/efi/layout.js';
import { set_bit } from '../../../../include/linux/efi/memmap.js';
import { efiInfo } from '../../platform/efi/efi/early.js';
import { bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Compares the loader's signature in efi_info; on a match reserves the firmware's memory map. */
    'setup_arch:efi_boot'(k: Kernel): void;
  }
}

export const setupEfiBoot = bodies({
  'setup_arch:efi_boot': label((k: Kernel) => {
    if (efiInfo(k, 'efi_loader_signature') !== EFI64_LOADER_SIGNATURE) return;
    set_bit(k, 'EFI_BOOT');
    set_bit(k, 'EFI_64BIT');
    k.fn.efi_memblock_x86_reserve_range();
  }),
});

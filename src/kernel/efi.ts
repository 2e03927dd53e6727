/** arch/x86/platform/efi/efi.c: EFI as the kernel sees it. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    /** The loader's signature in efi_info, and efi_memblock_x86_reserve_range(). */
    'setup_arch:efi_boot'(k: Kernel): void;
    efi_init(k: Kernel): void;
    efi_reserve_boot_services(k: Kernel): void;
    efi_enter_virtual_mode(k: Kernel): void;
    efi_late_init(k: Kernel): void;
    efi_free_boot_services(k: Kernel): void;
  }
}

export const efi = kernelFile('arch/x86/platform/efi/efi.c', {
  'setup_arch:efi_boot': label(() => undefined),
  efi_init: label(() => undefined),
  efi_reserve_boot_services: label(() => undefined),
  efi_enter_virtual_mode: label(() => undefined),
  efi_late_init: label(() => undefined),
  efi_free_boot_services: label(() => undefined),
});

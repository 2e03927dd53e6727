/** arch/x86/include/asm/efi.h: calls of runtime services. */
import { va } from '../../../../../machine/address.js';
import { EFI_RUNTIME_SERVICES, EFI_SYSTEM_TABLE } from '../../../../../firmware/efi/layout.js';
import { __flush_tlb_all, write_cr3 } from '../../../../../kernel/cpu-ops.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Calls a runtime service at its virtual address, with the EFI page tables loaded; returns its status. */
    efi_call_virt(
      k: Kernel,
      service: keyof typeof EFI_RUNTIME_SERVICES,
      args: readonly bigint[],
    ): bigint;
  }
}

export const efiHeader = bodies({
  efi_call_virt: inline((k: Kernel, service, args) => {
    const { scratch, virtSystab } = k.state.efi;
    k.fn.efi_sync_low_kernel_mappings();
    const prev_cr3 = k.cpu.cr3;
    if (scratch.use_pgd) {
      write_cr3(k, scratch.efi_pgt, 'efi_pgd');
      __flush_tlb_all(k);
    }
    const systab = k.canonical(virtSystab);
    const runtime = k.canonical(k.readU64(va(systab + EFI_SYSTEM_TABLE.RuntimeServices)));
    const fp = k.readU64(va(runtime + EFI_RUNTIME_SERVICES[service]));
    const status = k.fn.efi_call(fp, args);
    if (scratch.use_pgd) {
      write_cr3(k, prev_cr3, 'init_level4_pgt');
      __flush_tlb_all(k);
    }
    return status;
  }),
});

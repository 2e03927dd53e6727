/** arch/x86/platform/efi/quirks.c: the configuration table of firmware that is already in virtual mode. */
import { startsWith } from '../../../../../../base/bytes.js';
import { va } from '../../../../../../machine/address.js';
import {
  EFI_CONFIGURATION_TABLE,
  EFI_GUID,
  EFI_SETUP_DATA,
} from '../../../../../../firmware/efi/layout.js';
import type { EarlyMap } from '../efi/early.js';
import { early_memremap, readEfiSetupData } from '../efi/kexec.js';
import { ENOMEM } from '../../../../../include/uapi/asm-generic/errno-base.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** 0 or a negative errno. */
    efi_reuse_config(k: Kernel): number;
    'efi_reuse_config:memremap': EarlyMap;
  }
}

export const efiQuirksKexec = bodies({
  'efi_reuse_config:memremap': inline(early_memremap),

  // Firmware may have converted the SMBIOS pointer to a virtual address: the physical one is written back to the table.
  efi_reuse_config: inline((k: Kernel) => {
    const { efi_setup, systab } = k.state.efi;
    if (efi_setup === 0 || systab === null) return 0;
    const at = k.fn['efi_reuse_config:memremap'](efi_setup, EFI_SETUP_DATA.size);
    if (at === 0) return -ENOMEM;
    const { smbios } = readEfiSetupData(k, at, 'efi_reuse_config');
    const done = (status: number): number => {
      k.fn.early_memunmap(at, EFI_SETUP_DATA.size);
      return status;
    };
    if (smbios === 0n) return done(0);
    const size = systab.nr_tables * EFI_CONFIGURATION_TABLE.size;
    const tables = k.fn['efi_reuse_config:memremap'](Number(systab.tables), size);
    if (tables === 0) {
      k.fn.printk('efi: Could not map Configuration table!');
      return done(-ENOMEM);
    }
    for (let i = 0; i < systab.nr_tables; i++) {
      const entry = va(tables + i * EFI_CONFIGURATION_TABLE.size);
      const guid = k.readBytes(entry, EFI_CONFIGURATION_TABLE.VendorTable);
      if (!startsWith(guid, EFI_GUID.SMBIOS_TABLE)) continue;
      k.writeU64(va(entry + EFI_CONFIGURATION_TABLE.VendorTable), smbios);
    }
    k.fn.early_memunmap(tables, size);
    return done(0);
  }),
});

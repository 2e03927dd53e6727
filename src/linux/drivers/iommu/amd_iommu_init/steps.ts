/** drivers/iommu/amd_iommu_init.c: the functions of the state transitions, from the IVRS to interrupts. */
import { readl } from '../amd_iommu/commands.js';
import { tableOf } from '../amd_iommu/domain.js';
import { bdf } from '../amd_iommu/events.js';
import {
  ALIAS_TABLE_ENTRY_SIZE,
  CONTROL,
  DEV_ENTRY,
  DEV_TABLE_ENTRY_SIZE,
  FEATURE_NAMES,
  IOMMU_CAP,
  MAX_DOMAIN_ID,
  MMIO,
  MMIO_CAP_HDR_OFFSET,
  RLOOKUP_TABLE_ENTRY_SIZE,
  type AmdIommuInstance,
} from '../amd_iommu_types.js';
import { ENODEV, ENOMEM } from '../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { get_order } from '../../../arch/x86/kernel/pci-dma/pci-dma.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    detect_ivrs(k: Kernel): boolean;
    early_amd_iommu_init(k: Kernel): number;
    check_ioapic_information(k: Kernel): boolean;
    iommu_init_pci(k: Kernel, iommu: AmdIommuInstance): number;
    amd_iommu_init_pci(k: Kernel): number;
    amd_iommu_enable_interrupts(k: Kernel): number;
  }
}

/** SB IOAPIC: device 14h, function 0 of bus 0. */
const IOAPIC_SB_DEVID = 0x14 << 3;

/** tbl_size(): bytes of a table with an entry for each device, rounded up to a power of two of pages. */
const tbl_size = (k: Kernel, entry: number): number =>
  4096 * 2 ** get_order((k.state.amdIommu.last_bdf + 1) * entry);

/** Allocates pages for a table and stores its address in the variable; false without memory. */
function allocTable(k: Kernel, name: string, size: number, zero: boolean): boolean {
  const at = k.fn.__get_free_pages(GFP.KERNEL, get_order(size));
  if (at === 0) return false;
  if (zero) k.memset(at, 0, size);
  k.writeU64(k.sym(name), BigInt(at));
  return true;
}

export const amdIommuSteps = bodies({
  detect_ivrs: inline((k: Kernel) => {
    const table = k.fn.acpi_get_table('IVRS');
    if (table === undefined) return false;
    k.fn.early_acpi_os_unmap_memory(table.address, table.size);
    return true;
  }),

  early_amd_iommu_init: fn((k: Kernel) => {
    const { amdIommu } = k.state;
    if (!amdIommu.detected) return -ENODEV;
    const ivrs = k.fn.acpi_get_table('IVRS');
    if (ivrs === undefined) return -ENODEV;
    const table = ivrs.address;
    k.trace.recorder.consumed('IVRS', 'early_amd_iommu_init', k.readBytes(table, ivrs.size));
    const run = (): number => {
      const found = k.fn.find_last_devid_acpi(table);
      if (found !== 0) return found;
      amdIommu.dev_table_size = tbl_size(k, DEV_TABLE_ENTRY_SIZE);
      const sizes = [
        ['amd_iommu_dev_table', amdIommu.dev_table_size, true],
        ['amd_iommu_alias_table', tbl_size(k, ALIAS_TABLE_ENTRY_SIZE), false],
        ['amd_iommu_rlookup_table', tbl_size(k, RLOOKUP_TABLE_ENTRY_SIZE), true],
        ['amd_iommu_pd_alloc_bitmap', MAX_DOMAIN_ID / 8, true],
      ] as const;
      for (const [name, size, zero] of sizes) {
        if (!allocTable(k, name, size, zero)) return -ENOMEM;
      }
      const aliases = tableOf(k, 'amd_iommu_alias_table');
      const identity = Uint16Array.from({ length: amdIommu.last_bdf + 1 }, (_, devid) => devid);
      k.writeBytes(aliases, new Uint8Array(identity.buffer));
      k.writeU8(tableOf(k, 'amd_iommu_pd_alloc_bitmap'), 1);
      const ret = k.fn.init_iommu_all(table);
      if (ret !== 0) return ret;
      if (amdIommu.irq_remap) amdIommu.irq_remap = k.fn.check_ioapic_information();
      // init_device_table(); interrupt remapping tables themselves are not modelled.
      if (amdIommu.irq_remap) k.fn['for_each_devid:set_dev_entry_bits'](DEV_ENTRY.IRQ_TBL_EN);
      return 0;
    };
    const ret = run();
    k.fn.early_acpi_os_unmap_memory(ivrs.address, ivrs.size);
    return ret;
  }),

  // The machine's only I/O APIC is the one that the table names (our choice).
  check_ioapic_information: inline((k: Kernel) => {
    const found = k.state.amdIommu.ioapic_map.some(({ devid }) => devid === IOAPIC_SB_DEVID);
    if (!found) {
      k.fn.printk('AMD-Vi: No southbridge IOAPIC found');
      k.fn.printk('AMD-Vi: Disabling interrupt remapping');
    }
    return found;
  }),

  iommu_init_pci: inline((k: Kernel, iommu: AmdIommuInstance) => {
    iommu.cap = k.fn.pci_read_config_dword(iommu.devid, iommu.cap_ptr + MMIO_CAP_HDR_OFFSET);
    const low = BigInt(readl(k, iommu, MMIO.EXT_FEATURES));
    const high = BigInt(readl(k, iommu, MMIO.EXT_FEATURES + 4));
    iommu.features = (high << 32n) | low;
    return 0;
  }),

  amd_iommu_init_pci: fn((k: Kernel) => {
    const { iommus } = k.state.amdIommu;
    for (const iommu of iommus) k.fn.iommu_init_pci(iommu);
    const ret = k.fn.amd_iommu_init_api();
    // init_device_table_dma(): blocks the DMA of devices without a domain.
    k.fn['for_each_devid:set_dev_entry_bits'](DEV_ENTRY.VALID, DEV_ENTRY.TRANSLATION);
    for (const iommu of iommus) k.fn.iommu_flush_all_caches(iommu);
    if (ret !== 0) return ret;
    // print_iommu_info()
    for (const iommu of iommus) {
      const cap = iommu.cap_ptr.toString(16);
      k.fn.printk(`AMD-Vi: Found IOMMU at 0000:${bdf(iommu.devid)} cap 0x${cap}`);
      if ((iommu.cap & (1 << IOMMU_CAP.EFR)) === 0) continue;
      const names = FEATURE_NAMES.filter((_, bit) => k.fn.iommu_feature(iommu, bit));
      k.fn.printk(['AMD-Vi:  Extended features:', ...names].join(' '));
    }
    if (k.state.amdIommu.irq_remapping_enabled) {
      k.fn.printk('AMD-Vi: Interrupt remapping enabled');
    }
    return 0;
  }),

  // iommu_init_msi(); the IOMMU's PCI function has MSI (our choice).
  amd_iommu_enable_interrupts: inline((k: Kernel) => {
    for (const iommu of k.state.amdIommu.iommus) {
      iommu.int_enabled = true;
      k.fn.iommu_feature_enable(iommu, CONTROL.EVT_INT_EN);
    }
    k.fn['do_IRQ:amd_iommu']();
    return 0;
  }),
});

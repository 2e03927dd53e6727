/** drivers/iommu/amd_iommu_init.c: the states of the driver's initialisation, from the ACPI table to DMA operations. */
import { AmdIommu } from '../../../../machine/iommu/amd-iommu.js';
import { va } from '../../../../machine/address.js';
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
  type IommuInitState,
} from '../amd_iommu_types.js';
import { EINVAL, ENODEV, ENOMEM } from '../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import {
  get_order,
  readInt,
  set_dma_ops,
  writeInt,
} from '../../../arch/x86/kernel/pci-dma/pci-dma.js';
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
    amd_iommu_init_dma_ops(k: Kernel): number;
    iommu_go_to_state(k: Kernel, state: IommuInitState): number;
    amd_iommu_prepare(k: Kernel): number;
    amd_iommu_enable(k: Kernel): number;
    amd_iommu_init(k: Kernel): number;
    /** 1 where the firmware describes an IOMMU, else a negative errno. */
    amd_iommu_detect(k: Kernel): number;
    /** irq_remapping_prepare() and irq_remapping_enable() as enable_IR_x2apic() calls them. */
    enable_IR_x2apic(k: Kernel): void;
    /** Configuration space of a function: capability blocks of IOMMUs only. */
    pci_read_config_dword(k: Kernel, devid: number, offset: number): number;
  }
}

/** SB IOAPIC: device 14h, function 0 of bus 0. */
const IOAPIC_SB_DEVID = 0x14 << 3;

/** tbl_size(): bytes of a table with an entry for each device, in whole orders of pages. */
const tbl_size = (k: Kernel, entry: number): number =>
  4096 * 2 ** get_order((k.state.amdIommu.last_bdf + 1) * entry);

/** Takes pages for a table and keeps where it is in the variable; false where there is no memory. */
function allocTable(k: Kernel, name: string, size: number, zero: boolean): boolean {
  const at = k.fn.__get_free_pages(GFP.KERNEL, get_order(size));
  if (at === 0) return false;
  if (zero) k.memset(at, 0, size);
  k.writeU64(k.sym(name), BigInt(at));
  return true;
}

/** One step of state_next(): the state to go on from, and what it returns. */
type Next = (k: Kernel) => { state: IommuInitState; ret: number };

const stop: Next = (k) => ({ state: k.state.amdIommu.init_state, ret: -EINVAL });
const step =
  (run: (k: Kernel) => number, state: IommuInitState): Next =>
  (k) => {
    const ret = run(k);
    return { state: ret === 0 ? state : 'IOMMU_INIT_ERROR', ret };
  };

const STATE_NEXT: Readonly<Record<IommuInitState, Next>> = {
  IOMMU_START_STATE: (k) =>
    k.fn.detect_ivrs()
      ? { state: 'IOMMU_IVRS_DETECTED', ret: 0 }
      : { state: 'IOMMU_NOT_FOUND', ret: -ENODEV },
  IOMMU_IVRS_DETECTED: step((k) => k.fn.early_amd_iommu_init(), 'IOMMU_ACPI_FINISHED'),
  IOMMU_ACPI_FINISHED: step((k) => {
    k.fn.early_enable_iommus();
    return 0;
  }, 'IOMMU_ENABLED'),
  // enable_iommus_v2() finds neither page requests nor guest translation.
  IOMMU_ENABLED: step((k) => k.fn.amd_iommu_init_pci(), 'IOMMU_PCI_INIT'),
  IOMMU_PCI_INIT: step((k) => k.fn.amd_iommu_enable_interrupts(), 'IOMMU_INTERRUPTS_EN'),
  IOMMU_INTERRUPTS_EN: step((k) => k.fn.amd_iommu_init_dma_ops(), 'IOMMU_DMA_OPS'),
  IOMMU_DMA_OPS: () => ({ state: 'IOMMU_INITIALIZED', ret: 0 }),
  IOMMU_INITIALIZED: (k) => ({ state: k.state.amdIommu.init_state, ret: 0 }),
  IOMMU_NOT_FOUND: stop,
  IOMMU_INIT_ERROR: stop,
};

export const amdIommuInit = bodies({
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
      const own = Uint16Array.from({ length: amdIommu.last_bdf + 1 }, (_, devid) => devid);
      k.writeBytes(aliases, new Uint8Array(own.buffer));
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

  // The I/O APICs that the kernel knows are those of the machine: the one that the table names (our choice).
  check_ioapic_information: inline((k: Kernel) => {
    const found = k.state.amdIommu.ioapic_map.some(({ devid }) => devid === IOAPIC_SB_DEVID);
    if (!found) {
      k.trace.console('AMD-Vi: No southbridge IOAPIC found');
      k.trace.console('AMD-Vi: Disabling interrupt remapping');
    }
    return found;
  }),

  pci_read_config_dword: inline((k: Kernel, devid: number, offset: number) => {
    const device = k.machine.bus.all.find(
      (one) => one instanceof AmdIommu && one.requester === devid,
    );
    // PCI: a function that is not there reads as all ones.
    return device instanceof AmdIommu ? device.configRead(offset) : 0xffff_ffff;
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
    // init_device_table_dma(): devices without a domain get nowhere.
    k.fn['for_each_devid:set_dev_entry_bits'](DEV_ENTRY.VALID, DEV_ENTRY.TRANSLATION);
    for (const iommu of iommus) k.fn.iommu_flush_all_caches(iommu);
    if (ret !== 0) return ret;
    // print_iommu_info()
    for (const iommu of iommus) {
      const cap = iommu.cap_ptr.toString(16);
      k.trace.console(`AMD-Vi: Found IOMMU at 0000:${bdf(iommu.devid)} cap 0x${cap}`);
      if ((iommu.cap & (1 << IOMMU_CAP.EFR)) === 0) continue;
      const names = FEATURE_NAMES.filter((_, bit) => k.fn.iommu_feature(iommu, bit));
      k.trace.console(['AMD-Vi:  Extended features:', ...names].join(' '));
    }
    if (k.state.amdIommu.irq_remapping_enabled) {
      k.trace.console('AMD-Vi: Interrupt remapping enabled');
    }
    return 0;
  }),

  // iommu_init_msi(); that the function has MSI is our choice.
  amd_iommu_enable_interrupts: inline((k: Kernel) => {
    for (const iommu of k.state.amdIommu.iommus) {
      iommu.int_enabled = true;
      k.fn.iommu_feature_enable(iommu, CONTROL.EVT_INT_EN);
    }
    k.fn['do_IRQ:amd_iommu']();
    return 0;
  }),

  // drivers/iommu/amd_iommu.c
  amd_iommu_init_dma_ops: fn((k: Kernel) => {
    const through = readInt(k, 'iommu_pass_through') !== 0;
    writeInt(k, 'swiotlb', through ? 1 : 0);
    writeInt(k, 'iommu_detected', 1);
    if (!through) set_dma_ops(k, 'nommu_dma_ops');
    const flush = k.state.params.amdIommuUnmapFlush;
    k.trace.console(
      flush ? 'AMD-Vi: IO/TLB flush on unmap enabled' : 'AMD-Vi: Lazy IO/TLB flushing enabled',
    );
    return 0;
  }),

  iommu_go_to_state: inline((k: Kernel, target: IommuInitState) => {
    let ret = 0;
    while (k.state.amdIommu.init_state !== target) {
      const next = STATE_NEXT[k.state.amdIommu.init_state](k);
      k.state.amdIommu.init_state = next.state;
      ret = next.ret;
      if (next.state === 'IOMMU_NOT_FOUND' || next.state === 'IOMMU_INIT_ERROR') break;
    }
    return ret;
  }),

  amd_iommu_prepare: inline((k: Kernel) => {
    k.state.amdIommu.irq_remap = true;
    const ret = k.fn.iommu_go_to_state('IOMMU_ACPI_FINISHED');
    if (ret !== 0) return ret;
    return k.state.amdIommu.irq_remap ? 0 : -ENODEV;
  }),
  amd_iommu_enable: inline((k: Kernel) => {
    const ret = k.fn.iommu_go_to_state('IOMMU_ENABLED');
    if (ret === 0) k.state.amdIommu.irq_remapping_enabled = true;
    return ret;
  }),

  amd_iommu_init: fn((k: Kernel) => {
    const ret = k.fn.iommu_go_to_state('IOMMU_INITIALIZED');
    if (ret === 0) return 0;
    const { irq_remapping_enabled, iommus, last_bdf } = k.state.amdIommu;
    if (!irq_remapping_enabled) {
      // free_on_init_error(): the tables' pages stay where they are (our choice).
      k.fn.disable_iommus();
      return ret;
    }
    // uninit_device_table_dma()
    const table = tableOf(k, 'amd_iommu_dev_table');
    for (let devid = 0; devid <= last_bdf; devid++) {
      k.writeU64(va(table + devid * DEV_TABLE_ENTRY_SIZE), 0n);
      k.writeU64(va(table + devid * DEV_TABLE_ENTRY_SIZE + 8), 0n);
    }
    for (const iommu of iommus) k.fn.iommu_flush_all_caches(iommu);
    return ret;
  }),

  amd_iommu_detect: fn((k: Kernel) => {
    if (readInt(k, 'no_iommu') !== 0 || readInt(k, 'iommu_detected') !== 0) return -ENODEV;
    if (k.state.params.amdIommuDisabled) return -ENODEV;
    const ret = k.fn.iommu_go_to_state('IOMMU_IVRS_DETECTED');
    if (ret !== 0) return ret;
    k.state.amdIommu.detected = true;
    writeInt(k, 'iommu_detected', 1);
    return 1;
  }),
});

/** The I/O APICs and x2APIC mode themselves are not modelled. */
export const apicC = bodies({
  enable_IR_x2apic: fn((k: Kernel) => {
    const { disableIrqRemap, skipIoapicSetup } = k.state.params;
    if (disableIrqRemap || k.fn.amd_iommu_prepare() !== 0) return;
    // try_to_enable_IR()
    if (skipIoapicSetup) {
      k.trace.console('Not enabling interrupt remapping due to skipped IO-APIC setup');
      return;
    }
    k.fn.amd_iommu_enable();
  }),
});

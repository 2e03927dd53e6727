/** drivers/iommu/amd_iommu_init.c, the registers: base addresses of the IOMMU's structures, and its enable bits. */
import { va } from '../../../../machine/address.js';
import { readl, writel } from '../amd_iommu/commands.js';
import { tableOf } from '../amd_iommu/domain.js';
import {
  CONTROL,
  CTRL_INV_TO_1S,
  CTRL_INV_TO_MASK,
  MMIO,
  SIZE_512,
  type AmdIommuInstance,
} from '../amd_iommu_types.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    iommu_feature_enable(k: Kernel, iommu: AmdIommuInstance, bit: number): void;
    iommu_feature_disable(k: Kernel, iommu: AmdIommuInstance, bit: number): void;
    iommu_set_device_table(k: Kernel, iommu: AmdIommuInstance): void;
    amd_iommu_reset_cmd_buffer(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_enable_command_buffer(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_enable_event_buffer(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_init_flags(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_enable(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_disable(k: Kernel, iommu: AmdIommuInstance): void;
    early_enable_iommus(k: Kernel): void;
    disable_iommus(k: Kernel): void;
  }
}

/** IVHD_FLAG_*_EN_MASK: settings that the IVHD recommends, with the control bit of each. */
const IVHD_FLAGS = [
  [0x01, CONTROL.HT_TUN_EN],
  [0x02, CONTROL.PASSPW_EN],
  [0x04, CONTROL.RESPASSPW_EN],
  [0x08, CONTROL.ISOC_EN],
] as const;

/** memcpy_toio() of a 64-bit value. */
function writeBase(k: Kernel, iommu: AmdIommuInstance, offset: number, entry: bigint): void {
  k.writeU64(va(iommu.mmio_base + offset), entry);
}

export const amdIommuHw = bodies({
  iommu_feature_enable: inline((k: Kernel, iommu: AmdIommuInstance, bit: number) => {
    writel(k, iommu, MMIO.CONTROL, (readl(k, iommu, MMIO.CONTROL) | (1 << bit)) >>> 0);
  }),
  iommu_feature_disable: inline((k: Kernel, iommu: AmdIommuInstance, bit: number) => {
    writel(k, iommu, MMIO.CONTROL, (readl(k, iommu, MMIO.CONTROL) & ~(1 << bit)) >>> 0);
  }),

  iommu_set_device_table: fn((k: Kernel, iommu: AmdIommuInstance) => {
    const table = k.fn['amd_iommu:virt_to_phys'](tableOf(k, 'amd_iommu_dev_table'));
    const pages = k.state.amdIommu.dev_table_size / 4096;
    writeBase(k, iommu, MMIO.DEV_TABLE, table | BigInt(pages - 1));
  }, true),

  amd_iommu_reset_cmd_buffer: inline((k: Kernel, iommu: AmdIommuInstance) => {
    k.fn.iommu_feature_disable(iommu, CONTROL.CMDBUF_EN);
    writel(k, iommu, MMIO.CMD_HEAD, 0);
    writel(k, iommu, MMIO.CMD_TAIL, 0);
    k.fn.iommu_feature_enable(iommu, CONTROL.CMDBUF_EN);
  }),
  iommu_enable_command_buffer: fn((k: Kernel, iommu: AmdIommuInstance) => {
    writeBase(k, iommu, MMIO.CMD_BUF, k.fn['amd_iommu:virt_to_phys'](iommu.cmd_buf) | SIZE_512);
    k.fn.amd_iommu_reset_cmd_buffer(iommu);
  }, true),
  iommu_enable_event_buffer: fn((k: Kernel, iommu: AmdIommuInstance) => {
    writeBase(k, iommu, MMIO.EVT_BUF, k.fn['amd_iommu:virt_to_phys'](iommu.evt_buf) | SIZE_512);
    writel(k, iommu, MMIO.EVT_HEAD, 0);
    writel(k, iommu, MMIO.EVT_TAIL, 0);
    k.fn.iommu_feature_enable(iommu, CONTROL.EVT_LOG_EN);
  }, true),

  iommu_init_flags: inline((k: Kernel, iommu: AmdIommuInstance) => {
    for (const [flag, bit] of IVHD_FLAGS) {
      if ((iommu.acpi_flags & flag) !== 0) k.fn.iommu_feature_enable(iommu, bit);
      else k.fn.iommu_feature_disable(iommu, bit);
    }
    k.fn.iommu_feature_enable(iommu, CONTROL.COHERENT_EN);
    // iommu_set_inv_tlb_timeout()
    const ctrl = readl(k, iommu, MMIO.CONTROL) & ~CTRL_INV_TO_MASK;
    writel(k, iommu, MMIO.CONTROL, (ctrl | (CTRL_INV_TO_1S << CONTROL.INV_TIMEOUT)) >>> 0);
  }),
  iommu_enable: inline((k: Kernel, iommu: AmdIommuInstance) => {
    k.fn.iommu_feature_enable(iommu, CONTROL.IOMMU_EN);
  }),
  iommu_disable: inline((k: Kernel, iommu: AmdIommuInstance) => {
    const { CMDBUF_EN, EVT_INT_EN, EVT_LOG_EN, IOMMU_EN } = CONTROL;
    for (const bit of [CMDBUF_EN, EVT_INT_EN, EVT_LOG_EN, IOMMU_EN]) {
      k.fn.iommu_feature_disable(iommu, bit);
    }
  }),

  // Exclusion ranges (IVMD) are not modelled: firmware gives none.
  early_enable_iommus: fn((k: Kernel) => {
    for (const iommu of k.state.amdIommu.iommus) {
      k.fn.iommu_disable(iommu);
      k.fn.iommu_init_flags(iommu);
      k.fn.iommu_set_device_table(iommu);
      k.fn.iommu_enable_command_buffer(iommu);
      k.fn.iommu_enable_event_buffer(iommu);
      k.fn.iommu_enable(iommu);
      k.fn.iommu_flush_all_caches(iommu);
    }
  }),
  disable_iommus: inline((k: Kernel) => {
    for (const iommu of k.state.amdIommu.iommus) k.fn.iommu_disable(iommu);
  }),
});

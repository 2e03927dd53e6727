/** drivers/iommu/amd_iommu_init.c: the states of the driver's initialisation (state_next, iommu_go_to_state). */
import { va } from '../../../../machine/address.js';
import { tableOf } from '../amd_iommu/domain.js';
import { DEV_TABLE_ENTRY_SIZE, type IommuInitState } from '../amd_iommu_types.js';
import { EINVAL, ENODEV } from '../../../include/uapi/asm-generic/errno-base.js';
import { readInt, writeInt } from '../../../arch/x86/kernel/pci-dma/pci-dma.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    iommu_go_to_state(k: Kernel, state: IommuInitState): number;
    amd_iommu_prepare(k: Kernel): number;
    amd_iommu_enable(k: Kernel): number;
    amd_iommu_init(k: Kernel): number;
    /** 1 where the firmware describes an IOMMU, else a negative errno. */
    amd_iommu_detect(k: Kernel): number;
  }
}

/** One step of state_next(): the next state, and the return value. */
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
  // enable_iommus_v2() does nothing: the IOMMU has neither page requests nor guest translation.
  IOMMU_ENABLED: step((k) => k.fn.amd_iommu_init_pci(), 'IOMMU_PCI_INIT'),
  IOMMU_PCI_INIT: step((k) => k.fn.amd_iommu_enable_interrupts(), 'IOMMU_INTERRUPTS_EN'),
  IOMMU_INTERRUPTS_EN: step((k) => k.fn.amd_iommu_init_dma_ops(), 'IOMMU_DMA_OPS'),
  IOMMU_DMA_OPS: () => ({ state: 'IOMMU_INITIALIZED', ret: 0 }),
  IOMMU_INITIALIZED: (k) => ({ state: k.state.amdIommu.init_state, ret: 0 }),
  IOMMU_NOT_FOUND: stop,
  IOMMU_INIT_ERROR: stop,
};

export const amdIommuInit = bodies({
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
      // free_on_init_error(): the tables' pages are not freed (our choice).
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

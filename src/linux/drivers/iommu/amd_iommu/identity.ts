/**
 * drivers/iommu/amd_iommu.c, IOMMU_DOMAIN_IDENTITY: a domain without tables, in which bus addresses are physical ones
 * (iommu=pt). The device keeps the default DMA operations.
 */
import { va, type Va } from '../../../../machine/address.js';
import {
  DEV_TABLE_ENTRY_SIZE,
  DTE_FLAG_MASK,
  IOMMU_PTE_P,
  IOMMU_PTE_TV,
  PAGE_MODE_NONE,
  PM_PTE_LEVEL,
  type IommuDevData,
  type ProtectionDomain,
} from '../amd_iommu_types.js';
import { bitmapSet, tableOf } from './domain.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** A domain without tables; null where no domain id is free. */
    'amd_iommu_domain_alloc:identity'(k: Kernel): ProtectionDomain | null;
    clear_dte_entry(k: Kernel, devid: number): void;
    detach_device(k: Kernel, data: IommuDevData): void;
    /** Frees the tables and the id of a domain of two levels. */
    amd_iommu_domain_free(k: Kernel, domain: ProtectionDomain): void;
    free_pt_l2(k: Kernel, table: Va): void;
  }
}

const ENTRIES = 512;
/** PM_PTE_LEVEL() of entries that point to no table. */
const LEAF_LEVELS = [0, 7];

export const amdIommuIdentity = bodies({
  'amd_iommu_domain_alloc:identity': inline((k: Kernel): ProtectionDomain | null => {
    const id = k.fn.domain_id_alloc();
    if (id === 0) return null;
    const domain: ProtectionDomain = {
      id,
      mode: PAGE_MODE_NONE,
      pt_root: va(0),
      updated: false,
      dev_list: [],
      dev_iommu: k.state.amdIommu.iommus.map(() => 0),
      aperture_size: 0,
      next_index: 0,
      aperture: [],
    };
    k.state.amdIommu.domains.push(domain);
    return domain;
  }),

  clear_dte_entry: inline((k: Kernel, devid: number) => {
    const entry = tableOf(k, 'amd_iommu_dev_table') + devid * DEV_TABLE_ENTRY_SIZE;
    k.writeU64(va(entry), IOMMU_PTE_P | IOMMU_PTE_TV);
    k.writeU64(va(entry + 8), k.readU64(va(entry + 8)) & DTE_FLAG_MASK);
    k.fn.amd_iommu_apply_erratum_63(devid);
  }),

  // do_detach()
  detach_device: inline((k: Kernel, data: IommuDevData) => {
    const domain = k.state.amdIommu.domains[data.domain ?? -1];
    const iommu = k.fn.rlookup_iommu(data.devid);
    if (domain === undefined || iommu === undefined) return;
    domain.dev_iommu[iommu.index] = (domain.dev_iommu[iommu.index] ?? 0) - 1;
    data.domain = null;
    domain.dev_list = domain.dev_list.filter((devid) => devid !== data.devid);
    k.fn.clear_dte_entry(data.devid);
    if (data.alias !== data.devid) k.fn.clear_dte_entry(data.alias);
    k.fn.device_flush_dte(data);
  }),

  free_pt_l2: inline((k: Kernel, table: Va) => {
    for (let i = 0; i < ENTRIES; i++) {
      const pte = k.readU64(va(table + i * 8));
      if ((pte & IOMMU_PTE_P) === 0n || LEAF_LEVELS.includes(PM_PTE_LEVEL(pte))) continue;
      k.fn.free_pages(k.fn.IOMMU_PTE_PAGE(pte), 0);
    }
    k.fn.free_pages(table, 0);
  }),

  // The bitmaps of its ranges are not freed: that is dma_ops_domain_free(), which is not called here.
  amd_iommu_domain_free: inline((k: Kernel, domain: ProtectionDomain) => {
    k.fn.free_pt_l2(domain.pt_root);
    // protection_domain_free()
    bitmapSet(k, tableOf(k, 'amd_iommu_pd_alloc_bitmap'), domain.id, 1, false);
    const { domains, dev_data } = k.state.amdIommu;
    const index = domains.indexOf(domain);
    domains.splice(index, 1);
    for (const data of dev_data) {
      if (data.domain !== null && data.domain > index) data.domain -= 1;
    }
  }),
});

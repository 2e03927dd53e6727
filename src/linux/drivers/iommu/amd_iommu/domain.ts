/** drivers/iommu/amd_iommu.c, domains: their devices, their device table entries, their ranges of bus addresses. */
import { PAGE_SIZE, va, type Va } from '../../../../machine/address.js';
import {
  APERTURE_MAX_RANGES,
  APERTURE_RANGE_PAGES,
  APERTURE_RANGE_SIZE,
  DEV_ENTRY_MODE_SHIFT,
  DEV_TABLE_ENTRY_SIZE,
  IOMMU_PTE_IR,
  IOMMU_PTE_IW,
  IOMMU_PTE_P,
  IOMMU_PTE_TV,
  MAX_DOMAIN_ID,
  MSI_ADDR_BASE_LO,
  PAGE_MODE_2_LEVEL,
  PAGE_MODE_NONE,
  RLOOKUP_TABLE_ENTRY_SIZE,
  ALIAS_TABLE_ENTRY_SIZE,
  type AmdIommuInstance,
  type ApertureRange,
  type IommuDevData,
  type ProtectionDomain,
} from '../amd_iommu_types.js';
import type { KernelDevice } from '../../../include/linux/dma-mapping/dma_map_ops.js';
import { EBUSY, EINVAL, ENOMEM } from '../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { readInt } from '../../../arch/x86/kernel/pci-dma/pci-dma.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** amd_iommu_rlookup_table[devid]; undefined for NULL. */
    rlookup_iommu(k: Kernel, devid: number): AmdIommuInstance | undefined;
    domain_id_alloc(k: Kernel): number;
    dma_ops_domain_alloc(k: Kernel): ProtectionDomain | null;
    alloc_new_range(k: Kernel, domain: ProtectionDomain, populate: boolean): number;
    dma_ops_reserve_addresses(
      k: Kernel,
      domain: ProtectionDomain,
      start: number,
      pages: number,
    ): void;
    set_dte_entry(k: Kernel, devid: number, domain: ProtectionDomain): void;
    update_device_table(k: Kernel, domain: ProtectionDomain): void;
    update_domain(k: Kernel, domain: ProtectionDomain): void;
    attach_device(k: Kernel, data: IommuDevData, domain: number): number;
    /** Whether the driver handles a device. */
    check_device(k: Kernel, dev: KernelDevice): boolean;
    amd_iommu_add_device(k: Kernel, dev: KernelDevice): number;
    /** The domain of a device; null where the driver does not handle the device. */
    get_domain(k: Kernel, dev: KernelDevice): ProtectionDomain | null;
    amd_iommu_init_api(k: Kernel): number;
  }
}

/** Value of one of the driver's pointer variables. */
export const tableOf = (k: Kernel, name: string): Va => k.canonical(k.readU64(k.sym(name)));
const dteOf = (k: Kernel, devid: number): Va =>
  va(tableOf(k, 'amd_iommu_dev_table') + devid * DEV_TABLE_ENTRY_SIZE);

/** Sets or clears bits [start, start + count) of a bitmap in memory. */
export function bitmapSet(
  k: Kernel,
  bitmap: Va,
  start: number,
  count: number,
  value: boolean,
): void {
  for (let bit = start; bit < start + count; bit++) {
    const at = va(bitmap + Math.floor(bit / 8));
    const mask = 1 << (bit % 8);
    const byte = k.readU8(at);
    k.writeU8(at, value ? byte | mask : byte & ~mask);
  }
}

export const amdIommuDomain = bodies({
  rlookup_iommu: inline((k: Kernel, devid: number) => {
    const table = tableOf(k, 'amd_iommu_rlookup_table');
    const pointer = k.readU64(va(table + devid * RLOOKUP_TABLE_ENTRY_SIZE));
    if (pointer === 0n) return undefined;
    const found = k.state.amdIommu.iommus.find((iommu) => iommu.at === k.canonical(pointer));
    return found ?? k.fn.BUG('amd_iommu_rlookup_table holds no IOMMU');
  }),

  domain_id_alloc: inline((k: Kernel) => {
    const bitmap = tableOf(k, 'amd_iommu_pd_alloc_bitmap');
    const bits = k.readBytes(bitmap, MAX_DOMAIN_ID / 8);
    const byte = bits.findIndex((value) => value !== 0xff);
    if (byte < 0) return 0;
    let id = byte * 8;
    while ((((bits[byte] ?? 0) >> (id % 8)) & 1) !== 0) id++;
    if (id === 0) k.fn.BUG('domain_id_alloc: id 0');
    bitmapSet(k, bitmap, id, 1, true);
    return id;
  }),

  dma_ops_domain_alloc: fn((k: Kernel): ProtectionDomain | null => {
    const id = k.fn.domain_id_alloc();
    if (id === 0) return null;
    const pt_root = k.fn.get_zeroed_page(GFP.KERNEL);
    if (pt_root === 0) return null;
    const domain: ProtectionDomain = {
      id,
      mode: PAGE_MODE_2_LEVEL,
      pt_root,
      updated: false,
      dev_list: [],
      dev_iommu: k.state.amdIommu.iommus.map(() => 0),
      aperture_size: 0,
      next_index: 0,
      aperture: [],
    };
    k.state.amdIommu.domains.push(domain);
    if (k.fn.alloc_new_range(domain, true) !== 0) return null;
    // The first page is reserved, so that no bus address is 0.
    const first = domain.aperture[0]?.bitmap;
    if (first !== undefined) k.writeU64(first, 1n);
    return domain;
  }),

  alloc_new_range: inline((k: Kernel, domain: ProtectionDomain, populate: boolean) => {
    if (domain.aperture.length >= APERTURE_MAX_RANGES) return -ENOMEM;
    const bitmap = k.fn.get_zeroed_page(GFP.KERNEL);
    if (bitmap === 0) return -ENOMEM;
    const offset = domain.aperture_size;
    const pages = APERTURE_RANGE_PAGES / 512;
    const range: ApertureRange = {
      bitmap,
      offset,
      next_bit: 0,
      pte_pages: new Array<number>(pages).fill(0),
    };
    for (let i = 0; populate && i < pages; i++) {
      const allocated = k.fn.alloc_pte(domain, offset + i * (APERTURE_RANGE_SIZE / pages));
      if (allocated === null) return -ENOMEM;
      range.pte_pages[i] = allocated.pte_page;
    }
    domain.aperture.push(range);
    domain.aperture_size += APERTURE_RANGE_SIZE;
    if (offset < MSI_ADDR_BASE_LO && domain.aperture_size > MSI_ADDR_BASE_LO) {
      k.fn.dma_ops_reserve_addresses(domain, MSI_ADDR_BASE_LO / PAGE_SIZE, 0x1_0000 / PAGE_SIZE);
    }
    // Reserves pages that are mapped already, one leaf table at a time.
    for (let at = offset; at < domain.aperture_size; at += 512 * PAGE_SIZE) {
      const pte = k.fn.fetch_pte(domain, at);
      if (pte === null) continue;
      const words = new DataView(k.readBytes(pte, PAGE_SIZE).buffer);
      for (let i = 0; i < 512; i++) {
        if ((words.getUint8(i * 8) & Number(IOMMU_PTE_P)) === 0) continue;
        k.fn.dma_ops_reserve_addresses(domain, at / PAGE_SIZE + i, 1);
      }
    }
    k.fn.update_domain(domain);
    return 0;
  }),

  dma_ops_reserve_addresses: inline(
    (k: Kernel, domain: ProtectionDomain, start: number, pages: number) => {
      const end = Math.min(start + pages, domain.aperture_size / PAGE_SIZE);
      for (let page = start; page < end; page++) {
        const range = domain.aperture[Math.floor(page / APERTURE_RANGE_PAGES)];
        if (range !== undefined) bitmapSet(k, range.bitmap, page % APERTURE_RANGE_PAGES, 1, true);
      }
    },
  ),

  set_dte_entry: inline((k: Kernel, devid: number, domain: ProtectionDomain) => {
    const entry = dteOf(k, devid);
    const root =
      domain.mode === PAGE_MODE_NONE ? 0n : k.fn['amd_iommu:virt_to_phys'](domain.pt_root);
    const flags = k.readU64(va(entry + 8));
    k.writeU64(va(entry + 8), (flags & ~0xffffn) | BigInt(domain.id));
    k.writeU64(
      entry,
      root |
        (BigInt(domain.mode & 7) << DEV_ENTRY_MODE_SHIFT) |
        IOMMU_PTE_IR |
        IOMMU_PTE_IW |
        IOMMU_PTE_P |
        IOMMU_PTE_TV,
    );
  }),
  update_device_table: inline((k: Kernel, domain: ProtectionDomain) => {
    for (const devid of domain.dev_list) k.fn.set_dte_entry(devid, domain);
  }),
  update_domain: inline((k: Kernel, domain: ProtectionDomain) => {
    if (!domain.updated) return;
    k.fn.update_device_table(domain);
    k.fn.domain_flush_devices(domain);
    k.fn.domain_flush_tlb_pde(domain);
    domain.updated = false;
  }),

  // ATS of devices is not modelled, and so not enabled.
  attach_device: inline((k: Kernel, data: IommuDevData, index: number) => {
    const domain = k.state.amdIommu.domains[index];
    const iommu = k.fn.rlookup_iommu(data.devid);
    if (domain === undefined || iommu === undefined) return -EINVAL;
    if (data.domain !== null) return -EBUSY;
    // do_attach()
    data.domain = index;
    domain.dev_list.unshift(data.devid);
    domain.dev_iommu[iommu.index] = (domain.dev_iommu[iommu.index] ?? 0) + 1;
    k.fn.set_dte_entry(data.devid, domain);
    if (data.alias !== data.devid) k.fn.set_dte_entry(data.alias, domain);
    k.fn.device_flush_dte(data);
    k.fn.domain_flush_tlb_pde(domain);
    return 0;
  }),

  check_device: inline((k: Kernel, dev: KernelDevice) => {
    if (dev.dmaMask === 0n || dev.devid > k.state.amdIommu.last_bdf) return false;
    return k.fn.rlookup_iommu(dev.devid) !== undefined;
  }),

  // drivers/iommu/iommu.c: a device alone in its group is attached to a new domain when it is added.
  amd_iommu_add_device: fn((k: Kernel, dev: KernelDevice) => {
    const { dev_data: known, domains } = k.state.amdIommu;
    if (!k.fn.check_device(dev) || known.some(({ devid }) => devid === dev.devid)) return 0;
    const iommu = k.fn.rlookup_iommu(dev.devid);
    if (iommu === undefined) return 0;
    // get_alias(): the alias in the IVRS; PCI has no other here.
    const aliases = tableOf(k, 'amd_iommu_alias_table');
    const alias = k.readU16(va(aliases + dev.devid * ALIAS_TABLE_ENTRY_SIZE));
    const data: IommuDevData = { devid: dev.devid, alias, domain: null };
    known.push(data);
    if (k.fn.dma_ops_domain_alloc() === null) {
      k.fn.printk('AMD-Vi: Failed to allocate');
      return -ENOMEM;
    }
    k.fn.attach_device(data, domains.length - 1);
    // amd_iommu_attach_device()
    k.fn.iommu_completion_wait(iommu);
    const passThrough = readInt(k, 'iommu_pass_through') !== 0;
    if (passThrough) k.fn.iommu_request_dm_for_dev(dev, data, iommu);
    // By the type of its current domain (IOMMU_DOMAIN_IDENTITY or IOMMU_DOMAIN_DMA).
    if (k.fn.get_domain(dev)?.mode !== PAGE_MODE_NONE) dev.dmaOps = k.sym('amd_iommu_dma_ops');
    k.fn.iommu_completion_wait(iommu);
    return 0;
  }),

  get_domain: inline((k: Kernel, dev: KernelDevice) => {
    if (!k.fn.check_device(dev)) return null;
    const { dev_data, domains } = k.state.amdIommu;
    const index = dev_data.find(({ devid }) => devid === dev.devid)?.domain ?? null;
    return index === null ? null : (domains[index] ?? null);
  }),

  // bus_set_iommu(): adds the devices on the bus.
  amd_iommu_init_api: fn((k: Kernel) => {
    for (const dev of k.state.devices) k.fn.amd_iommu_add_device(dev);
    return 0;
  }),
});

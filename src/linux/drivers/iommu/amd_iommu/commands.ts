/** drivers/iommu/amd_iommu.c, "IOMMU command queuing functions": queuing commands, and waiting for their completion. */
import { va, type Va } from '../../../../machine/address.js';
import {
  CMD,
  CMD_BUFFER_SIZE,
  CMD_COMPL_WAIT_STORE_MASK,
  CMD_INV_IOMMU_ALL_PAGES_ADDRESS,
  CMD_INV_IOMMU_PAGES_PDE_MASK,
  CMD_INV_IOMMU_PAGES_SIZE_MASK,
  CMD_SIZE,
  FEATURE,
  MAX_DEV_TABLE_ENTRIES,
  MMIO,
  type AmdIommuInstance,
  type IommuDevData,
  type ProtectionDomain,
} from '../amd_iommu_types.js';
import { EIO } from '../../../include/uapi/asm-generic/errno-base.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

/** struct iommu_cmd: four words. */
export type IommuCmd = [number, number, number, number];

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** 0, or a negative errno after LOOP_TIMEOUT iterations. */
    wait_on_sem(k: Kernel, sem: Va): number;
    copy_cmd_to_buffer(k: Kernel, iommu: AmdIommuInstance, cmd: IommuCmd, tail: number): void;
    build_completion_wait(k: Kernel, address: Va): IommuCmd;
    iommu_queue_command_sync(
      k: Kernel,
      iommu: AmdIommuInstance,
      cmd: IommuCmd,
      sync: boolean,
    ): number;
    iommu_queue_command(k: Kernel, iommu: AmdIommuInstance, cmd: IommuCmd): number;
    iommu_completion_wait(k: Kernel, iommu: AmdIommuInstance): number;
    iommu_flush_dte(k: Kernel, iommu: AmdIommuInstance, devid: number): number;
    iommu_flush_dte_all(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_flush_tlb_all(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_flush_all(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_flush_irt_all(k: Kernel, iommu: AmdIommuInstance): void;
    iommu_flush_all_caches(k: Kernel, iommu: AmdIommuInstance): void;
    device_flush_dte(k: Kernel, data: IommuDevData): number;
    __domain_flush_pages(
      k: Kernel,
      domain: ProtectionDomain,
      address: bigint,
      size: bigint,
      pde: boolean,
    ): void;
    domain_flush_pages(k: Kernel, domain: ProtectionDomain, address: bigint, size: bigint): void;
    domain_flush_tlb(k: Kernel, domain: ProtectionDomain): void;
    domain_flush_tlb_pde(k: Kernel, domain: ProtectionDomain): void;
    domain_flush_complete(k: Kernel, domain: ProtectionDomain): void;
    domain_flush_devices(k: Kernel, domain: ProtectionDomain): void;
  }
}

export const readl = (k: Kernel, iommu: AmdIommuInstance, offset: number): number =>
  k.readU32(va(iommu.mmio_base + offset));
export const writel = (k: Kernel, iommu: AmdIommuInstance, offset: number, value: number): void => {
  k.writeU32(va(iommu.mmio_base + offset), value);
};

/** CMD_SET_TYPE: the code in bits 31:28 of the second word. */
const withType = (cmd: IommuCmd, type: number): IommuCmd => [
  cmd[0],
  (cmd[1] | (type << 28)) >>> 0,
  cmd[2],
  cmd[3],
];
const lower = (value: bigint): number => Number(value & 0xffff_ffffn);
const upper = (value: bigint): number => Number((value >> 32n) & 0xffff_ffffn);

const build_inv_dte = (devid: number): IommuCmd => withType([devid, 0, 0, 0], CMD.INV_DEV_ENTRY);
const build_inv_all = (): IommuCmd => withType([0, 0, 0, 0], CMD.INV_ALL);
const build_inv_irt = (devid: number): IommuCmd => withType([devid, 0, 0, 0], CMD.INV_IRT);

/** Invalidates one page; for a larger range, all of the domain. */
function build_inv_iommu_pages(
  address: bigint,
  size: bigint,
  domid: number,
  pde: boolean,
): IommuCmd {
  const one = (address & 0xfffn) + size <= 0x1000n;
  const at = (one ? address : CMD_INV_IOMMU_ALL_PAGES_ADDRESS) & ~0xfffn;
  const flags =
    (one ? 0 : CMD_INV_IOMMU_PAGES_SIZE_MASK) | (pde ? CMD_INV_IOMMU_PAGES_PDE_MASK : 0);
  return withType([0, domid, (lower(at) | flags) >>> 0, upper(at)], CMD.INV_IOMMU_PAGES);
}

/** `volatile u64 sem = 0` on the stack, for as long as `body` runs. */
function withSem(k: Kernel, body: (sem: Va) => number): number {
  k.push(0n);
  const result = body(k.cpu.rsp);
  k.popU64();
  return result;
}

/**
 * Queues `count` commands like iommu_queue_command(): `first`, with 0, 1, 2 … added to the word that holds the device or
 * domain id. As many as the ring has room for, before the IOMMU reads any of them, are written together with one
 * update of the tail.
 */
function queueMany(
  k: Kernel,
  iommu: AmdIommuInstance,
  count: number,
  first: IommuCmd,
  idWord: 0 | 1,
): void {
  const inRing = (at: number): boolean => at < CMD_BUFFER_SIZE && at % CMD_SIZE === 0;
  const words = new Uint32Array(CMD_BUFFER_SIZE / 4);
  for (let at = 0; at < words.length; at++) words[at] = first[at % 4] ?? 0;
  const bytes = new Uint8Array(words.buffer);
  for (let id = 0; id < count;) {
    const head = readl(k, iommu, MMIO.CMD_HEAD);
    const tail = readl(k, iommu, MMIO.CMD_TAIL);
    const left = (head - tail - CMD_SIZE + CMD_BUFFER_SIZE) % CMD_BUFFER_SIZE;
    // The last command that fits leaves more than 2 bytes free (iommu_queue_command_sync).
    const room = Math.min(Math.ceil((left - 2) / CMD_SIZE), (CMD_BUFFER_SIZE - tail) / CMD_SIZE);
    const n = Math.min(room, count - id);
    if (!inRing(head) || !inRing(tail) || n < 1) {
      const cmd: IommuCmd = [...first];
      cmd[idWord] += id;
      k.fn.iommu_queue_command(iommu, cmd);
      id++;
      continue;
    }
    for (let at = idWord; at < n * 4; at += 4) words[at] = first[idWord] + id++;
    k.writeBytes(va(iommu.cmd_buf + tail), bytes.subarray(0, n * CMD_SIZE));
    writel(k, iommu, MMIO.CMD_TAIL, (tail + n * CMD_SIZE) % CMD_BUFFER_SIZE);
    iommu.need_sync = true;
  }
}

export const amdIommuCmd = bodies({
  // The model's IOMMU completes commands within the write of the tail register, and nothing else runs meanwhile: if the
  // first of the LOOP_TIMEOUT iterations does not see the store, none does, so one is enough (our choice).
  wait_on_sem: fn((k: Kernel, sem: Va) => {
    if (k.readU64(sem) !== 0n) return 0;
    k.fn.printk('AMD-Vi: Completion-Wait loop timed out');
    return -EIO;
  }, true),

  copy_cmd_to_buffer: inline((k: Kernel, iommu: AmdIommuInstance, cmd: IommuCmd, tail: number) => {
    k.writeBytes(va(iommu.cmd_buf + tail), new Uint8Array(Uint32Array.from(cmd).buffer));
    writel(k, iommu, MMIO.CMD_TAIL, (tail + CMD_SIZE) % CMD_BUFFER_SIZE);
  }),

  build_completion_wait: inline((k: Kernel, address: Va) => {
    const pa = k.fn['amd_iommu:virt_to_phys'](address);
    const low = (lower(pa) | CMD_COMPL_WAIT_STORE_MASK) >>> 0;
    return withType([low, upper(pa), 1, 0], CMD.COMPL_WAIT);
  }),

  iommu_queue_command_sync: inline(
    (k: Kernel, iommu: AmdIommuInstance, cmd: IommuCmd, sync: boolean) => {
      for (;;) {
        const head = readl(k, iommu, MMIO.CMD_HEAD);
        const tail = readl(k, iommu, MMIO.CMD_TAIL);
        const next = (tail + CMD_SIZE) % CMD_BUFFER_SIZE;
        const left = (head - next + CMD_BUFFER_SIZE) % CMD_BUFFER_SIZE;
        if (left > 2) {
          k.fn.copy_cmd_to_buffer(iommu, cmd, tail);
          iommu.need_sync = sync;
          return 0;
        }
        const waited = withSem(k, (sem) => {
          k.fn.copy_cmd_to_buffer(iommu, k.fn.build_completion_wait(sem), tail);
          return k.fn.wait_on_sem(sem);
        });
        if (waited !== 0) return waited;
      }
    },
  ),
  iommu_queue_command: inline((k: Kernel, iommu: AmdIommuInstance, cmd: IommuCmd) =>
    k.fn.iommu_queue_command_sync(iommu, cmd, true),
  ),

  iommu_completion_wait: fn((k: Kernel, iommu: AmdIommuInstance) => {
    if (!iommu.need_sync) return 0;
    return withSem(k, (sem) => {
      const cmd = k.fn.build_completion_wait(sem);
      return k.fn.iommu_queue_command_sync(iommu, cmd, false) || k.fn.wait_on_sem(sem);
    });
  }, true),

  iommu_flush_dte: inline((k: Kernel, iommu: AmdIommuInstance, devid: number) =>
    k.fn.iommu_queue_command(iommu, build_inv_dte(devid)),
  ),
  iommu_flush_dte_all: inline((k: Kernel, iommu: AmdIommuInstance) => {
    queueMany(k, iommu, 0x1_0000, build_inv_dte(0), 0);
    k.fn.iommu_completion_wait(iommu);
  }),
  iommu_flush_tlb_all: inline((k: Kernel, iommu: AmdIommuInstance) => {
    const all = build_inv_iommu_pages(0n, CMD_INV_IOMMU_ALL_PAGES_ADDRESS, 0, true);
    queueMany(k, iommu, 0x1_0000, all, 1);
    k.fn.iommu_completion_wait(iommu);
  }),
  iommu_flush_all: inline((k: Kernel, iommu: AmdIommuInstance) => {
    k.fn.iommu_queue_command(iommu, build_inv_all());
    k.fn.iommu_completion_wait(iommu);
  }),
  iommu_flush_irt_all: inline((k: Kernel, iommu: AmdIommuInstance) => {
    queueMany(k, iommu, MAX_DEV_TABLE_ENTRIES + 1, build_inv_irt(0), 0);
    k.fn.iommu_completion_wait(iommu);
  }),
  iommu_flush_all_caches: fn((k: Kernel, iommu: AmdIommuInstance) => {
    if (k.fn.iommu_feature(iommu, FEATURE.IA)) return k.fn.iommu_flush_all(iommu);
    k.fn.iommu_flush_dte_all(iommu);
    k.fn.iommu_flush_irt_all(iommu);
    k.fn.iommu_flush_tlb_all(iommu);
  }),

  // IOTLBs of devices (ATS) are not modelled: device_flush_iotlb() has none to flush.
  device_flush_dte: inline((k: Kernel, data: IommuDevData) => {
    const iommu = k.fn.rlookup_iommu(data.devid);
    if (iommu === undefined) return k.fn.BUG('iommu is NULL');
    const ret = k.fn.iommu_flush_dte(iommu, data.devid);
    if (ret !== 0 || data.alias === data.devid) return ret;
    return k.fn.iommu_flush_dte(iommu, data.alias);
  }),

  __domain_flush_pages: inline(
    (k: Kernel, domain: ProtectionDomain, address: bigint, size: bigint, pde: boolean) => {
      const cmd = build_inv_iommu_pages(address, size, domain.id, pde);
      let ret = 0;
      for (const iommu of k.state.amdIommu.iommus) {
        if ((domain.dev_iommu[iommu.index] ?? 0) === 0) continue;
        ret |= k.fn.iommu_queue_command(iommu, cmd);
      }
      if (ret !== 0) k.fn.printk('WARNING: __domain_flush_pages');
    },
  ),
  domain_flush_pages: inline(
    (k: Kernel, domain: ProtectionDomain, address: bigint, size: bigint) => {
      k.fn.__domain_flush_pages(domain, address, size, false);
    },
  ),
  domain_flush_tlb: inline((k: Kernel, domain: ProtectionDomain) => {
    k.fn.__domain_flush_pages(domain, 0n, CMD_INV_IOMMU_ALL_PAGES_ADDRESS, false);
  }),
  domain_flush_tlb_pde: inline((k: Kernel, domain: ProtectionDomain) => {
    k.fn.__domain_flush_pages(domain, 0n, CMD_INV_IOMMU_ALL_PAGES_ADDRESS, true);
  }),
  domain_flush_complete: inline((k: Kernel, domain: ProtectionDomain) => {
    for (const iommu of k.state.amdIommu.iommus) {
      if ((domain.dev_iommu[iommu.index] ?? 0) !== 0) k.fn.iommu_completion_wait(iommu);
    }
  }),
  domain_flush_devices: inline((k: Kernel, domain: ProtectionDomain) => {
    for (const devid of domain.dev_list) {
      const data = k.state.amdIommu.dev_data.find((one) => one.devid === devid);
      if (data !== undefined) k.fn.device_flush_dte(data);
    }
  }),
});

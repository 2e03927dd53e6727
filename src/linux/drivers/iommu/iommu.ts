/** drivers/iommu/iommu.c: an identity domain for a device (iommu=pt). */
import { type AmdIommuInstance, type IommuDevData } from './amd_iommu_types.js';
import type { KernelDevice } from '../../include/linux/dma-mapping/dma_map_ops.js';
import { ENOMEM } from '../../include/uapi/asm-generic/errno-base.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Attaches the device to a new identity domain; 0 or a negative errno. */
    iommu_request_dm_for_dev(
      k: Kernel,
      dev: KernelDevice,
      data: IommuDevData,
      iommu: AmdIommuInstance,
    ): number;
  }
}

export const iommuCore = bodies({
  iommu_request_dm_for_dev: inline(
    (k: Kernel, dev: KernelDevice, data: IommuDevData, iommu: AmdIommuInstance) => {
      const { domains } = k.state.amdIommu;
      const old = domains[data.domain ?? -1];
      if (k.fn['amd_iommu_domain_alloc:identity']() === null) return -ENOMEM;
      // amd_iommu_attach_device()
      k.fn.detach_device(data);
      k.fn.attach_device(data, domains.length - 1);
      k.fn.iommu_completion_wait(iommu);
      if (old !== undefined) k.fn.amd_iommu_domain_free(old);
      k.fn.printk(`iommu: Using direct mapping for device ${dev.name}`);
      return 0;
    },
  ),
});

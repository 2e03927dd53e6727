/** drivers/iommu/amd_iommu_init.c: amd_iommu=; drivers/iommu/irq_remapping.c: intremap= and nointremap. */
import { EINVAL } from '../../../include/uapi/asm-generic/errno-base.js';
import { always, early_param, __setup, type ObsKernelParam } from '../../../include/linux/init.js';
import type { Kernel } from '../../../../kernel/kernel.js';

/** Compares at every offset of the value, so that a word counts at any position. */
function parse_amd_iommu_options(k: Kernel, str: string): number {
  const { params } = k.state;
  if (str.includes('fullflush')) params.amdIommuUnmapFlush = true;
  if (str.includes('off')) params.amdIommuDisabled = true;
  // 4.6 sets it and never reads it.
  if (str.includes('force_isolation')) params.amdIommuForceIsolation = true;
  return 1;
}

function setup_irqremap(k: Kernel, str: string | undefined): number {
  if (str === undefined) return -EINVAL;
  for (const word of str.split(',')) {
    if (word.startsWith('on')) k.state.params.disableIrqRemap = false;
    else if (word.startsWith('off')) k.state.params.disableIrqRemap = true;
    // nosid, no_x2apic_optout and nopost are for Intel's interrupt remapping and posted interrupts.
  }
  return 0;
}

export const amdIommuParams: readonly ObsKernelParam[] = [
  __setup('amd_iommu=', parse_amd_iommu_options),
  early_param('intremap', setup_irqremap),
  early_param(
    'nointremap',
    always(0, (k) => (k.state.params.disableIrqRemap = true)),
  ),
];

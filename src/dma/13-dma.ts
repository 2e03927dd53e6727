/**
 * Patch 13, "x86: DMA support for memory encryption": bus addresses of encrypted memory carry the mask, and devices
 * whose DMA mask does not cover it use bounce buffers in plain memory.
 */
import type { KernelDevice } from '../linux/include/linux/dma-mapping/dma_map_ops.js';
import type { Hunk, PatchPart } from '../kernel/hunk.js';
import { PAGE_ALIGN, readInt } from '../linux/arch/x86/kernel/pci-dma/pci-dma.js';
import { IO_TLB_SHIFT, readLong } from '../linux/lib/swiotlb/swiotlb.js';
import { fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';
import type { Va } from '../machine/address.js';
import { dmaAlternatives } from './13-alternatives.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    mem_encrypt_init(k: PatchedKernel): void;
    swiotlb_get_me_mask(k: PatchedKernel): bigint;
    swiotlb_set_mem_dec(k: PatchedKernel, vaddr: Va, size: number): void;
    /** The bus address of plain memory: without the mask. */
    swiotlb_phys_to_dma(k: PatchedKernel, dev: KernelDevice, paddr: number): bigint;
    swiotlb_clear_encryption(k: PatchedKernel): void;
  }
}

const MAIN_C = 'init/main.c';
const SWIOTLB_C = 'lib/swiotlb.c';

const dmaMapping: Hunk = {
  id: '13/dma-mapping',
  file: 'arch/x86/include/asm/dma-mapping.h',
  what: 'a bus address carries the mask',
  needs: ['sme_me_mask'],
  replaces: {
    phys_to_dma: (previous) => (k, dev, paddr) => previous(k, dev, paddr) | k.fn.sme_me_mask(),
    dma_to_phys: (previous) => (k, dev, daddr) => previous(k, dev, daddr & ~k.fn.sme_me_mask()),
  },
};

const pciDma: Hunk = {
  id: '13/pci-dma',
  file: 'arch/x86/kernel/pci-dma.c',
  what: 'the address of coherent memory is that of phys_to_dma(), also when compared with the device’s DMA mask',
  replaces: {
    'dma_generic_alloc_coherent:addr': () => (k, dev, page) => k.fn.phys_to_dma(dev, page),
  },
};

const pciNommu: Hunk = {
  id: '13/pci-nommu',
  file: 'arch/x86/kernel/pci-nommu.c',
  what: 'the bus address of a mapped page is that of phys_to_dma(); scatterlists are unchanged',
  replaces: {
    'nommu_map_page:bus': () => (k, dev, page, offset) =>
      k.fn.phys_to_dma(dev, page) + BigInt(offset),
  },
};

const pciSwiotlb: Hunk = {
  id: '13/pci-swiotlb',
  file: 'arch/x86/kernel/pci-swiotlb.c',
  what: 'bounce buffers are set up whenever the mask is set',
  needs: ['sme_me_mask'],
  replaces: {
    'pci_swiotlb_detect_override:forced': (previous) => (k) =>
      previous(k) || k.fn.sme_me_mask() !== 0n,
  },
};

const memEncrypt: Hunk = {
  id: '13/mem_encrypt',
  file: 'arch/x86/mm/mem_encrypt.c',
  what: 'mem_encrypt_init() decrypts the bounce buffers; lib/swiotlb.c gets the mask and sme_set_mem_dec()',
  needs: [
    'sme_me_mask',
    'sme_set_mem_dec',
    'mem_encrypt_init',
    'swiotlb_clear_encryption',
    'swiotlb_get_me_mask',
    'swiotlb_set_mem_dec',
  ],
  replaces: {
    mem_encrypt_init: () => (k) => {
      if (k.fn.sme_me_mask() === 0n) return;
      k.fn.swiotlb_clear_encryption();
    },
    swiotlb_get_me_mask: () => (k) => k.fn.sme_me_mask(),
    swiotlb_set_mem_dec: () => (k, vaddr, size) => {
      // The return value is ignored.
      k.fn.sme_set_mem_dec(vaddr, size);
    },
  },
};

/** swiotlb_set_mem_dec() for one of the buffers that swiotlb_init() allocated. */
function decrypt(k: PatchedKernel, physical: number, size: number): { vaddr: Va; bytes: number } {
  const vaddr = k.__va(physical);
  const bytes = PAGE_ALIGN(size);
  k.fn.swiotlb_set_mem_dec(vaddr, bytes);
  return { vaddr, bytes };
}

const swiotlb: Hunk = {
  id: '13/swiotlb',
  file: SWIOTLB_C,
  what: 'the area and the overflow buffer are decrypted; their bus addresses do not have the mask',
  adds: [
    kernelFile(SWIOTLB_C, {
      swiotlb_get_me_mask: fn(() => 0n, true),
      swiotlb_set_mem_dec: fn(() => undefined, true),
      swiotlb_phys_to_dma: inline(
        (k: PatchedKernel, dev: KernelDevice, paddr: number) =>
          k.fn.phys_to_dma(dev, paddr) & ~k.fn.swiotlb_get_me_mask(),
      ),
      swiotlb_clear_encryption: fn((k: PatchedKernel) => {
        const start = readLong(k, 'io_tlb_start');
        const none = k.readU8(k.sym('no_iotlb_memory')) !== 0;
        if (none || start === 0 || readInt(k, 'late_alloc') !== 0) return;
        const area = decrypt(k, start, readLong(k, 'io_tlb_nslabs') * 2 ** IO_TLB_SHIFT);
        k.memset(area.vaddr, 0, area.bytes);
        // The overflow buffer is not cleared.
        decrypt(k, readLong(k, 'io_tlb_overflow_buffer'), readLong(k, 'io_tlb_overflow'));
      }),
    }),
  ],
  replaces: {
    'swiotlb:bounce_address': () => (k, dev, paddr) => k.fn.swiotlb_phys_to_dma(dev, paddr),
  },
  stub: [
    kernelFile(SWIOTLB_C, {
      swiotlb_get_me_mask: fn(() => 0n, true),
      swiotlb_set_mem_dec: fn(() => undefined, true),
      swiotlb_phys_to_dma: inline((k: PatchedKernel, dev: KernelDevice, paddr: number) =>
        k.fn.phys_to_dma(dev, paddr),
      ),
      swiotlb_clear_encryption: fn(() => undefined),
    }),
  ],
};

const main: Hunk = {
  id: '13/main',
  file: MAIN_C,
  what: 'start_kernel() calls mem_encrypt_init(), whose default does nothing',
  adds: [kernelFile(MAIN_C, { mem_encrypt_init: fn(() => undefined) })],
  replaces: {
    'start_kernel:after-locking_selftest': (previous) => (k) => {
      previous(k);
      k.fn.mem_encrypt_init();
    },
  },
  stub: [kernelFile(MAIN_C, { mem_encrypt_init: fn(() => undefined) })],
};

export const dma: PatchPart = {
  patch: 13,
  alternatives: dmaAlternatives,
  hunks: [dmaMapping, pciDma, pciNommu, pciSwiotlb, memEncrypt, swiotlb, main],
};

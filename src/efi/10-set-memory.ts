/** Patch 10, the page-attribute code: arch/x86/mm/pageattr.c, arch/x86/mm/mem_encrypt.c. */
import { alignDown, alignUp, PAGE_SIZE, va, type Va } from '../machine/address.js';
import { EINVAL, INT_MAX } from '../linux/include/uapi/asm-generic/errno-base.js';
import type { Hunk, PatchPart } from '../kernel/hunk.js';
import { CPA_FLUSHTLB, type CpaData } from '../linux/arch/x86/mm/pageattr/types.js';
import { cpaData, pageAligned } from '../linux/arch/x86/mm/pageattr/pageattr.js';
import { fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    /** Sets or clears the mask in the mappings of pages; memory contents do not change. 0 or a negative errno. */
    set_memory_enc(k: PatchedKernel, address: Va, numpages: number): number;
    set_memory_dec(k: PatchedKernel, address: Va, numpages: number): number;
    __set_memory_enc_dec(k: PatchedKernel, cpa: CpaData): number;
    /** The same for a size in bytes; does nothing without memory encryption. */
    sme_set_mem_enc(k: PatchedKernel, vaddr: Va, size: number): number;
    sme_set_mem_dec(k: PatchedKernel, vaddr: Va, size: number): number;
  }
}

const PAGEATTR_C = 'arch/x86/mm/pageattr.c';
const MEM_ENCRYPT_C = 'arch/x86/mm/mem_encrypt.c';

type Setter = 'set_memory_enc' | 'set_memory_dec';

/** set_memory_enc() and _dec(): the request names init_mm's tables, so holes are filled, not skipped. */
const setter =
  (encrypt: boolean) =>
  (k: PatchedKernel, address: Va, numpages: number): number => {
    if (k.fn.sme_me_mask() === 0n) return 0;
    const enc = k.fn._PAGE_ENC();
    const [maskSet, maskClr] = encrypt ? [enc, 0n] : [0n, enc];
    const pgd = k.sym('init_level4_pgt');
    return k.fn.__set_memory_enc_dec(cpaData({ address, numpages, maskSet, maskClr, pgd }));
  };

const bySize =
  (name: Setter) =>
  (k: PatchedKernel, vaddr: Va, size: number): number => {
    if (k.fn.sme_me_mask() === 0n) return 0;
    const numpages = alignUp(size, PAGE_SIZE) / PAGE_SIZE;
    if (numpages > INT_MAX) return -EINVAL;
    return k.fn[name](alignDown(vaddr, PAGE_SIZE), numpages);
  };

const attributes: Hunk = {
  id: '10/set_memory',
  file: PAGEATTR_C,
  what: 'set_memory_enc() and set_memory_dec() change the mask in mappings, then flush TLBs and caches',
  needs: ['sme_me_mask', '_PAGE_ENC'],
  adds: [
    kernelFile(PAGEATTR_C, {
      __set_memory_enc_dec: inline((k: PatchedKernel, cpa: CpaData) => {
        const { vaddr, numpages } = cpa;
        const start = pageAligned(k, va(vaddr.address));
        vaddr.address = start;
        const error = k.fn.__change_page_attr_set_clr(cpa, true);
        if ((cpa.flags & CPA_FLUSHTLB) === 0) return error;
        if (error === 0 && k.fn.cpu_has('X86_FEATURE_CLFLUSH')) {
          k.fn.cpa_flush_range(start, numpages, true);
        } else {
          k.fn.cpa_flush_all(true);
        }
        return error;
      }),
      set_memory_enc: fn(setter(true)),
      set_memory_dec: fn(setter(false)),
    }),
  ],
  stub: [
    kernelFile(PAGEATTR_C, {
      __set_memory_enc_dec: inline(() => 0),
      set_memory_enc: inline(() => 0),
      set_memory_dec: inline(() => 0),
    }),
  ],
};

const sized: Hunk = {
  id: '10/sme_set_mem',
  file: MEM_ENCRYPT_C,
  what: 'sme_set_mem_enc() and sme_set_mem_dec(): the same for a number of bytes',
  needs: ['sme_me_mask', 'set_memory_enc', 'set_memory_dec'],
  adds: [
    kernelFile(MEM_ENCRYPT_C, {
      sme_set_mem_enc: fn(bySize('set_memory_enc')),
      sme_set_mem_dec: fn(bySize('set_memory_dec')),
    }),
  ],
  stub: [
    kernelFile(MEM_ENCRYPT_C, {
      sme_set_mem_enc: inline(() => 0),
      sme_set_mem_dec: inline(() => 0),
    }),
  ],
};

export const setMemory: PatchPart = { patch: 10, part: 3, hunks: [attributes, sized] };

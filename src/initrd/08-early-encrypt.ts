/** Patch 08, "x86: Add support for early encryption/decryption of memory": arch/x86/mm/mem_encrypt.c. */
import { PAGE_SIZE, va, type Va } from '../machine/address.js';
import { __flush_tlb, wbinvd } from '../kernel/cpu-ops.js';
import type { PatchPart } from '../kernel/hunk.js';
import { fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    /** Encrypts memory in place; attributes of later mappings do not change. `size` in bytes. */
    sme_early_mem_enc(k: PatchedKernel, paddr: number, size: number): void;
    sme_early_mem_dec(k: PatchedKernel, paddr: number, size: number): void;
  }
}

const MEM_ENCRYPT_C = 'arch/x86/mm/mem_encrypt.c';
type Map = (paddr: number, size: number) => Va | 0;

/** The loop of both functions: at most one page at a time, through the buffer. */
function convert(k: PatchedKernel, paddr: number, size: number, source: Map, target: Map): void {
  if (k.fn.sme_me_mask() === 0n) return;
  // The flush reloads CR3: global entries stay (asm/tlbflush.h, local_flush_tlb).
  __flush_tlb(k);
  wbinvd(k);
  const buffer = k.sym('me_early_buffer');
  let at = paddr;
  let remaining = size;
  while (remaining > 0) {
    const length = Math.min(PAGE_SIZE, remaining);
    const src = source(at, length);
    const dst = target(at, length);
    if (src === 0 || dst === 0) k.fn.BUG('sme_early_mem: no early mapping is free');
    k.memcpy(buffer, va(src), length);
    k.memcpy(va(dst), buffer, length);
    k.fn.early_memunmap(va(dst), length);
    k.fn.early_memunmap(va(src), length);
    at += length;
    remaining -= length;
  }
}

export const earlyEncrypt: PatchPart = {
  patch: 8,
  hunks: [
    {
      id: '08/sme_early_mem',
      file: MEM_ENCRYPT_C,
      what: 'sme_early_mem_enc() and sme_early_mem_dec(), over a page-sized buffer',
      needs: [
        'sme_me_mask',
        'early_memremap_dec_wp',
        'early_memremap_enc',
        'early_memremap_enc_wp',
        'early_memremap_dec',
      ],
      variables: [
        {
          name: 'me_early_buffer',
          size: PAGE_SIZE,
          align: PAGE_SIZE,
          section: '.bss',
          file: MEM_ENCRYPT_C,
        },
      ],
      adds: [
        kernelFile(MEM_ENCRYPT_C, {
          sme_early_mem_enc: fn((k: PatchedKernel, paddr: number, size: number) => {
            convert(k, paddr, size, k.fn.early_memremap_dec_wp, k.fn.early_memremap_enc);
          }),
          sme_early_mem_dec: fn((k: PatchedKernel, paddr: number, size: number) => {
            convert(k, paddr, size, k.fn.early_memremap_enc_wp, k.fn.early_memremap_dec);
          }),
        }),
      ],
      stub: [
        kernelFile(MEM_ENCRYPT_C, {
          sme_early_mem_enc: inline(() => undefined),
          sme_early_mem_dec: inline(() => undefined),
        }),
      ],
    },
  ],
};

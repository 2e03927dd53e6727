/** Alternatives to patch 06: entry into another kernel by kexec. */
import type { PatchedKernel } from '../kernel/table.js';
import { wbinvd } from '../kernel/cpu-ops.js';
import type { Alternative } from '../kernel/hunk.js';

const MACHINE_KEXEC_64 = 'arch/x86/kernel/machine_kexec_64.c';
const RELOCATE_KERNEL_64 = 'arch/x86/kernel/relocate_kernel_64.S';
/** _KERNPG_TABLE_NOENC and PAGE_KERNEL_EXEC_NOENC: the same without the mask. */
const noenc = (k: PatchedKernel, flags: bigint): bigint => flags & ~k.fn._PAGE_ENC();

/** Source of both halves of 10/kexec-plain. */
const MERGED = 'the series as merged in v4.14: "x86/mm, kexec: Allow kexec to be used with SME"';

/** The other kernel's pages and the transition page tables are mapped without the mask, as it will read them. */
const plainMap: NonNullable<Alternative['replaces']> = {
  kimage_alloc_pages: (previous) => (k, order) => {
    const page = previous(k, order);
    if (page !== 0) k.fn.set_memory_dec(k.__va(page), 2 ** order);
    return page;
  },
  kimage_free_pages: (previous) => (k, page, order) => {
    k.fn.set_memory_enc(k.__va(page), 2 ** order);
    previous(k, page, order);
  },
  'kernel_ident_mapping_init:kernpg_flag': (previous) => (k) => noenc(k, previous(k)),
  'init_transition_pgtable:prot': (previous) => (k) => noenc(k, previous(k)),
};
const MAP_NEEDS = ['set_memory_dec', 'set_memory_enc', '_PAGE_ENC', 'sme_me_mask'] as const;

/** Flushes caches, so that no line of the first kernel is written back over the other one. */
const flushCaches: NonNullable<Alternative['replaces']> = {
  'identity_mapped:before-swap_pages': (previous) => (k) => {
    previous(k);
    // The kernel calls sme_active() before and tests the result here; the model flushes in any case (our choice).
    wbinvd(k);
  },
};

export const kexecAlternatives: readonly Alternative[] = [
  {
    id: '06/kexec-cr3',
    file: MACHINE_KEXEC_64,
    what: 'the address of the tables in CR3 has the mask, since they were written encrypted',
    source: 'our choice',
    needs: ['sme_me_mask'],
    replaces: {
      'machine_kexec:table': (previous) => (k, page) => previous(k, page) | k.fn.sme_me_mask(),
    },
  },
  {
    id: '10/kexec-map',
    instead: '06/machine_kexec',
    file: MACHINE_KEXEC_64,
    what: 'pages of the image and the identity map are without the mask, as the other kernel will read them',
    source: `${MERGED}, without its WBINVD`,
    needs: MAP_NEEDS,
    replaces: plainMap,
  },
  {
    id: '10/kexec-wbinvd',
    file: RELOCATE_KERNEL_64,
    what: 'caches are flushed before the pages are moved',
    source: `${MERGED}, its WBINVD alone`,
    replaces: flushCaches,
  },
  {
    id: '10/kexec-plain',
    instead: '06/machine_kexec',
    file: MACHINE_KEXEC_64,
    what: 'both halves in one: the map without the mask, and caches flushed before the pages are moved',
    source: MERGED,
    needs: MAP_NEEDS,
    replaces: { ...plainMap, ...flushCaches },
  },
];

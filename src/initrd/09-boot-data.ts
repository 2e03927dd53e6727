/** Patch 09, "x86: Insure that memory areas are encrypted when possible": kernel/head64.c, kernel/setup.c. */
import { alignDown, PMD_SIZE, tableIndex, va, type Va } from '../machine/address.js';
import { MAXMEM, PAGE_OFFSET } from '../kernel/constants.js';
import { get_entry, set_entry } from '../kernel/cpu-ops.js';
import { earlyTable } from '../linux/arch/x86/kernel/head64.js';
import type { Kernel } from '../kernel/kernel.js';
import type { PatchPart } from '../kernel/hunk.js';
import { fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';
import { bootDataAlternatives } from './09-alternatives.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    create_unencrypted_mapping(k: PatchedKernel, address: Va, size: number): void;
    /** Addresses whose 2 MiB pages the mapping and unmapping loops visit for `size` bytes at `address`. */
    'create_unencrypted_mapping:steps'(k: PatchedKernel, address: Va, size: number): readonly Va[];
    __clear_mapping(k: PatchedKernel, address: Va): void;
    clear_mapping(k: PatchedKernel, address: Va, size: number): void;
    sme_memcpy(k: PatchedKernel, to: Va, from: Va, size: number): void;
  }
}

const HEAD64 = 'arch/x86/kernel/head64.c';

/** The loops of the patch: 2 MiB steps from the start address until the size is used up. */
const steps = inline((_k: Kernel, address: Va, size: number) => {
  const visited: Va[] = [];
  let at: number = address;
  let remaining = size;
  do {
    visited.push(va(at));
    at += PMD_SIZE;
    remaining = remaining < PMD_SIZE ? 0 : remaining - PMD_SIZE;
  } while (remaining > 0);
  return visited;
});

export const bootData: PatchPart = {
  patch: 9,
  alternatives: bootDataAlternatives,
  hunks: [
    {
      id: '09/bootdata',
      file: HEAD64,
      what: 'zero page and command line are copied through temporary mappings without the mask',
      needs: ['sme_me_mask', '__sme_pa_nodebug'],
      adds: [
        kernelFile(HEAD64, {
          create_unencrypted_mapping: fn((k: PatchedKernel, address: Va, size: number) => {
            const mask = k.fn.sme_me_mask();
            if (mask === 0n) return;
            const flags = k.readU64(k.sym('early_pmd_flags')) & ~mask;
            for (const at of k.fn['create_unencrypted_mapping:steps'](address, size)) {
              const physaddr = BigInt(alignDown(at - PAGE_OFFSET, PMD_SIZE));
              k.fn['early_make_pgtable:install'](at, physaddr + flags);
            }
          }),
          'create_unencrypted_mapping:steps': steps,
          __clear_mapping: fn((k: PatchedKernel, address: Va) => {
            const physaddr = address - PAGE_OFFSET;
            if (physaddr < 0 || physaddr >= MAXMEM) return;
            if (k.cpu.cr3 !== k.fn.__sme_pa_nodebug(k.sym('early_level4_pgt'))) return;
            const pgd = get_entry(k, k.sym('early_level4_pgt'), tableIndex(address, 39));
            if (pgd === 0n) return;
            const pud = get_entry(k, earlyTable(k, pgd), tableIndex(address, 30));
            if (pud === 0n) return;
            const mapped = alignDown(address, PMD_SIZE);
            // The entry is cleared; the TLB is not flushed.
            set_entry(k, 'pmd', earlyTable(k, pud), tableIndex(address, 21), 0n, mapped);
          }, true),
          clear_mapping: fn((k: PatchedKernel, address: Va, size: number) => {
            if (k.fn.sme_me_mask() === 0n) return;
            for (const at of k.fn['create_unencrypted_mapping:steps'](address, size)) {
              k.fn.__clear_mapping(at);
            }
          }),
          sme_memcpy: fn((k: PatchedKernel, to: Va, from: Va, size: number) => {
            k.fn.create_unencrypted_mapping(from, size);
            k.memcpy(to, from, size);
            k.fn.clear_mapping(from, size);
          }),
        }),
      ],
      replaces: {
        'copy_bootdata:copy': () => (k, to, from, size) => {
          k.fn.sme_memcpy(to, from, size);
        },
      },
      stub: [
        kernelFile(HEAD64, {
          create_unencrypted_mapping: inline(() => undefined),
          'create_unencrypted_mapping:steps': steps,
          __clear_mapping: inline(() => undefined),
          clear_mapping: inline(() => undefined),
          sme_memcpy: inline((k: PatchedKernel, to: Va, from: Va, size: number) => {
            k.memcpy(to, from, size);
          }),
        }),
      ],
    },
    {
      id: '09/initrd',
      file: 'arch/x86/kernel/setup.c',
      what: 'the initrd is encrypted in place before the check whether it must be relocated',
      needs: ['sme_early_mem_enc'],
      replaces: {
        'reserve_initrd:before-mapped': (previous) => (k, image, end) => {
          previous(k, image, end);
          k.fn.sme_early_mem_enc(image, end - image);
        },
      },
    },
  ],
};

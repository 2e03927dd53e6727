/** virt/kvm/kvm_main.c: the guest's memory, which is user memory of the VMM. */
import { PAGE_SIZE, tableIndex, va, type Va } from '../../../machine/address.js';
import { _PAGE_PRESENT, _PAGE_RW } from '../../../kernel/constants.js';
import { get_entry } from '../../../kernel/cpu-ops.js';
import { entryPhysical } from '../../arch/x86/include/asm/pgtable_types.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** The VMM's user address of a guest frame; 0 if no slot has it (KVM_HVA_ERR_BAD). */
    gfn_to_hva(k: Kernel, gfn: number): Va | 0;
    /** The page frame of a guest frame, from the VMM's page tables; 0 if it is not mapped writable. */
    gfn_to_pfn(k: Kernel, gfn: number): number;
    /** copy_from_user() from guest memory; undefined if no slot has it. */
    kvm_read_guest(k: Kernel, gpa: number, length: number): Uint8Array | undefined;
    kvm_write_guest(k: Kernel, gpa: number, bytes: Uint8Array): boolean;
    /** Whether a frame has no struct page that KVM could mark dirty. */
    kvm_is_reserved_pfn(k: Kernel, pfn: number): boolean;
    kvm_set_pfn_dirty(k: Kernel, pfn: number): void;
  }
}

export const kvmMain = bodies({
  gfn_to_hva: inline((k: Kernel, gfn: number) => {
    const slot = k.state.kvm?.slot ?? null;
    if (slot === null || gfn < slot.baseGfn || gfn >= slot.baseGfn + slot.npages) return 0;
    return va(slot.userspaceAddr + (gfn - slot.baseGfn) * PAGE_SIZE);
  }),

  // hva_to_pfn(), get_user_pages(): the pages are present and writable, because the VMM has written them.
  gfn_to_pfn: inline((k: Kernel, gfn: number) => {
    const hva = k.fn.gfn_to_hva(gfn);
    if (hva === 0) return 0;
    let table = k.sym('init_level4_pgt');
    for (const shift of [39, 30, 21] as const) {
      const entry = get_entry(k, table, tableIndex(hva, shift));
      if ((entry & _PAGE_PRESENT) === 0n) return 0;
      table = k.__va(entryPhysical(entry));
    }
    const pte = get_entry(k, table, tableIndex(hva, 12));
    // pte_pfn() is (pte & PTE_PFN_MASK) >> PAGE_SHIFT: a frame number never contains a C-bit above bit 45.
    const usable = (pte & _PAGE_PRESENT) !== 0n && (pte & _PAGE_RW) !== 0n;
    return usable ? entryPhysical(pte) / PAGE_SIZE : 0;
  }),

  kvm_read_guest: inline((k: Kernel, gpa: number, length: number) => {
    const hva = k.fn.gfn_to_hva(Math.floor(gpa / PAGE_SIZE));
    return hva === 0 ? undefined : k.readBytes(va(hva + (gpa % PAGE_SIZE)), length);
  }),
  kvm_write_guest: inline((k: Kernel, gpa: number, bytes: Uint8Array) => {
    const hva = k.fn.gfn_to_hva(Math.floor(gpa / PAGE_SIZE));
    if (hva === 0) return false;
    k.writeBytes(va(hva + (gpa % PAGE_SIZE)), bytes);
    return true;
  }),

  // !pfn_valid(): the frame is not in a memory range. PageReserved is not modelled.
  kvm_is_reserved_pfn: inline(
    (k: Kernel, pfn: number) =>
      !k.state.memblock.memory.some(
        ({ base, size }) => pfn * PAGE_SIZE >= base && pfn * PAGE_SIZE < base + size,
      ),
  ),
  kvm_set_pfn_dirty: inline((k: Kernel, pfn: number) => {
    if (!k.fn.kvm_is_reserved_pfn(pfn)) k.state.kvm?.dirtyPfns.push(pfn);
  }),
});

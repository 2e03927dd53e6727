/**
 * arch/x86/kvm/mmu.c: nested page tables (TDP), filled on the guest's faults. Left out, because this guest does not
 * reach them: shadow paging, large pages, prefetching of adjacent entries, dirty logging, frames outside every slot.
 */
import { PAGE_SIZE, tableIndex, va, type Va } from '../../../../machine/address.js';
import { UnmodelledError } from '../../../../machine/unmodelled.js';
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_NX,
  _PAGE_PRESENT,
  _PAGE_RW,
  _PAGE_USER,
  PTRS_PER_TABLE,
} from '../../../../kernel/constants.js';
import { CPUINFO } from '../kernel/cpu/common/common.js';
import { get_entry, set_entry, type Level } from '../../../../kernel/cpu-ops.js';
import type { KvmState, VcpuState } from '../../../include/linux/kvm_host.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { fn, inline, bodies, label } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Variable } from '../../../../kernel/variables.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Sets the masks from which entries are built; patch 17 adds `me`. */
    kvm_mmu_set_mask_ptes(
      k: Kernel,
      user: bigint,
      accessed: bigint,
      dirty: bigint,
      nx: bigint,
      x: bigint,
      me?: bigint,
    ): void;
    kvm_mmu_set_mmio_spte_mask(k: Kernel, mask: bigint): void;
    mmu_topup_memory_caches(k: Kernel): void;
    /** Allocates a root table and loads it as the nested CR3. */
    kvm_mmu_load(k: Kernel): void;
    mmu_alloc_direct_roots(k: Kernel): void;
    /** sp->spt, the table of `level` that maps guest frame `gfn`: an existing one, or a new one of zeros. */
    kvm_mmu_get_page(k: Kernel, gfn: number, level: number): Va;
    /** Mask of an entry's address bits. */
    PT64_BASE_ADDR_MASK(k: Kernel): bigint;
    /** Physical address of the table that `spte` points to. */
    '__shadow_walk_next:shadow_addr'(k: Kernel, spte: bigint): bigint;
    spte_to_pfn(k: Kernel, spte: bigint): number;
    /** Clears an entry; where a leaf's dirty bit was set, marks its page frame dirty. */
    mmu_spte_clear_track_bits(
      k: Kernel,
      level: number,
      table: Va,
      index: number,
      gfn: number,
    ): void;
    kvm_mmu_zap_all(k: Kernel): void;
    link_shadow_page(
      k: Kernel,
      table: Va,
      index: number,
      level: number,
      gfn: number,
      spt: Va,
    ): void;
    /** Value of an entry that points to the table `spt`. */
    'link_shadow_page:pointer'(k: Kernel, spt: Va): bigint;
    mmu_set_spte(
      k: Kernel,
      table: Va,
      index: number,
      gfn: number,
      pfn: number,
      write: boolean,
    ): void;
    set_spte(k: Kernel, table: Va, index: number, gfn: number, pfn: number, write: boolean): void;
    /** Returns `spte` with the address of page frame `pfn`. */
    'set_spte:pfn'(k: Kernel, spte: bigint, pfn: number): bigint;
    /** Entry bits whose removal needs a flush of remote TLBs; used where KVM shadows the guest's tables. */
    PT64_PERM_MASK(k: Kernel): bigint;
    need_remote_flush(k: Kernel, before: bigint, after: bigint): boolean;
    __direct_map(k: Kernel, gfn: number, pfn: number, write: boolean): void;
    fast_page_fault(k: Kernel, gpa: number, error: number): boolean;
    tdp_page_fault(k: Kernel, gpa: number, error: number): number;
    /** Returns 0 where the guest must retry, −1 where one of KVM's entries has a reserved bit set. */
    handle_mmio_page_fault(k: Kernel, gpa: number): number;
    /** rsvd_bits() from the physical address width `from` up: bits that no physical address has. */
    'handle_mmio_page_fault:rsvd_bits'(k: Kernel, from: number): bigint;
    /** Returns 1 to enter the guest again, or a negative value, which ends KVM_RUN. */
    kvm_mmu_page_fault(k: Kernel, gpa: number, error: number): number;
  }
}

/** mmu.c, PT64_BASE_ADDR_MASK: bits 51:12. */
const BITS_51_12 = 0x000f_ffff_ffff_f000n;
/** arch/x86/kvm/mmu.h */
const PT64_ROOT_LEVEL = 4;
const PT_PAGE_TABLE_LEVEL = 1;
const PFERR = { PRESENT: 1, WRITE: 2, RSVD: 8 } as const;
/** mmu.c: two bits that the hardware ignores, from PT_FIRST_AVAIL_BITS_SHIFT on. */
const SPTE_HOST_WRITEABLE = 1n << 10n;
const SPTE_MMU_WRITEABLE = 1n << 11n;
/** Pages of a full cache (arch/x86/include/asm/kvm_host.h), and the number below which it is refilled (mmu.c). */
const KVM_NR_MEM_OBJS = 40;
const MMU_PAGE_CACHE_MIN = 8;
const RET_MMIO_PF_RETRY = 0;
const RET_MMIO_PF_BUG = -1;

/** Name and address shift of each table level. */
const LEVELS: Readonly<Record<number, { level: Level; shift: 12 | 21 | 30 | 39 }>> = {
  4: { level: 'pgd', shift: 39 },
  3: { level: 'pud', shift: 30 },
  2: { level: 'pmd', shift: 21 },
  1: { level: 'pte', shift: 12 },
};
function levelOf(level: number): { level: Level; shift: 12 | 21 | 30 | 39 } {
  const found = LEVELS[level];
  if (found === undefined) throw new UnmodelledError(`nested page table level ${String(level)}`);
  return found;
}

const mask = (k: Kernel, name: string): bigint => k.readU64(k.sym(name));
const present = (k: Kernel, spte: bigint): boolean => {
  const mmio = mask(k, 'shadow_mmio_mask');
  return (spte & _PAGE_PRESENT) !== 0n && (spte & mmio) !== mmio;
};

export function kvmOf(k: Kernel): KvmState {
  if (k.state.kvm === null) return k.fn.BUG('no struct kvm');
  return k.state.kvm;
}
export function vcpuOf(k: Kernel): VcpuState {
  const { vcpu } = kvmOf(k);
  if (vcpu === null) return k.fn.BUG('no struct kvm_vcpu');
  return vcpu;
}

/** rsvd_bits(), mmu.h: mask of bits `to`:`from`; 0 where `to` is below `from`. */
export function rsvd_bits(from: number, to: number): bigint {
  return to < from ? 0n : (1n << BigInt(to + 1)) - (1n << BigInt(from));
}

/** for_each_shadow_entry(): entries from the root to the leaf; the next table's address may include a C-bit. */
function* walkShadow(
  k: Kernel,
  gpa: number,
): Generator<{ level: number; table: Va; index: number; spte: bigint }> {
  let table = k.__va(vcpuOf(k).rootHpa ?? 0);
  for (let level = PT64_ROOT_LEVEL; level >= PT_PAGE_TABLE_LEVEL; level--) {
    const index = tableIndex(gpa, levelOf(level).shift);
    yield { level, table, index, spte: get_entry(k, table, index) };
    const spte = get_entry(k, table, index);
    table = k.__va(Number(k.fn['__shadow_walk_next:shadow_addr'](spte)));
  }
}

export const kvmMmu = bodies({
  kvm_mmu_set_mask_ptes: fn(
    (k: Kernel, user: bigint, accessed: bigint, dirty: bigint, nx: bigint, x: bigint) => {
      k.writeU64(k.sym('shadow_user_mask'), user);
      k.writeU64(k.sym('shadow_accessed_mask'), accessed);
      k.writeU64(k.sym('shadow_dirty_mask'), dirty);
      k.writeU64(k.sym('shadow_nx_mask'), nx);
      k.writeU64(k.sym('shadow_x_mask'), x);
    },
  ),
  kvm_mmu_set_mmio_spte_mask: inline((k: Kernel, value: bigint) => {
    k.writeU64(k.sym('shadow_mmio_mask'), value);
  }),

  // The page cache only; the other caches hold structures that are model state here.
  mmu_topup_memory_caches: inline((k: Kernel) => {
    const { pageCache } = vcpuOf(k);
    if (pageCache.length >= MMU_PAGE_CACHE_MIN) return;
    while (pageCache.length < KVM_NR_MEM_OBJS) {
      const page = k.fn.__get_free_pages(GFP.KERNEL, 0);
      if (page === 0) return k.fn.panic('Out of memory and no killable processes...');
      pageCache.push(page);
    }
  }),

  kvm_mmu_load: fn((k: Kernel) => {
    k.fn.mmu_topup_memory_caches();
    k.fn.mmu_alloc_direct_roots();
    k.fn.set_tdp_cr3(BigInt(vcpuOf(k).rootHpa ?? 0));
  }),
  mmu_alloc_direct_roots: inline((k: Kernel) => {
    vcpuOf(k).rootHpa = k.__pa(k.fn.kvm_mmu_get_page(0, PT64_ROOT_LEVEL));
  }),

  kvm_mmu_get_page: inline((k: Kernel, gfn: number, level: number) => {
    const vcpu = vcpuOf(k);
    const existing = vcpu.shadowPages.find((sp) => sp.gfn === gfn && sp.level === level);
    if (existing !== undefined) return va(existing.spt);
    const spt = vcpu.pageCache.pop();
    if (spt === undefined) return k.fn.BUG('mmu_memory_cache_alloc: the cache is empty');
    vcpu.shadowPages.push({ gfn, level, spt });
    // clear_page(), through the direct map.
    k.memset(va(spt), 0, PAGE_SIZE);
    return va(spt);
  }),

  link_shadow_page: inline(
    (k: Kernel, table: Va, index: number, level: number, gfn: number, spt: Va) => {
      const value = k.fn['link_shadow_page:pointer'](spt);
      set_entry(k, levelOf(level).level, table, index, value, va(gfn * PAGE_SIZE));
    },
  ),
  'link_shadow_page:pointer': label(
    (k: Kernel, spt: Va) =>
      BigInt(k.__pa(spt)) |
      _PAGE_PRESENT |
      _PAGE_RW |
      mask(k, 'shadow_user_mask') |
      mask(k, 'shadow_x_mask') |
      mask(k, 'shadow_accessed_mask'),
  ),

  PT64_BASE_ADDR_MASK: inline(() => BITS_51_12),
  '__shadow_walk_next:shadow_addr': label(
    (k: Kernel, spte: bigint) => spte & k.fn.PT64_BASE_ADDR_MASK(),
  ),
  spte_to_pfn: inline((k: Kernel, spte: bigint) =>
    Number((spte & k.fn.PT64_BASE_ADDR_MASK()) / BigInt(PAGE_SIZE)),
  ),

  mmu_spte_clear_track_bits: inline(
    (k: Kernel, level: number, table: Va, index: number, gfn: number) => {
      const spte = get_entry(k, table, index);
      set_entry(k, levelOf(level).level, table, index, 0n, va(gfn * PAGE_SIZE));
      if (!present(k, spte) || level !== PT_PAGE_TABLE_LEVEL) return;
      if ((spte & mask(k, 'shadow_dirty_mask')) !== 0n) {
        k.fn.kvm_set_pfn_dirty(k.fn.spte_to_pfn(spte));
      }
    },
  ),

  // kvm_arch_flush_shadow_all(): page frames of dirty leaves are marked dirty, and the tables are freed.
  kvm_mmu_zap_all: fn((k: Kernel) => {
    const vcpu = vcpuOf(k);
    for (const { level, spt, gfn } of vcpu.shadowPages) {
      const pages = 2 ** levelOf(level).shift / PAGE_SIZE;
      for (let index = 0; index < PTRS_PER_TABLE; index++) {
        if (get_entry(k, va(spt), index) === 0n) continue;
        k.fn.mmu_spte_clear_track_bits(level, va(spt), index, gfn + index * pages);
      }
      k.fn.free_pages(va(spt), 0);
    }
    for (const page of vcpu.pageCache) k.fn.free_pages(va(page), 0);
    vcpu.shadowPages = [];
    vcpu.pageCache = [];
    vcpu.rootHpa = null;
  }),

  mmu_set_spte: inline(
    (k: Kernel, table: Va, index: number, gfn: number, pfn: number, write: boolean) => {
      const before = get_entry(k, table, index);
      // A present entry for another page frame is cleared first.
      if (present(k, before) && pfn !== k.fn.spte_to_pfn(before)) {
        k.fn.mmu_spte_clear_track_bits(PT_PAGE_TABLE_LEVEL, table, index, gfn);
      }
      k.fn.set_spte(table, index, gfn, pfn, write);
    },
  ),

  // A 4 KiB page, mapped on its fault (not speculatively) with ACC_ALL; svm_get_mt_mask() is 0.
  set_spte: fn((k: Kernel, table: Va, index: number, gfn: number, pfn: number, write: boolean) => {
    let spte = _PAGE_PRESENT | mask(k, 'shadow_accessed_mask');
    spte |= mask(k, 'shadow_x_mask') | mask(k, 'shadow_user_mask');
    if (write) spte |= SPTE_HOST_WRITEABLE;
    spte = k.fn['set_spte:pfn'](spte, pfn);
    if (write) spte |= _PAGE_RW | SPTE_MMU_WRITEABLE | mask(k, 'shadow_dirty_mask');
    set_entry(k, 'pte', table, index, spte, va(gfn * PAGE_SIZE));
  }),
  'set_spte:pfn': label((_k: Kernel, spte: bigint, pfn: number) => spte | BigInt(pfn * PAGE_SIZE)),

  PT64_PERM_MASK: inline(
    (k: Kernel) =>
      _PAGE_PRESENT |
      _PAGE_RW |
      mask(k, 'shadow_user_mask') |
      mask(k, 'shadow_x_mask') |
      mask(k, 'shadow_nx_mask'),
  ),
  // Its only caller, kvm_mmu_pte_write(), handles shadowed guest tables, which this guest does not have.
  need_remote_flush: inline((k: Kernel, before: bigint, after: bigint) => {
    if (!present(k, before)) return false;
    if (!present(k, after)) return true;
    if (((before ^ after) & k.fn.PT64_BASE_ADDR_MASK()) !== 0n) return true;
    const nx = mask(k, 'shadow_nx_mask');
    return ((before ^ nx) & ~(after ^ nx) & k.fn.PT64_PERM_MASK()) !== 0n;
  }),

  __direct_map: inline((k: Kernel, gfn: number, pfn: number, write: boolean) => {
    const gpa = gfn * PAGE_SIZE;
    for (const { level, table, index, spte } of walkShadow(k, gpa)) {
      if (level === PT_PAGE_TABLE_LEVEL) {
        k.fn.mmu_set_spte(table, index, gfn, pfn, write);
        return;
      }
      if (present(k, spte)) continue;
      const span = 2 ** levelOf(level).shift;
      const base = Math.floor(gpa / span) * (span / PAGE_SIZE);
      const spt = k.fn.kvm_mmu_get_page(base, level - 1);
      k.fn.link_shadow_page(table, index, level, base, spt);
    }
  }),

  // Only a write to a present entry can be fast. Where the entry is gone or already writable, the guest retries.
  fast_page_fault: inline((k: Kernel, gpa: number, error: number) => {
    if ((error & PFERR.RSVD) !== 0) return false;
    if ((error & PFERR.PRESENT) === 0 || (error & PFERR.WRITE) === 0) return false;
    let last = 0n;
    for (const { spte } of walkShadow(k, gpa)) {
      last = spte;
      if (!present(k, spte)) break;
    }
    return !present(k, last) || (last & _PAGE_RW) !== 0n;
  }),

  tdp_page_fault: fn((k: Kernel, gpa: number, error: number) => {
    k.fn.mmu_topup_memory_caches();
    if (k.fn.fast_page_fault(gpa, error)) return 0;
    const gfn = Math.floor(gpa / PAGE_SIZE);
    const pfn = k.fn.gfn_to_pfn(gfn);
    if (pfn === 0) throw new UnmodelledError('guest memory outside every memory slot');
    // map_writable: the VMM's page is writable, so the guest's mapping is, whatever the access was.
    k.fn.__direct_map(gfn, pfn, true);
    return 0;
  }),

  'handle_mmio_page_fault:rsvd_bits': inline((_k: Kernel, from: number) => rsvd_bits(from, 51)),
  handle_mmio_page_fault: fn((k: Kernel, gpa: number) => {
    let reserved = false;
    for (const { level, spte } of walkShadow(k, gpa)) {
      if (!present(k, spte)) break;
      // reset_tdp_shadow_zero_bits_mask(): bits from x86_phys_bits to 51, and NX, must be 0.
      const phys = k.readU8(va(k.sym('boot_cpu_data') + CPUINFO.x86_phys_bits));
      const upper = level >= 3 ? 1n << 8n : 0n;
      const unaddressable = k.fn['handle_mmio_page_fault:rsvd_bits'](phys);
      const zero = unaddressable | _PAGE_NX | (level === PT_PAGE_TABLE_LEVEL ? 0n : upper);
      reserved ||= (spte & zero) !== 0n;
    }
    if (!reserved) return RET_MMIO_PF_RETRY;
    k.fn.printk(`walk_shadow_page_get_mmio_spte: reserved bits at 0x${gpa.toString(16)}`);
    return RET_MMIO_PF_BUG;
  }),

  kvm_mmu_page_fault: inline((k: Kernel, gpa: number, error: number) => {
    if ((error & PFERR.RSVD) !== 0) {
      const result = k.fn.handle_mmio_page_fault(gpa);
      if (result === RET_MMIO_PF_RETRY) return 1;
      if (result < 0) return result;
    }
    k.fn.tdp_page_fault(gpa, error);
    return 1;
  }),
});

export { _PAGE_ACCESSED as PT_ACCESSED_MASK, _PAGE_DIRTY as PT_DIRTY_MASK };
export { _PAGE_NX as PT64_NX_MASK, _PAGE_USER as PT_USER_MASK };

const variable = (name: string): Variable => ({
  name,
  size: 8,
  align: 8,
  section: '.data',
  file: 'arch/x86/kvm/mmu.c',
});

export const kvmMmuVariables: readonly Variable[] = [
  'shadow_nx_mask',
  'shadow_x_mask',
  'shadow_user_mask',
  'shadow_accessed_mask',
  'shadow_dirty_mask',
  'shadow_mmio_mask',
].map(variable);

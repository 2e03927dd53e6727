/** arch/x86/kernel/mpparse.c: the MP floating pointer, found through the direct map. */
import { PAGE_SIZE, va, type Va } from '../../../../../machine/address.js';
import { search } from '../../../../../kernel/searched.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Whether the floating pointer is in the range; addresses and sizes in bytes. */
    smp_scan_config(k: Kernel, base: number, length: number): boolean;
    mpf_checksum(k: Kernel, at: Va, length: number): number;
    smp_reserve_memory(k: Kernel, physptr: number): void;
    get_mpc_size(k: Kernel, physptr: number): number;
  }
}

/** struct mpf_intel (arch/x86/include/asm/mpspec_def.h). */
export const MPF = {
  signature: 0,
  physptr: 4,
  length: 8,
  specification: 9,
  checksum: 10,
  feature1: 11,
  size: 16,
} as const;

/** struct mpc_table. */
export const MPC = {
  signature: 0,
  length: 4,
  spec: 6,
  checksum: 7,
  oem: 8,
  productid: 16,
  lapic: 36,
  size: 44,
} as const;

/** "_MP_" as 32 bits. */
const SMP_MAGIC_IDENT = 0x5f50_4d5f;

const SEARCH = {
  what: 'MP floating pointer',
  by: 'smp_scan_config',
  signature: '_MP_',
  step: MPF.size,
} as const;

/** Versions 1.1 and 1.4. */
export const SPECIFICATIONS: readonly number[] = [1, 4];

/** num_processors: CPUs of the MADT and of the MP table. */
export const num_processors = (k: Kernel): number =>
  k.state.madt.apicIds.length + k.state.mp.processors.length;

/** smp_scan_config(): whether the floating pointer is in the range. */
function scan(k: Kernel, base: number, length: number): boolean {
  const ended = search(k, { ...SEARCH, at: k.__va(base), length });
  for (let at = base; at < base + length; at += MPF.size) {
    const mpf = k.__va(at);
    if (k.readU32(va(mpf + MPF.signature)) !== SMP_MAGIC_IDENT) continue;
    if (k.readU8(va(mpf + MPF.length)) !== 1) continue;
    if (k.fn.mpf_checksum(mpf, MPF.size) !== 0) continue;
    if (!SPECIFICATIONS.includes(k.readU8(va(mpf + MPF.specification)))) continue;
    k.trace.recorder.consumed('MP floating pointer', 'smp_scan_config', k.readBytes(mpf, MPF.size));
    ended(true);
    k.state.mp.mpfFound = mpf;
    k.state.mp.foundConfig = true;
    k.fn.printk(`found SMP MP-table at [mem 0x${at.toString(16)}]`);
    k.fn.memblock_reserve(at, MPF.size);
    const physptr = k.readU32(va(mpf + MPF.physptr));
    if (physptr !== 0) k.fn.smp_reserve_memory(physptr);
    return true;
  }
  ended(false);
  return false;
}

export const mpf = bodies({
  mpf_checksum: inline((k: Kernel, at: Va, length: number) =>
    k.readBytes(at, length).reduce((sum, byte) => (sum + byte) & 0xff, 0),
  ),

  smp_scan_config: fn(
    (k: Kernel, base: number, length: number) =>
      k.trace.reading(SEARCH.what, k.__va(base), length, (counted) =>
        counted(() => scan(k, base, length)),
      ),
    true,
  ),

  smp_reserve_memory: inline((k: Kernel, physptr: number) => {
    k.fn.memblock_reserve(physptr, k.fn.get_mpc_size(physptr));
  }),

  get_mpc_size: fn((k: Kernel, physptr: number) => {
    const mpc = k.fn.early_ioremap(physptr, PAGE_SIZE);
    const size = k.readU16(va(mpc + MPC.length));
    k.fn.early_iounmap(va(mpc), PAGE_SIZE);
    return size;
  }),
});

/**
 * arch/x86/kernel/mpparse.c: the MP floating pointer, looked for through the direct map, and the MP table behind it, read
 * through I/O mappings. Buses, I/O APICs and interrupts are stepped over, not kept.
 */
import { latin1 } from '../../../../base/bytes.js';
import { PAGE_SIZE, va, type Va } from '../../../../machine/address.js';
import { UnmodelledError } from '../../../../machine/unmodelled.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    find_smp_config(k: Kernel): void;
    /** Whether the floating pointer is in the range. */
    smp_scan_config(k: Kernel, base: number, length: number): boolean;
    mpf_checksum(k: Kernel, at: Va, length: number): number;
    smp_reserve_memory(k: Kernel, physptr: number): void;
    get_mpc_size(k: Kernel, physptr: number): number;
    get_smp_config(k: Kernel): void;
    /** acpi_lapic && acpi_ioapic: then the MP table is not read. */
    'get_smp_config:acpi'(k: Kernel): boolean;
    /** Returns whether the table was read. */
    check_physptr(k: Kernel, physptr: number): boolean;
    /** Returns whether the table is a good one. */
    smp_check_mpc(k: Kernel, mpc: Va): boolean;
    /** Returns how many processors there are. */
    smp_read_mpc(k: Kernel, mpc: Va): number;
    MP_processor_info(k: Kernel, entry: Va): void;
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
/** struct mpc_cpu. */
export const MPC_CPU = { type: 0, apicid: 1, apicver: 2, cpuflag: 3, size: 20 } as const;

/** "_MP_" as 32 bits. */
const SMP_MAGIC_IDENT = 0x5f50_4d5f;
/** "PCMP" as 32 bits. */
const MPC_SIGNATURE = 0x504d_4350;
const SPECIFICATIONS: readonly number[] = [1, 4];
/** Types of the table's entries and their sizes in bytes. */
const MP_PROCESSOR = 0;
const ENTRY_SIZES: Readonly<Record<number, number>> = {
  [MP_PROCESSOR]: MPC_CPU.size,
  1: 8,
  2: 8,
  3: 8,
  4: 8,
};
const CPU_ENABLED = 1;
const CPU_BOOTPROCESSOR = 2;
/** Where the floating pointer may be: the first KiB, the last of 640, the BIOS ROM (default_find_smp_config). */
const PLACES = [
  [0, 0x400],
  [639 * 0x400, 0x400],
  [0xf_0000, 0x1_0000],
] as const;
const EBDA_SCAN = 0x400;

/** num_processors: those of the MADT and those of this table. */
const num_processors = (k: Kernel): number =>
  k.state.madt.apicIds.length + k.state.mp.processors.length;

function text(k: Kernel, at: Va, length: number): string {
  return latin1(k.readBytes(at, length)).trimEnd();
}

export const mpparse = bodies({
  find_smp_config: fn((k: Kernel) => {
    for (const [base, length] of PLACES) if (k.fn.smp_scan_config(base, length)) return;
    const ebda = k.fn.get_bios_ebda();
    if (ebda !== 0) k.fn.smp_scan_config(ebda, EBDA_SCAN);
  }),

  mpf_checksum: inline((k: Kernel, at: Va, length: number) =>
    k.readBytes(at, length).reduce((sum, byte) => (sum + byte) & 0xff, 0),
  ),

  smp_scan_config: fn((k: Kernel, base: number, length: number) => {
    k.trace.read('MP floating pointer', k.__va(base), length);
    for (let at = base; at < base + length; at += MPF.size) {
      const mpf = k.__va(at);
      if (k.readU32(va(mpf + MPF.signature)) !== SMP_MAGIC_IDENT) continue;
      if (k.readU8(va(mpf + MPF.length)) !== 1) continue;
      if (k.fn.mpf_checksum(mpf, MPF.size) !== 0) continue;
      if (!SPECIFICATIONS.includes(k.readU8(va(mpf + MPF.specification)))) continue;
      k.trace.recorder.consumed(
        'MP floating pointer',
        'smp_scan_config',
        k.readBytes(mpf, MPF.size),
      );
      k.state.mp.mpfFound = mpf;
      k.state.mp.foundConfig = true;
      k.trace.console(`found SMP MP-table at [mem 0x${at.toString(16)}]`);
      k.fn.memblock_reserve(at, MPF.size);
      const physptr = k.readU32(va(mpf + MPF.physptr));
      if (physptr !== 0) k.fn.smp_reserve_memory(physptr);
      return true;
    }
    return false;
  }, true),

  smp_reserve_memory: inline((k: Kernel, physptr: number) => {
    k.fn.memblock_reserve(physptr, k.fn.get_mpc_size(physptr));
  }),

  get_mpc_size: fn((k: Kernel, physptr: number) => {
    const mpc = k.fn.early_ioremap(physptr, PAGE_SIZE);
    const size = k.readU16(va(mpc + MPC.length));
    k.fn.early_iounmap(va(mpc), PAGE_SIZE);
    return size;
  }),

  get_smp_config: fn((k: Kernel) => {
    const { mpfFound } = k.state.mp;
    if (mpfFound === null || k.fn['get_smp_config:acpi']()) return;
    const mpf = va(mpfFound);
    const specification = k.readU8(va(mpf + MPF.specification));
    k.trace.console(`Intel MultiProcessor Specification v1.${String(specification)}`);
    const feature1 = k.readU8(va(mpf + MPF.feature1));
    if (feature1 !== 0) {
      throw new UnmodelledError(`default MP configuration ${String(feature1)}`);
    }
    const physptr = k.readU32(va(mpf + MPF.physptr));
    if (physptr === 0) k.fn.BUG('mpparse: no MP table');
    if (!k.fn.check_physptr(physptr)) return;
    k.trace.console(`Processors: ${String(num_processors(k))}`);
  }, true),

  'get_smp_config:acpi': inline((k: Kernel) => k.state.madt.lapic && k.state.madt.ioapic),

  check_physptr: fn((k: Kernel, physptr: number) => {
    const size = k.fn.get_mpc_size(physptr);
    const mpc = va(k.fn.early_ioremap(physptr, size));
    const good = k.fn.smp_read_mpc(mpc) !== 0;
    if (!good) {
      k.state.mp.mpfFound = null;
      k.state.mp.foundConfig = false;
      k.trace.console('BIOS bug, MP table errors detected!... disabling SMP support.');
    }
    k.fn.early_iounmap(mpc, size);
    return good;
  }),

  smp_check_mpc: inline((k: Kernel, mpc: Va) => {
    const bad = (what: string): boolean => {
      k.trace.console(`MPTABLE: ${what}!`);
      return false;
    };
    if (k.readU32(va(mpc + MPC.signature)) !== MPC_SIGNATURE) return bad('bad signature');
    const length = k.readU16(va(mpc + MPC.length));
    if (k.fn.mpf_checksum(mpc, length) !== 0) return bad('checksum error');
    if (!SPECIFICATIONS.includes(k.readU8(va(mpc + MPC.spec)))) return bad('bad table version');
    if (k.readU32(va(mpc + MPC.lapic)) === 0) return bad('null local APIC address');
    k.trace.console(`MPTABLE: OEM ID: ${text(k, va(mpc + MPC.oem), 8)}`);
    k.trace.console(`MPTABLE: Product ID: ${text(k, va(mpc + MPC.productid), 12)}`);
    return true;
  }),

  smp_read_mpc: fn((k: Kernel, mpc: Va) => {
    if (!k.fn.smp_check_mpc(mpc)) return 0;
    const { mp } = k.state;
    mp.lapic = k.readU32(va(mpc + MPC.lapic));
    const length = k.readU16(va(mpc + MPC.length));
    k.trace.recorder.consumed('MP configuration table', 'smp_read_mpc', k.readBytes(mpc, length));
    for (let at: number = MPC.size; at < length;) {
      const type = k.readU8(va(mpc + at));
      const size = ENTRY_SIZES[type];
      if (size === undefined) {
        k.trace.console(`Your mptable is wrong, contact your HW vendor! type ${type.toString(16)}`);
        break;
      }
      // ACPI may have given this already.
      if (type === MP_PROCESSOR && !k.state.madt.lapic) k.fn.MP_processor_info(va(mpc + at));
      at += size;
    }
    const count = num_processors(k);
    if (count === 0) k.trace.console('MPTABLE: no processors registered!');
    return count;
  }, true),

  MP_processor_info: inline((k: Kernel, entry: Va) => {
    const flags = k.readU8(va(entry + MPC_CPU.cpuflag));
    if ((flags & CPU_ENABLED) === 0) return;
    const apicid = k.readU8(va(entry + MPC_CPU.apicid));
    const bootup = (flags & CPU_BOOTPROCESSOR) !== 0;
    k.trace.console(`Processor #${String(apicid)}${bootup ? ' (Bootup-CPU)' : ''}`);
    if (k.fn.generic_processor_info(apicid)) k.state.mp.processors.push({ apicid, bootup });
  }),
});

/**
 * arch/x86/include/asm/mpspec.h: the MP configuration. The two inline functions call default_find_smp_config() and
 * default_get_smp_config() of mpparse.c through x86_init; each is one function here (our choice).
 */
import { stateSlice } from '../../../../../kernel/state.js';
import { MPF, num_processors } from '../../kernel/mpparse/mpf.js';
import { fn, bodies, inline } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';
import { va } from '../../../../../machine/address.js';
import { UnmodelledError } from '../../../../../machine/unmodelled.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Searches the ranges that the MP specification allows for the floating pointer. */
    find_smp_config(k: Kernel): void;
    /** Reads the MP table that the floating pointer points to. */
    get_smp_config(k: Kernel): void;
    /** acpi_lapic && acpi_ioapic: where true, the MP table is not read. */
    'get_smp_config:acpi'(k: Kernel): boolean;
  }
}

/** What mpparse.c stores of the MP table. */
export interface MpConfig {
  /** mpf_found: the floating pointer's address in the direct map. */
  mpfFound: number | null;
  /** smp_found_config. */
  foundConfig: boolean;
  /** Local APIC IDs of the enabled processors (generic_processor_info), in the table's order. */
  processors: { apicid: number; bootup: boolean }[];
  /** mp_lapic_addr. */
  lapic: number;
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    mp: MpConfig;
  }
}
export const mpState = stateSlice(() => ({
  mp: { mpfFound: null, foundConfig: false, processors: [], lapic: 0 },
}));

/** Ranges to scan, as address and bytes: the first KiB, the last KiB of 640, the BIOS ROM (default_find_smp_config). */
const SCANNED = [
  [0, 0x400],
  [639 * 0x400, 0x400],
  [0xf_0000, 0x1_0000],
] as const;
const EBDA_SCAN = 0x400;

export const findSmpConfig = bodies({
  find_smp_config: fn((k: Kernel) => {
    for (const [base, length] of SCANNED) if (k.fn.smp_scan_config(base, length)) return;
    const ebda = k.fn.get_bios_ebda();
    if (ebda !== 0) k.fn.smp_scan_config(ebda, EBDA_SCAN);
  }),
});

export const getSmpConfig = bodies({
  get_smp_config: fn((k: Kernel) => {
    const { mpfFound } = k.state.mp;
    if (mpfFound === null || k.fn['get_smp_config:acpi']()) return;
    const mpf = va(mpfFound);
    const specification = k.readU8(va(mpf + MPF.specification));
    k.fn.printk(`Intel MultiProcessor Specification v1.${String(specification)}`);
    const feature1 = k.readU8(va(mpf + MPF.feature1));
    if (feature1 !== 0) {
      throw new UnmodelledError(`default MP configuration ${String(feature1)}`);
    }
    const physptr = k.readU32(va(mpf + MPF.physptr));
    if (physptr === 0) k.fn.BUG('mpparse: no MP table');
    if (!k.fn.check_physptr(physptr)) return;
    k.fn.printk(`Processors: ${String(num_processors(k))}`);
  }, true),

  'get_smp_config:acpi': inline((k: Kernel) => k.state.madt.lapic && k.state.madt.ioapic),
});

/** arch/x86/mm/pat.c: the page attribute table, set up on each CPU. */
import { MEMTYPE } from '../../../../../machine/types.js';
import { MSR_IA32_CR_PAT, PAGE_CACHE_MODE } from '../../../../../kernel/constants.js';
import { rdmsr, wrmsr } from '../../../../../kernel/cpu-ops.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Memory types (PAT encodings) of the eight slots, for the full-PAT branch of pat_init. */
    'pat_init:slots'(k: Kernel): number[];
    pat_init(k: Kernel): void;
    pat_bsp_init(k: Kernel, pat: bigint): void;
    /** On another CPU, or again on the boot CPU. */
    pat_ap_init(k: Kernel, pat: bigint): void;
    init_cache_modes(k: Kernel): void;
    __init_cache_modes(k: Kernel, pat: bigint): void;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    /** pat_init()'s static variable: the boot CPU has written the PAT. */
    patBootCpuDone: boolean;
  }
}
export const patState = stateSlice(() => ({ patBootCpuDone: false }));

const { UC, WC, WT, WP, WB, UC_MINUS } = MEMTYPE;

/** The base's slots: WT in slot 7; the reserved slots 4 to 6 repeat slots 0 to 2. */
export const BASE_SLOTS: readonly number[] = [WB, WC, UC_MINUS, UC, WB, WC, UC_MINUS, WT];
/** Types of the slots without PAT: those of the register's reset value. */
const NO_PAT_SLOTS: readonly number[] = [WB, WT, UC_MINUS, UC, WB, WT, UC_MINUS, UC];

/** Cache mode of a PAT type (pat_get_cache_mode). */
const CACHE_MODE: Readonly<Record<number, number>> = {
  [UC]: PAGE_CACHE_MODE.UC,
  [WC]: PAGE_CACHE_MODE.WC,
  [WT]: PAGE_CACHE_MODE.WT,
  [WP]: PAGE_CACHE_MODE.WP,
  [WB]: PAGE_CACHE_MODE.WB,
  [UC_MINUS]: PAGE_CACHE_MODE.UC_MINUS,
};
const TYPE_NAME: Readonly<Record<number, string>> = {
  [UC]: 'UC',
  [WC]: 'WC',
  [WT]: 'WT',
  [WP]: 'WP',
  [WB]: 'WB',
  [UC_MINUS]: 'UC-',
};

/** Value of IA32_PAT for eight types, slot 0 in the low byte. */
export function patValue(slots: readonly number[]): bigint {
  return slots.reduce((value, type, slot) => value | (BigInt(type) << BigInt(slot * 8)), 0n);
}

export const pat = bodies({
  'pat_init:slots': inline(() => [...BASE_SLOTS]),

  pat_init: fn((k: Kernel) => {
    // pat_disable() has already set the cache modes.
    if (!k.state.params.patEnabled) return;
    const value = patValue(k.fn['pat_init:slots']());
    if (k.state.patBootCpuDone) {
      k.fn.pat_ap_init(value);
      return;
    }
    k.fn.pat_bsp_init(value);
    k.state.patBootCpuDone = true;
  }),
  // pat_enabled() is true here: the boot CPU found a PAT.
  pat_ap_init: inline((k: Kernel, value: bigint) => {
    if (k.state.mtrrEnabled) wrmsr(k, MSR_IA32_CR_PAT, value);
  }),

  pat_bsp_init: fn((k: Kernel, value: bigint) => {
    const found = rdmsr(k, MSR_IA32_CR_PAT);
    // The kernel treats a value of 0 as no PAT.
    if (found === 0n) {
      k.fn.init_cache_modes();
      return;
    }
    wrmsr(k, MSR_IA32_CR_PAT, value);
    k.fn.__init_cache_modes(value);
  }),

  init_cache_modes: fn((k: Kernel) => {
    const found = rdmsr(k, MSR_IA32_CR_PAT);
    k.fn.__init_cache_modes(found === 0n ? patValue(NO_PAT_SLOTS) : found);
  }),

  // From slot 7 down, so that the lowest slot of a type is the one used.
  __init_cache_modes: fn((k: Kernel, value: bigint) => {
    const names: string[] = [];
    for (let slot = 7; slot >= 0; slot--) {
      const type = Number((value >> BigInt(slot * 8)) & 7n);
      k.fn.update_cache_mode_entry(slot, CACHE_MODE[type] ?? PAGE_CACHE_MODE.WB);
      names.unshift((TYPE_NAME[type] ?? 'WB').padEnd(4));
    }
    k.fn.printk(`x86/PAT: Configuration [0-7]: ${names.join('').trimEnd()}`);
  }),
});

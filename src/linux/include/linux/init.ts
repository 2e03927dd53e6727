/** include/linux/init.h: struct obs_kernel_param, and the variables that options set outside simulated memory. */
import type { Kernel } from '../../../kernel/kernel.js';
import { stateSlice } from '../../../kernel/state.js';

/** Handles an option's value. Returns 0 on success if it is early_param()'s, a nonzero value if it is __setup()'s. */
export type SetupFunc = (k: Kernel, arg: string) => number;

/** struct obs_kernel_param. */
export interface ObsKernelParam {
  /** The name; with its `=` if `__setup()` has one. */
  readonly str: string;
  readonly early: boolean;
  /** An early function gets undefined (NULL) if the option has no `=`. */
  readonly setup: (k: Kernel, arg: string | undefined) => number;
}

/** early_param() */
export const early_param = (str: string, setup: ObsKernelParam['setup']): ObsKernelParam => ({
  str,
  early: true,
  setup,
});
/** __setup(): the function gets the text after the name. */
export const __setup = (str: string, setup: SetupFunc): ObsKernelParam => ({
  str,
  early: false,
  setup: (k, arg = '') => setup(k, arg),
});
/** A setup function that calls `set` and returns `result`, as the kernel's function does. */
export const always =
  (result: number, set: (k: Kernel) => void) =>
  (k: Kernel): number => {
    set(k);
    return result;
  };

/** NR_CPUS (our choice: cpumask.ts). */
export const NR_CPUS = 64;

/** A range of memory for a crash kernel (struct resource), in bytes. */
export interface CrashRegion {
  base: number;
  size: number;
}

/** Variables that options set and that no device reads, by the file that defines them. */
export interface ParamState {
  /** arch/x86/kernel/e820.c: the user defined a memory map. */
  userdef: boolean;
  /** arch/x86/kernel/setup.c: reserve_low in bytes (CONFIG_X86_RESERVE_LOW=64). */
  reserveLow: number;
  /** crashk_res and crashk_low_res (kernel/kexec_core.c). */
  crashkRes: CrashRegion | null;
  crashkLowRes: CrashRegion | null;
  /** arch/x86/mm/setup_nx.c. */
  disableNx: boolean;
  /** arch/x86/mm/init.c; CONFIG_X86_DIRECT_GBPAGES is set. */
  directGbpages: boolean;
  /** arch/x86/mm/pat.c: __pat_enabled, and init_cache_modes() has run. */
  patEnabled: boolean;
  /** kernel/smp.c and arch/x86/kernel/smpboot.c. */
  setupMaxCpus: number;
  nrCpuIds: number;
  setupPossibleCpus: number;
  /** arch/x86/kernel/apic: disable_apic, skip_ioapic_setup; BAD_APICID if no CPU is disabled. */
  disableApic: boolean;
  skipIoapicSetup: boolean;
  disabledCpuApicid: number;
  disabledCpus: number;
  /** arch/x86/kernel/acpi/boot.c and drivers/acpi. */
  acpiForce: boolean;
  acpiNoirq: boolean;
  doNotUseXsdt: boolean;
  /** drivers/acpi/osl.c: 0 if it is not given. */
  acpiRsdp: number;
  /** drivers/firmware/efi/efi.c and arch/x86/platform/efi/efi.c. */
  efiRuntimeDisabled: boolean;
  addEfiMemmap: boolean;
  /** arch/x86/kernel/pci-dma.c; forbid_dac is in drivers/pci. */
  forbidDac: number;
  iommuSacForce: boolean;
  /** drivers/iommu/amd_iommu_init.c. */
  amdIommuDisabled: boolean;
  amdIommuUnmapFlush: boolean;
  amdIommuForceIsolation: boolean;
  /** drivers/iommu/irq_remapping.c. */
  disableIrqRemap: boolean;
  /** arch/x86/kernel/cpu/microcode/core.c. */
  disUcodeLdr: boolean;
  /** init/do_mounts_initrd.c and init/initramfs.c. */
  mountInitrd: boolean;
  doRetainInitrd: boolean;
  /** init/main.c: argv_init and envp_init, for the first program; and the texts of panic_later and panic_param. */
  argvInit: string[];
  envpInit: string[];
  panicLater: { vars: 'init' | 'env'; param: string } | null;
}

export const BAD_APICID = 0xffff;

export const freshParams = (): ParamState => ({
  userdef: false,
  reserveLow: 64 * 1024,
  crashkRes: null,
  crashkLowRes: null,
  disableNx: false,
  directGbpages: true,
  patEnabled: true,
  setupMaxCpus: NR_CPUS,
  nrCpuIds: NR_CPUS,
  setupPossibleCpus: -1,
  disableApic: false,
  skipIoapicSetup: false,
  disabledCpuApicid: BAD_APICID,
  disabledCpus: 0,
  acpiForce: false,
  acpiNoirq: false,
  doNotUseXsdt: false,
  acpiRsdp: 0,
  efiRuntimeDisabled: false,
  addEfiMemmap: false,
  forbidDac: 0,
  iommuSacForce: false,
  amdIommuDisabled: false,
  amdIommuUnmapFlush: false,
  amdIommuForceIsolation: false,
  disableIrqRemap: false,
  disUcodeLdr: false,
  mountInitrd: true,
  doRetainInitrd: false,
  argvInit: ['init'],
  envpInit: ['HOME=/', 'TERM=linux'],
  panicLater: null,
});

declare module '../../../kernel/state.js' {
  interface KernelState {
    /** Variables that options of the command line set. */
    params: ParamState;
  }
}
export const paramState = stateSlice(() => ({ params: freshParams() }));

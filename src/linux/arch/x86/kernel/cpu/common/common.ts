/** arch/x86/kernel/cpu/common.c: vendor, family and features of the boot CPU; noclflush. */
import { own } from '../../../../../../base/own.js';
import { hex, va } from '../../../../../../machine/address.js';
import { cpuid } from '../../../../../../kernel/cpu-ops.js';
import { __setup, always, type ObsKernelParam } from '../../../../../include/linux/init.js';
import { stateSlice } from '../../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';
import type { Variable } from '../../../../../../kernel/variables.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    early_cpu_init(k: Kernel): void;
    get_cpu_cap(k: Kernel): void;
    /** x86_phys_bits, from `bits`, the value that CPUID reports. */
    'get_cpu_cap:phys_bits'(k: Kernel, bits: number): number;
  }
}

declare module '../../../../../../kernel/state.js' {
  interface KernelState {
    bootCpuData: { vendor: string; family: number; capability: Record<string, number> };
  }
}
export const cpuState = stateSlice(() => ({
  bootCpuData: { vendor: '', family: 0, capability: {} },
}));

/** Offsets in the model's struct cpuinfo_x86 (our choice: only what boot code here reads). */
export const CPUINFO = { x86_vendor: 0, x86: 1, x86_phys_bits: 8, x86_virt_bits: 9 } as const;
export const X86_VENDOR = { INTEL: 0, AMD: 2, UNKNOWN: 0xff } as const;

const VENDORS: Readonly<Record<string, number>> = {
  GenuineIntel: X86_VENDOR.INTEL,
  AuthenticAMD: X86_VENDOR.AMD,
};

/** Features of the capability words that a CPUID register fills, with its leaf and their bits (asm/cpufeatures.h). */
const WORD_FEATURES: readonly [name: string, leaf: number, reg: 'ecx' | 'edx', bit: number][] = [
  ['X86_FEATURE_PSE', 1, 'edx', 3],
  ['X86_FEATURE_PGE', 1, 'edx', 13],
  ['X86_FEATURE_PAT', 1, 'edx', 16],
  ['X86_FEATURE_CLFLUSH', 1, 'edx', 19],
  ['X86_FEATURE_NX', 0x8000_0001, 'edx', 20],
  ['X86_FEATURE_GBPAGES', 0x8000_0001, 'edx', 26],
];

const bytesOf = (...words: number[]): string =>
  words
    .flatMap((word) => [0, 8, 16, 24].map((shift) => String.fromCharCode((word >>> shift) & 0xff)))
    .join('');

export const cpuCommon = bodies({
  early_cpu_init: fn((k: Kernel) => {
    const c = k.sym('boot_cpu_data');
    const { ebx, ecx, edx } = cpuid(k, 0);
    const vendor = bytesOf(ebx, edx, ecx);
    const { eax } = cpuid(k, 1);
    const base = (eax >>> 8) & 0xf;
    const family = base === 0xf ? base + ((eax >>> 20) & 0xff) : base;
    k.state.bootCpuData.vendor = vendor;
    k.state.bootCpuData.family = family;
    k.writeU8(va(c + CPUINFO.x86_vendor), own(VENDORS, vendor) ?? X86_VENDOR.UNKNOWN);
    k.writeU8(va(c + CPUINFO.x86), family & 0xff);
    k.fn.get_cpu_cap();
    const bits = k.readU8(va(c + CPUINFO.x86_phys_bits));
    k.fn.printk(`x86: ${vendor}, family ${hex(family)}, ${String(bits)} physical address bits`);
  }),

  get_cpu_cap: fn((k: Kernel) => {
    const c = k.sym('boot_cpu_data');
    for (const [name, leaf, reg, bit] of WORD_FEATURES) {
      k.state.bootCpuData.capability[name] = (k.cpu.cpuid(leaf, 0)[reg] >>> bit) & 1;
    }
    const extended = cpuid(k, 0x8000_0000).eax;
    if (extended >= 0x8000_0008) {
      const { eax } = cpuid(k, 0x8000_0008);
      k.writeU8(va(c + CPUINFO.x86_virt_bits), (eax >>> 8) & 0xff);
      k.writeU8(va(c + CPUINFO.x86_phys_bits), k.fn['get_cpu_cap:phys_bits'](eax & 0xff) & 0xff);
    }
    k.fn.init_scattered_cpuid_features();
  }),
  'get_cpu_cap:phys_bits': inline((_k: Kernel, bits: number) => bits),
});

export const cpuVariables: readonly Variable[] = [
  {
    name: 'boot_cpu_data',
    size: 64,
    align: 64,
    section: '.data',
    file: 'arch/x86/kernel/setup.c',
    // Filled by early_cpu_init; x86_phys_bits starts as MAX_PHYSMEM_BITS.
    init: () => {
      const bytes = new Uint8Array(64);
      bytes[CPUINFO.x86_phys_bits] = 46;
      return bytes;
    },
  },
];

export const cpuParams: readonly ObsKernelParam[] = [
  // setup_clear_cpu_cap()
  __setup(
    'noclflush',
    always(1, (k) => (k.state.bootCpuData.capability['X86_FEATURE_CLFLUSH'] = 0)),
  ),
];

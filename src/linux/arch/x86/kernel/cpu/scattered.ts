/** arch/x86/kernel/cpu/scattered.c: features outside the CPUID leaves that fill whole capability words. */
import { cpuid } from '../../../../../kernel/cpu-ops.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    init_scattered_cpuid_features(k: Kernel): void;
    'init_scattered_cpuid_features:table'(k: Kernel): ScatteredFeature[];
  }
}

/** A feature outside the CPUID leaves that fill whole capability words: its name, register, bit and leaf. */
export interface ScatteredFeature {
  name: string;
  reg: 'eax' | 'ebx' | 'ecx' | 'edx';
  bit: number;
  leaf: number;
}

export const scattered = bodies({
  init_scattered_cpuid_features: fn((k: Kernel) => {
    for (const { name, reg, bit, leaf } of k.fn['init_scattered_cpuid_features:table']()) {
      // The leaf must be within the maximum of its group.
      const max = k.cpu.cpuid(leaf >= 0x8000_0000 ? 0x8000_0000 : 0, 0).eax;
      if (max < leaf || max > Math.floor(leaf / 0x1_0000) * 0x1_0000 + 0xffff) continue;
      if (((cpuid(k, leaf)[reg] >>> bit) & 1) === 1) k.state.bootCpuData.capability[name] = 1;
    }
  }),

  // None of the base's scattered features is read by the boot path that the model runs.
  'init_scattered_cpuid_features:table': inline(() => []),
});

/** arch/x86/include/asm/cpufeature.h: features of the boot CPU. */
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    cpu_has(k: Kernel, feature: string): boolean;
  }
}

export const asmCpufeature = bodies({
  cpu_has: inline((k: Kernel, feature: string) => k.state.bootCpuData.capability[feature] === 1),
});

/** arch/x86/kernel/probe_roms.c: option ROMs. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    probe_roms(k: Kernel): void;
  }
}

export const probeRoms = kernelFile('arch/x86/kernel/probe_roms.c', {
  probe_roms: label(() => undefined),
});

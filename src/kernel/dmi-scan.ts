/** drivers/firmware/dmi_scan.c: the SMBIOS tables. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    dmi_scan_machine(k: Kernel): void;
  }
}

export const dmiScan = kernelFile('drivers/firmware/dmi_scan.c', {
  dmi_scan_machine: label(() => undefined),
});

/** arch/x86/include/asm/apic.h: registers of the local APIC, through its fixmap. */
import { va, type Va } from '../../../../../machine/address.js';
import { APIC_REGISTER } from '../../../../../machine/devices/apic-registers.js';
import { FIX_APIC_BASE } from '../../../../../kernel/constants.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    apic_read(k: Kernel, reg: number): number;
    apic_write(k: Kernel, reg: number, value: number): void;
    apic_icr_write(k: Kernel, low: number, id: number): void;
    read_apic_id(k: Kernel): number;
  }
}

const APIC_ID_SHIFT = 24;
const register = (k: Kernel, reg: number): Va => va(k.fn.fix_to_virt(FIX_APIC_BASE) + reg);

export const asmApic = bodies({
  apic_read: inline((k: Kernel, reg: number) => k.readU32(register(k, reg))),

  apic_write: inline((k: Kernel, reg: number, value: number) => {
    k.writeU32(register(k, reg), value);
  }),

  apic_icr_write: inline((k: Kernel, low: number, id: number) => {
    k.fn.apic_write(APIC_REGISTER.ICR_HIGH, (id << APIC_ID_SHIFT) >>> 0);
    k.fn.apic_write(APIC_REGISTER.ICR_LOW, low);
  }),

  read_apic_id: inline((k: Kernel) => k.fn.apic_read(APIC_REGISTER.ID) >>> APIC_ID_SHIFT),
});

/** arch/x86/include/asm/bios_ebda.h: the extended BIOS data area. */
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Physical address of the area; 0 where there is none. */
    get_bios_ebda(k: Kernel): number;
  }
}

/** Physical address of the EBDA's segment in the BIOS data area, and the bytes of a paragraph, its unit. */
const EBDA_SEGMENT = 0x40e;
const PARAGRAPH = 16;

export const asmBiosEbda = bodies({
  get_bios_ebda: inline((k: Kernel) => k.readU16(k.__va(EBDA_SEGMENT)) * PARAGRAPH),
});

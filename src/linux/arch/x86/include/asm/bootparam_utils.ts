/** arch/x86/include/asm/bootparam_utils.h: clears fields of boot_params that the loader did not set. */
import { va } from '../../../../../machine/address.js';
import { BOOT_PARAMS } from '../../../../../firmware/boot-params.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    sanitize_boot_params(k: Kernel): void;
  }
}

export const bootparamUtils = bodies({
  // A sentinel that is not 0: the loader did not clear the page.
  sanitize_boot_params: inline((k: Kernel) => {
    const bp = k.sym('boot_params');
    if (k.readU8(va(bp + BOOT_PARAMS.sentinel)) === 0) return;
    const wipe = (from: number, to: number): void => {
      k.memset(va(bp + from), 0, to - from);
    };
    wipe(BOOT_PARAMS.ext_ramdisk_image, BOOT_PARAMS.efi_info);
    wipe(BOOT_PARAMS.kbd_status, BOOT_PARAMS.hdr);
    wipe(BOOT_PARAMS._pad7, BOOT_PARAMS.edd_mbr_sig_buffer);
    wipe(BOOT_PARAMS._pad8, BOOT_PARAMS.eddbuf);
    wipe(BOOT_PARAMS._pad9, BOOT_PARAMS.size);
  }),
});

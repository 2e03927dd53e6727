/** drivers/firmware/efi/efi.c: noefi and efi=. */
import { parse_option_str } from '../../../../lib/cmdline.js';
import { set_bit } from '../../../../include/linux/efi/memmap.js';
import { EINVAL } from '../../../../include/uapi/asm-generic/errno-base.js';
import { always, early_param, type ObsKernelParam } from '../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Whether the use of runtime services is disabled. */
    efi_runtime_disabled(k: Kernel): boolean;
  }
}

/** Rejects efi= without a value. */
export function needsOption(k: Kernel): number {
  k.fn.printk('efi: need at least one option');
  return -EINVAL;
}

function parse_efi_cmdline(k: Kernel, str: string | undefined): number {
  if (str === undefined) return needsOption(k);
  if (parse_option_str(str, 'debug')) set_bit(k, 'EFI_DBG');
  if (parse_option_str(str, 'noruntime')) k.state.params.efiRuntimeDisabled = true;
  return 0;
}

export const efiFirmwareOptions = bodies({
  efi_runtime_disabled: inline((k: Kernel) => k.state.params.efiRuntimeDisabled),
});

export const efiFirmwareParams: readonly ObsKernelParam[] = [
  early_param('efi', parse_efi_cmdline),
  early_param(
    'noefi',
    always(0, (k) => (k.state.params.efiRuntimeDisabled = true)),
  ),
];

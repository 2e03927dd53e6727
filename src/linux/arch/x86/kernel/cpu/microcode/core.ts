/** arch/x86/kernel/cpu/microcode/core.c: loads microcode from the initrd. */
import { va } from '../../../../../../machine/address.js';
import { BOOT_PARAMS } from '../../../../../../firmware/boot-params.js';
import { findOption } from '../../../lib/cmdline.js';
import { cpuid } from '../../../../../../kernel/cpu-ops.js';
import { stateSlice } from '../../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    load_ucode_bsp(k: Kernel): void;
    /** dis_ucode_ldr is on the command line. */
    check_loader_disabled_bsp(k: Kernel): boolean;
  }
}

declare module '../../../../../../kernel/state.js' {
  interface KernelState {
    microcode: { offset: number; size: number } | null;
  }
}
export const microcodeState = stateSlice(() => ({ microcode: null }));

const DIS_UCODE_LDR = 'dis_ucode_ldr';

export const microcode = bodies({
  // cmdline_find_option_bool(); its call is not traced here (our choice).
  check_loader_disabled_bsp: inline((k: Kernel) => {
    k.state.params.disUcodeLdr ||= findOption(k, k.sym('boot_command_line'), DIS_UCODE_LDR) > 0;
    return k.state.params.disUcodeLdr;
  }),
  load_ucode_bsp: fn((k: Kernel) => {
    if (k.fn.check_loader_disabled_bsp()) return;
    const { ebx, ecx, edx } = cpuid(k, 0);
    // "AuthenticAMD" in the registers of CPUID Fn0 (asm/microcode.h).
    if (ebx !== 0x68747541 || edx !== 0x69746e65 || ecx !== 0x444d4163) return;
    const found = k.fn.find_ucode_in_initrd();
    k.state.microcode = found ?? null;
    if (found === undefined) return;
    const start = k.readU32(va(k.sym('boot_params') + BOOT_PARAMS.ramdisk_image));
    k.fn.apply_ucode_in_initrd(k.__va(start + found.offset), found.size);
  }),
});

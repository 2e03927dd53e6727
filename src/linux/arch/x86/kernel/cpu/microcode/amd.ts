/** arch/x86/kernel/cpu/microcode/amd.c: AMD microcode in the initrd. */
import { va, type Va } from '../../../../../../machine/address.js';
import { BOOT_PARAMS } from '../../../../../../firmware/boot-params.js';
import { fn, bodies } from '../../../../../../kernel/table.js';
import type { CpioData } from '../../../../../lib/earlycpio.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    find_ucode_in_initrd(k: Kernel): CpioData | undefined;
    apply_ucode_in_initrd(k: Kernel, data: Va, size: number): void;
  }
}

const UCODE_PATH = 'kernel/x86/microcode/AuthenticAMD.bin';
const UCODE_MAGIC = 0x0041_4d44;
const UCODE_EQUIV_CPU_TABLE_TYPE = 0;

export const microcodeAmd = bodies({
  find_ucode_in_initrd: fn((k: Kernel) => {
    const bp = k.sym('boot_params');
    // Only the low 32 bits of address and size are read.
    const start = k.readU32(va(bp + BOOT_PARAMS.ramdisk_image));
    const size = k.readU32(va(bp + BOOT_PARAMS.ramdisk_size));
    return k.fn.find_cpio_data(UCODE_PATH, k.__va(start), size);
  }),

  apply_ucode_in_initrd: fn((k: Kernel, data: Va, size: number) => {
    const magic = k.readU32(data);
    const type = k.readU32(va(data + 4));
    const length = k.readU32(va(data + 8));
    const valid = magic === UCODE_MAGIC && type === UCODE_EQUIV_CPU_TABLE_TYPE && length !== 0;
    const what = valid ? 'container found' : 'no container';
    k.fn.printk(`microcode: ${what} (${String(size)} bytes in the initrd)`);
  }),
});

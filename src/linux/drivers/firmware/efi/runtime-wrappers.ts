/** drivers/firmware/efi/runtime-wrappers.c: calling the firmware's runtime services. */
import type { Va } from '../../../../machine/address.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    virt_efi_set_variable(
      k: Kernel,
      name: Va,
      vendor: Va,
      attr: number,
      size: number,
      data: bigint,
    ): bigint;
    virt_efi_get_time(k: Kernel, tm: Va, tc: bigint): bigint;
  }
}

export const runtimeWrappers = bodies({
  virt_efi_set_variable: fn((k: Kernel, name, vendor, attr, size, data) =>
    k.fn.efi_call_virt('SetVariable', [
      BigInt(name),
      BigInt(vendor),
      BigInt(attr),
      BigInt(size),
      data,
    ]),
  ),
  virt_efi_get_time: fn((k: Kernel, tm, tc) => k.fn.efi_call_virt('GetTime', [BigInt(tm), tc])),
});

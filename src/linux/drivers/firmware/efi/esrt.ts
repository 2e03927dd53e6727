/** drivers/firmware/efi/esrt.c: finding, checking and reserving the EFI system resource table. */
import { hex, va, type Va } from '../../../../machine/address.js';
import { ESRT, ESRT_ENTRY } from '../../../../firmware/efi/layout.js';
import type { Phys } from '../../../mm/early_ioremap.js';
import { descSize } from '../../../include/linux/efi/memmap.js';
import type { EarlyMap } from '../../../arch/x86/platform/efi/efi/early.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    efi_esrt_init(k: Kernel): void;
    'efi_esrt_init:memremap': EarlyMap;
  }
}

/** Largest fw_resource_count that esrt.c accepts. */
const MAX_RESOURCES = 128;
const VERSION_1 = 1n;

const header = (k: Kernel, at: Va): { count: number; version: bigint } => ({
  count: k.readU32(va(at + ESRT.FwResourceCount)),
  version: k.readU64(va(at + ESRT.FwResourceVersion)),
});

export const efiEsrt = bodies({
  'efi_esrt_init:memremap': inline((k: Kernel, phys: Phys, size: number) =>
    k.fn.early_memremap(phys, size),
  ),

  efi_esrt_init: fn((k: Kernel) => {
    const phys = k.state.efi.tables.esrt;
    if (phys === undefined) return;
    const print = (text: string): void => {
      k.fn.printk(`esrt: ${text}`);
    };
    const md = k.fn.efi_mem_desc_lookup(phys);
    if (typeof md === 'number') {
      print('ESRT header is not in the memory map.');
      return;
    }
    const end = md.phys_addr + descSize(md);
    if (end < phys) {
      print(`EFI memory descriptor is invalid. (esrt: ${hex(phys)} max: ${hex(end)})`);
      return;
    }
    const max = end - phys;
    const size = ESRT.Entries;
    if (max < size) {
      print("ESRT header doen't fit on single memory map entry.");
      return;
    }
    const first = k.fn['efi_esrt_init:memremap'](phys, size);
    if (first === 0) {
      print('early_memremap failed.');
      return;
    }
    const { count, version } = header(k, first);
    k.trace.recorder.consumedPart('ESRT', 'efi_esrt_init', 0, k.readBytes(first, size));
    if (version !== VERSION_1) {
      // Returns without unmapping, like the kernel.
      print(`Unsupported ESRT version ${BigInt.asIntN(64, version).toString()}.`);
      return;
    }
    const entries = count * ESRT_ENTRY.size;
    const refusal =
      count > 0 && max - size < ESRT_ENTRY.size
        ? 'ESRT memory map entry can only hold the header.'
        : count > MAX_RESOURCES
          ? `ESRT says fw_resource_count has very large value ${String(count)}.`
          : max < size + entries
            ? 'ESRT does not fit on single memory map entry'
            : undefined;
    k.fn.early_memunmap(first, size);
    if (refusal !== undefined) {
      print(refusal);
      return;
    }
    const whole = k.fn['efi_esrt_init:memremap'](phys, size + entries);
    if (whole === 0) {
      print('early_memremap failed.');
      return;
    }
    k.state.efi.esrt = { data: phys, size: size + entries };
    print(`Reserving ESRT space from ${hex(phys)} to ${hex(phys + size + entries)}.`);
    k.fn.memblock_reserve(phys, size + entries);
    k.fn.early_memunmap(whole, size + entries);
  }),
});

/** arch/x86/platform/efi/efi.c: efi=old_map, efi=debug's list and add_efi_memmap. */
import { PAGE_SIZE } from '../../../../../../machine/address.js';
import { EFI_MEMORY, EFI_MEMORY_TYPE } from '../../../../../../firmware/efi/layout.js';
import { parse_option_str } from '../../../../../lib/cmdline.js';
import { E820, E820_X_MAX } from '../../../include/asm/e820.js';
import { descSize, set_bit, type EfiMemoryDesc } from '../../../../../include/linux/efi/memmap.js';
import { needsOption } from '../../../../../drivers/firmware/efi/efi/params.js';
import { always, early_param, type ObsKernelParam } from '../../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** Adds the firmware's memory map to e820. */
    do_add_efi_memmap(k: Kernel): void;
    /** efi=debug: prints a line for each descriptor. */
    efi_print_memmap(k: Kernel): void;
  }
}

/** memory_type_name[], in the order of the types. */
const MEMORY_TYPE_NAMES = [
  'Reserved',
  'Loader Code',
  'Loader Data',
  'Boot Code',
  'Boot Data',
  'Runtime Code',
  'Runtime Data',
  'Conventional Memory',
  'Unusable Memory',
  'ACPI Reclaim Memory',
  'ACPI Memory NVS',
  'Memory Mapped I/O',
  'MMIO Port Space',
  'PAL Code',
  'Persistent Memory',
] as const;
const NAME_WIDTH = 19;

/** efi_md_typeattr_format(): each attribute's text with its column's width. */
const ATTRIBUTES: readonly [bit: bigint, text: string, width: number][] = [
  [EFI_MEMORY.RUNTIME, 'RUN', 3],
  [EFI_MEMORY.MORE_RELIABLE, 'MR', 2],
  [EFI_MEMORY.NV, 'NV', 2],
  [EFI_MEMORY.XP, 'XP', 2],
  [EFI_MEMORY.RP, 'RP', 2],
  [EFI_MEMORY.WP, 'WP', 2],
  [EFI_MEMORY.RO, 'RO', 2],
  [EFI_MEMORY.UCE, 'UCE', 3],
  [EFI_MEMORY.WB, 'WB', 2],
  [EFI_MEMORY.WT, 'WT', 2],
  [EFI_MEMORY.WC, 'WC', 2],
  [EFI_MEMORY.UC, 'UC', 2],
];
const KNOWN = ATTRIBUTES.reduce((all, [bit]) => all | bit, 0n);

const long = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;

function typeattr({ type, attribute }: EfiMemoryDesc): string {
  const name = MEMORY_TYPE_NAMES[type];
  const kind = name === undefined ? `type=${String(type)}` : name.padEnd(NAME_WIDTH);
  if ((attribute & ~KNOWN) !== 0n) return `[${kind}|attr=${long(attribute)}]`;
  const columns = ATTRIBUTES.map(([bit, text, width]) =>
    ((attribute & bit) === 0n ? '' : text).padStart(width),
  );
  return `[${kind}|${columns.join('|')}]`;
}

/** Types that are added as RAM if they are write-back, else as reserved. */
const USABLE: readonly number[] = [
  EFI_MEMORY_TYPE.LOADER_CODE,
  EFI_MEMORY_TYPE.LOADER_DATA,
  EFI_MEMORY_TYPE.BOOT_SERVICES_CODE,
  EFI_MEMORY_TYPE.BOOT_SERVICES_DATA,
  EFI_MEMORY_TYPE.CONVENTIONAL_MEMORY,
];
/** Types that have a corresponding e820 type; the others are added as reserved. */
const E820_TYPES: Readonly<Record<number, number>> = {
  [EFI_MEMORY_TYPE.ACPI_RECLAIM_MEMORY]: E820.ACPI,
  [EFI_MEMORY_TYPE.ACPI_MEMORY_NVS]: E820.NVS,
  [EFI_MEMORY_TYPE.UNUSABLE_MEMORY]: E820.UNUSABLE,
  [EFI_MEMORY_TYPE.PERSISTENT_MEMORY]: E820.PMEM,
};

function e820TypeOf({ type, attribute }: EfiMemoryDesc): number {
  if (USABLE.includes(type)) {
    return (attribute & EFI_MEMORY.WB) === 0n ? E820.RESERVED : E820.RAM;
  }
  return E820_TYPES[type] ?? E820.RESERVED;
}

export const efiOptions = bodies({
  do_add_efi_memmap: inline((k: Kernel) => {
    for (const at of k.fn.for_each_efi_memory_desc()) {
      const md = k.fn.efi_memory_desc(at);
      const range = { addr: BigInt(md.phys_addr), size: BigInt(descSize(md)) };
      k.fn.e820_add_region({ ...range, type: e820TypeOf(md) });
    }
    k.state.e820 = k.fn.sanitize_e820_map(k.state.e820, E820_X_MAX) ?? k.state.e820;
  }),

  efi_print_memmap: inline((k: Kernel) => {
    for (const [index, at] of k.fn.for_each_efi_memory_desc().entries()) {
      const md = k.fn.efi_memory_desc(at);
      const [start, size] = [BigInt(md.phys_addr), BigInt(descSize(md))];
      const range = `[${long(start)}-${long(start + size - 1n)}]`;
      const mib = String(Math.floor((md.num_pages * PAGE_SIZE) / 2 ** 20));
      const number = String(index).padStart(2, '0');
      k.fn.printk(`efi: mem${number}: ${typeattr(md)} range=${range} (${mib}MB)`);
    }
  }),
});

function arch_parse_efi_cmdline(k: Kernel, str: string | undefined): number {
  if (str === undefined) return needsOption(k);
  if (parse_option_str(str, 'old_map')) set_bit(k, 'EFI_OLD_MEMMAP');
  return 0;
}

export const efiParams: readonly ObsKernelParam[] = [
  early_param('efi', arch_parse_efi_cmdline),
  early_param(
    'add_efi_memmap',
    always(0, (k) => (k.state.params.addEfiMemmap = true)),
  ),
];

/** arch/x86/kernel/setup.c: setup_arch(), split into boot steps, and the location of the initrd. */
import { alignUp, hex, PAGE_SIZE, va, type Va } from '../../../../../machine/address.js';
import { BOOT_PARAMS } from '../../../../../firmware/boot-params.js';
import { ISA_END_ADDRESS, PAGE_OFFSET } from '../../../../../kernel/constants.js';
import { CPUINFO } from '../cpu/common/common.js';
import { SCREEN_INFO_SIZE } from '../../../../include/uapi/linux/screen_info.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { fn, inline, bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    'setup_arch:reserve'(k: Kernel): void;
    'setup_arch:early_cpu_init'(k: Kernel): void;
    'setup_arch:early_ioremap_init'(k: Kernel): void;
    /** Copies the loader's screen_info. */
    'setup_arch:screen_info'(k: Kernel): void;
    'setup_arch:setup_memory_map'(k: Kernel): void;
    'setup_arch:parse_setup_data'(k: Kernel): void;
    'setup_arch:efi_init'(k: Kernel): void;
    'setup_arch:dmi_scan_machine'(k: Kernel): void;
    'setup_arch:mtrr_bp_init'(k: Kernel): void;
    'setup_arch:memblock_x86_fill'(k: Kernel): void;
    'setup_arch:init_mem_mapping'(k: Kernel): void;
    'setup_arch:reserve_initrd'(k: Kernel): void;
    'setup_arch:acpi_boot_table_init'(k: Kernel): void;
    'setup_arch:x86_dtb_init'(k: Kernel): void;
    /** Selects the low-level driver of the virtual terminals. */
    'setup_arch:conswitchp'(k: Kernel): void;
    early_reserve_initrd(k: Kernel): void;
    get_ramdisk_image(k: Kernel): number;
    get_ramdisk_size(k: Kernel): number;
    reserve_initrd(k: Kernel): void;
    /** Before reserve_initrd decides whether the initrd must move. */
    'reserve_initrd:before-mapped'(k: Kernel, image: number, end: number): void;
    relocate_initrd(k: Kernel): void;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    /** max_pfn: one more than the last page frame of RAM. */
    maxPfn: number;
  }
}
export const setupState = stateSlice(() => ({ maxPfn: 0 }));

const field = (k: Kernel, name: keyof typeof BOOT_PARAMS): Va =>
  va(k.sym('boot_params') + BOOT_PARAMS[name]);
const wide = (k: Kernel, low: keyof typeof BOOT_PARAMS, high: keyof typeof BOOT_PARAMS): number =>
  k.readU32(field(k, low)) + k.readU32(field(k, high)) * 2 ** 32;

export const setup = bodies({
  'setup_arch:reserve': label((k: Kernel) => {
    const text = k.sym('_text');
    k.fn.memblock_reserve(k.__pa(text), k.sym('__bss_stop') - text);
    k.fn.early_reserve_initrd();
    const line = k.readBytes(k.sym('boot_command_line'), 2048);
    const end = line.indexOf(0);
    const commandLine = String.fromCharCode(...line.subarray(0, end < 0 ? line.length : end));
    k.fn.printk(`Command line: ${printable(commandLine)}`);
  }),
  'setup_arch:early_cpu_init': label((k: Kernel) => {
    k.fn.early_cpu_init();
  }),
  'setup_arch:early_ioremap_init': label((k: Kernel) => {
    k.fn.early_ioremap_init();
    k.fn['setup_arch:screen_info']();
    k.fn['setup_arch:efi_boot']();
  }),
  'setup_arch:setup_memory_map': label((k: Kernel) => {
    const bits = k.readU8(va(k.sym('boot_cpu_data') + CPUINFO.x86_phys_bits));
    const end = (1n << BigInt(bits)) - 1n;
    k.state.iomemResource.end = Number(end);
    k.fn.printk(`iomem_resource: [mem 0x0-${hex(end)}]`);
    k.fn.setup_memory_map();
  }),
  'setup_arch:parse_setup_data': label((k: Kernel) => {
    k.fn.parse_setup_data();
    k.fn.x86_configure_nx();
    k.fn.parse_early_param();
    k.fn.x86_report_nx();
    k.fn.memblock_x86_reserve_range_setup_data();
    k.fn.e820_reserve_setup_data();
    k.fn.finish_e820_parsing();
  }),
  'setup_arch:efi_init': label((k: Kernel) => {
    if (k.fn.efi_enabled('EFI_BOOT')) k.fn.efi_init();
  }),
  'setup_arch:dmi_scan_machine': label((k: Kernel) => {
    k.fn.dmi_scan_machine();
    k.fn.probe_roms();
  }),
  'setup_arch:mtrr_bp_init': label((k: Kernel) => {
    k.fn.e820_add_kernel_range();
    k.fn.trim_bios_range();
    k.state.maxPfn = k.fn.e820_end_of_ram_pfn();
    k.fn.mtrr_bp_init();
    k.fn.find_smp_config();
  }),
  'setup_arch:memblock_x86_fill': label((k: Kernel) => {
    k.fn.early_alloc_pgt_buf();
    k.fn.reserve_brk();
    k.fn.cleanup_highmap();
    k.fn.memblock_set_current_limit(ISA_END_ADDRESS);
    k.fn.memblock_x86_fill();
    if (k.fn.efi_enabled('EFI_MEMMAP')) k.fn.efi_reserve_boot_services();
    k.fn.reserve_real_mode();
    k.fn.trim_low_memory_range();
  }),
  'setup_arch:init_mem_mapping': label((k: Kernel) => {
    k.fn.init_mem_mapping();
    k.fn.early_trap_pf_init();
    k.fn.setup_real_mode();
    k.fn.memblock_set_current_limit(k.state.maxPfnMapped * PAGE_SIZE);
  }),
  'setup_arch:reserve_initrd': label((k: Kernel) => {
    k.fn.reserve_initrd();
  }),
  'setup_arch:acpi_boot_table_init': label((k: Kernel) => {
    k.fn.acpi_boot_table_init();
    k.fn.reserve_crashkernel();
    k.fn.acpi_boot_init();
  }),
  'setup_arch:x86_dtb_init': label((k: Kernel) => {
    k.fn.x86_dtb_init();
    if (k.state.mp.foundConfig) k.fn.get_smp_config();
    k.fn.prefill_possible_map();
    k.fn['setup_arch:conswitchp']();
  }),
  'setup_arch:screen_info': inline((k: Kernel) => {
    const bytes = k.readBytes(k.sym('boot_params'), SCREEN_INFO_SIZE);
    k.writeBytes(k.sym('screen_info'), bytes);
  }),
  // With EFI only if 0xa0000 is not conventional memory in the firmware's map: in the model it never is.
  'setup_arch:conswitchp': inline((k: Kernel) => {
    k.state.console.vt.conswitchp = 'vga_con';
  }),

  get_ramdisk_image: inline((k: Kernel) => wide(k, 'ramdisk_image', 'ext_ramdisk_image')),
  get_ramdisk_size: inline((k: Kernel) => wide(k, 'ramdisk_size', 'ext_ramdisk_size')),

  early_reserve_initrd: fn((k: Kernel) => {
    const image = k.fn.get_ramdisk_image();
    const size = k.fn.get_ramdisk_size();
    if (k.readU8(field(k, 'type_of_loader')) === 0 || image === 0 || size === 0) return;
    k.fn.memblock_reserve(image, alignUp(image + size, PAGE_SIZE) - image);
  }),

  reserve_initrd: fn((k: Kernel) => {
    const image = k.fn.get_ramdisk_image();
    const size = k.fn.get_ramdisk_size();
    const end = alignUp(image + size, PAGE_SIZE);
    if (k.readU8(field(k, 'type_of_loader')) === 0 || image === 0 || size === 0) return;
    k.fn['reserve_initrd:before-mapped'](image, end);
    k.writeU64(k.sym('initrd_start'), 0n);
    const mapped = k.fn.memblock_mem_size(k.state.maxPfnMapped);
    if (size >= mapped / 2) {
      k.fn.panic(
        `initrd too large to handle, disabling initrd (${String(size)} needed, ${String(Math.floor(mapped / 2))} available)`,
      );
    }
    k.fn.printk(`RAMDISK: [mem ${hex(image)}-${hex(end - 1)}]`);
    if (k.fn.pfn_range_is_mapped(Math.floor(image / PAGE_SIZE), Math.floor(end / PAGE_SIZE))) {
      k.writeU64(k.sym('initrd_start'), BigInt(PAGE_OFFSET + image));
      k.writeU64(k.sym('initrd_end'), BigInt(PAGE_OFFSET + image + size));
      return;
    }
    k.fn.relocate_initrd();
    k.fn.memblock_free(image, end - image);
  }),
  'reserve_initrd:before-mapped': label(() => undefined),

  relocate_initrd: fn((k: Kernel) => {
    const image = k.fn.get_ramdisk_image();
    const size = k.fn.get_ramdisk_size();
    const area = alignUp(size, PAGE_SIZE);
    const to = k.fn.memblock_find_in_range(0, k.state.maxPfnMapped * PAGE_SIZE, area, PAGE_SIZE);
    if (to === 0) k.fn.panic(`Cannot find place for new RAMDISK of size ${String(size)}`);
    k.fn.memblock_reserve(to, area);
    k.writeU64(k.sym('initrd_start'), BigInt(PAGE_OFFSET + to));
    k.writeU64(k.sym('initrd_end'), BigInt(PAGE_OFFSET + to + size));
    k.fn.printk(`Allocated new RAMDISK: [mem ${hex(to)}-${hex(to + size - 1)}]`);
    k.fn.copy_from_early_mem(k.__va(to), image, size);
    k.fn.printk(`Move RAMDISK from ${hexRange(image, size)} to ${hexRange(to, size)}`);
  }),
});

/** [mem %#010llx-%#010llx] */
function hexRange(base: number, size: number): string {
  const digits = (at: number): string => `0x${at.toString(16).padStart(8, '0')}`;
  return `[mem ${digits(base)}-${digits(base + size - 1)}]`;
}

/** `text` with codes that a terminal cannot display as \xNN escapes. */
export function printable(text: string): string {
  // A comparison of codes: the lint rules allow no control characters in a regular expression.
  return [...text]
    .map((c) => {
      const code = c.charCodeAt(0);
      return code >= 0x20 && code < 0x7f ? c : `\\x${code.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

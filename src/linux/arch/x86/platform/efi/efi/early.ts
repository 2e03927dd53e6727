/** arch/x86/platform/efi/efi.c, early boot: reading the system table, the runtime services table and the memory map. */
import { hex, va, type Va } from '../../../../../../machine/address.js';
import { BOOT_PARAMS } from '../../../../../../firmware/boot-params.js';
import {
  EFI_INFO,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  EFI_SYSTEM_TABLE_SIGNATURE,
  EFI_TABLE_HDR,
} from '../../../../../../firmware/efi/layout.js';
import type { Phys } from '../../../../../mm/early_ioremap.js';
import { UnmodelledError } from '../../../../../../machine/unmodelled.js';
import { clear_bit, set_bit } from '../../../../../include/linux/efi/memmap.js';
import { EINVAL, ENOMEM } from '../../../../../include/uapi/asm-generic/errno-base.js';
import { fn, inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';
import { printable } from '../../../kernel/setup/setup.js';

/** Maps `size` bytes at a physical address temporarily; 0 where that fails. */
export type EarlyMap = (k: Kernel, phys: Phys, size: number) => Va | 0;

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    efi_memblock_x86_reserve_range(k: Kernel): void;
    /** Each returns 0 or a negative errno. */
    efi_systab_init(k: Kernel, phys: number): number;
    'efi_systab_init:memremap': EarlyMap;
    efi_runtime_init(k: Kernel): number;
    efi_runtime_init64(k: Kernel): number;
    'efi_runtime_init64:memremap': EarlyMap;
    efi_memmap_init(k: Kernel): number;
    'efi_memmap_init:memremap': EarlyMap;
    efi_init(k: Kernel): void;
    'efi_init:vendor-memremap': EarlyMap;
    efi_unmap_memmap(k: Kernel): void;
    efi_late_init(k: Kernel): void;
  }
}

/** sizeof(vendor) − 1 in efi_init(). */
const VENDOR_MAX = 99;
const early_memremap: EarlyMap = (k, phys, size) => k.fn.early_memremap(phys, size);

/** A 32-bit field of boot_params.efi_info. */
export const efiInfo = (k: Kernel, field: keyof typeof EFI_INFO): number =>
  k.readU32(va(k.sym('boot_params') + BOOT_PARAMS.efi_info + EFI_INFO[field]));
const wide = (k: Kernel, low: keyof typeof EFI_INFO, high: keyof typeof EFI_INFO): number =>
  efiInfo(k, low) + efiInfo(k, high) * 2 ** 32;

export const efi = bodies({
  efi_memblock_x86_reserve_range: fn((k: Kernel) => {
    const desc_size = efiInfo(k, 'efi_memdesc_size');
    // A divide by zero in the kernel; the model has no #DE (our choice).
    if (desc_size === 0) throw new UnmodelledError('#DE', 'efi_memdesc_size is 0');
    const phys_map = wide(k, 'efi_memmap', 'efi_memmap_hi');
    const nr_map = Math.floor(efiInfo(k, 'efi_memmap_size') / desc_size);
    const desc_version = efiInfo(k, 'efi_memdesc_version');
    k.state.efi.memmap = { phys_map, nr_map, desc_size, desc_version, map: 0 };
    k.fn.memblock_reserve(phys_map, nr_map * desc_size);
  }),

  'efi_systab_init:memremap': inline(early_memremap),
  efi_systab_init: fn((k: Kernel, phys: number) => {
    const data = k.fn['efi_systab_init:setup_data']();
    if (typeof data === 'number') return data;
    const at = k.fn['efi_systab_init:memremap'](phys, EFI_SYSTEM_TABLE.size);
    if (at === 0) {
      k.fn.printk("efi: Couldn't map the system table!");
      return -ENOMEM;
    }
    const bytes = k.readBytes(at, EFI_SYSTEM_TABLE.size);
    k.trace.recorder.consumed('EFI system table', 'efi_systab_init', bytes);
    const view = new DataView(bytes.buffer);
    const systab = {
      signature: view.getBigUint64(EFI_TABLE_HDR.Signature, true),
      revision: view.getUint32(EFI_TABLE_HDR.Revision, true),
      fw_vendor: data?.fw_vendor ?? view.getBigUint64(EFI_SYSTEM_TABLE.FirmwareVendor, true),
      runtime: data?.runtime ?? view.getBigUint64(EFI_SYSTEM_TABLE.RuntimeServices, true),
      nr_tables: view.getUint32(EFI_SYSTEM_TABLE.NumberOfTableEntries, true),
      tables: data?.tables ?? view.getBigUint64(EFI_SYSTEM_TABLE.ConfigurationTable, true),
    };
    k.fn.early_memunmap(at, EFI_SYSTEM_TABLE.size);
    k.state.efi.systab = systab;
    if (systab.signature !== EFI_SYSTEM_TABLE_SIGNATURE) {
      k.fn.printk('efi: System table signature incorrect!');
      return -EINVAL;
    }
    const major = systab.revision >>> 16;
    if (major === 0) {
      const version = `${String(major)}.${minor(systab.revision)}`;
      k.fn.printk(`efi: Warning: System table version ${version}, expected 1.00 or greater!`);
    }
    set_bit(k, 'EFI_SYSTEM_TABLES');
    return 0;
  }),

  'efi_runtime_init64:memremap': inline(early_memremap),
  efi_runtime_init64: fn((k: Kernel) => {
    const table = Number(k.state.efi.systab?.runtime ?? 0n);
    const at = k.fn['efi_runtime_init64:memremap'](table, EFI_RUNTIME_SERVICES.size);
    if (at === 0) {
      k.fn.printk('efi: Could not map the runtime service table!');
      return -ENOMEM;
    }
    const offset = EFI_RUNTIME_SERVICES.SetVirtualAddressMap;
    const bytes = k.readBytes(va(at + offset), 8);
    k.trace.recorder.consumedPart('EFI runtime services', 'efi_runtime_init64', offset, bytes);
    k.state.efi.physSetVirtualAddressMap = new DataView(bytes.buffer).getBigUint64(0, true);
    k.fn.early_memunmap(at, EFI_RUNTIME_SERVICES.size);
    return 0;
  }, true),

  efi_runtime_init: inline((k: Kernel) => {
    const rv = k.fn.efi_runtime_init64();
    if (rv === 0) set_bit(k, 'EFI_RUNTIME_SERVICES');
    return rv;
  }),

  'efi_memmap_init:memremap': inline(early_memremap),
  efi_memmap_init: fn((k: Kernel) => {
    const { memmap } = k.state.efi;
    const bytes = memmap.nr_map * memmap.desc_size;
    // The map stays mapped, in an early_ioremap slot, until efi_unmap_memmap().
    const map = k.fn['efi_memmap_init:memremap'](memmap.phys_map, bytes);
    if (map === 0) {
      k.fn.printk('efi: Could not map the memory map!');
      return -ENOMEM;
    }
    memmap.map = map;
    if (k.state.params.addEfiMemmap) k.fn.do_add_efi_memmap();
    set_bit(k, 'EFI_MEMMAP');
    return 0;
  }),

  'efi_init:vendor-memremap': inline(early_memremap),
  efi_init: fn((k: Kernel) => {
    const { efi } = k.state;
    efi.physSystab = wide(k, 'efi_systab', 'efi_systab_hi');
    if (k.fn.efi_systab_init(efi.physSystab) !== 0 || efi.systab === null) return;
    const { revision, fw_vendor } = efi.systab;
    const vendor = vendorOf(k, Number(fw_vendor));
    k.fn.printk(`efi: EFI v${String(revision >>> 16)}.${minor(revision)} by ${printable(vendor)}`);
    if (k.fn.efi_reuse_config() !== 0) return;
    if (k.fn.efi_config_init() !== 0) return;
    if (k.fn.efi_runtime_disabled() || k.fn.efi_runtime_init() !== 0) return;
    if (k.fn.efi_memmap_init() !== 0) return;
    if (k.fn.efi_enabled('EFI_DBG')) k.fn.efi_print_memmap();
    k.fn.efi_esrt_init();
  }),

  efi_unmap_memmap: fn((k: Kernel) => {
    clear_bit(k, 'EFI_MEMMAP');
    const { memmap } = k.state.efi;
    if (memmap.map === 0) return;
    k.fn.early_memunmap(va(memmap.map), memmap.nr_map * memmap.desc_size);
    memmap.map = 0;
  }, true),

  efi_late_init: fn((k: Kernel) => {
    k.fn.efi_bgrt_init();
  }, true),
});

/** Minor version: the low 16 bits of a revision, in two digits. */
const minor = (revision: number): string => String(revision & 0xffff).padStart(2, '0');

/** The vendor's name. efi_init() maps two bytes, but reads 16-bit characters up to a zero, VENDOR_MAX at most. */
function vendorOf(k: Kernel, phys: number): string {
  const at = k.fn['efi_init:vendor-memremap'](phys, 2);
  if (at === 0) {
    k.fn.printk(`efi: Could not map the firmware vendor at ${hex(phys)}!`);
    return 'unknown';
  }
  const units: number[] = [];
  for (let i = 0; i < VENDOR_MAX; i++) {
    const unit = k.readU16(va(at + i * 2));
    if (unit === 0) break;
    units.push(unit);
  }
  const bytes = Uint8Array.from([...units, 0].flatMap((unit) => [unit & 0xff, unit >> 8]));
  k.trace.recorder.consumed('EFI vendor', 'efi_init', bytes);
  k.fn.early_memunmap(at, 2);
  // Each 16-bit character is truncated to a char.
  return String.fromCharCode(...units.map((unit) => unit & 0xff));
}

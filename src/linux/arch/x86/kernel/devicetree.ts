/** arch/x86/kernel/devicetree.c: the device tree that the loader passed. */
import { PAGE_SIZE, va, type Va } from '../../../../machine/address.js';
import { FDT_HEADER } from '../../../../firmware/fdt.js';
import { SETUP_DATA } from '../../../../firmware/efi/layout.js';
import type { Phys } from '../../../mm/early_ioremap.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Stores the physical address of the tree, which is after the header of its setup_data node. */
    add_dtb(k: Kernel, data: bigint): void;
    x86_flattree_get_config(k: Kernel): void;
    /** Maps the tree at `physAddr` for x86_flattree_get_config(). */
    'x86_flattree_get_config:memremap'(k: Kernel, physAddr: Phys, size: number): Va | 0;
    x86_dtb_init(k: Kernel): void;
  }
}

/** Least size of the first mapping, in bytes. */
const FIRST_MAPPING = 128;

export const devicetree = bodies({
  add_dtb: inline((k: Kernel, data: bigint) => {
    k.writeU64(k.sym('initial_dtb'), data + BigInt(SETUP_DATA.data));
  }),

  'x86_flattree_get_config:memremap': inline((k: Kernel, physAddr: Phys, size: number) =>
    k.fn.early_memremap(physAddr, size),
  ),

  x86_flattree_get_config: fn((k: Kernel) => {
    const initial_dtb = k.readU64(k.sym('initial_dtb'));
    if (initial_dtb === 0n) return;
    const params = k.sym('initial_boot_params');
    const map = (size: number): Va => {
      const dt = va(k.fn['x86_flattree_get_config:memremap'](initial_dtb, size));
      k.writeU64(params, BigInt(dt));
      return dt;
    };
    let length = Math.max(PAGE_SIZE - Number(initial_dtb % BigInt(PAGE_SIZE)), FIRST_MAPPING);
    let dt = map(length);
    k.trace.recorder.consumedPart(
      'device tree',
      'x86_flattree_get_config',
      0,
      k.readBytes(dt, FDT_HEADER.size),
    );
    const size = k.fn.of_get_flat_dt_size();
    if (length < size) {
      k.fn.early_memunmap(dt, length);
      dt = map(size);
      length = size;
    }
    k.fn.unflatten_and_copy_device_tree();
    k.fn.early_memunmap(dt, length);
  }),

  x86_dtb_init: fn((k: Kernel) => {
    k.fn.x86_flattree_get_config();
    if (!k.fn.of_have_populated_dt()) return;
    // dtb_setup_hpet() and dtb_apic_setup() search for devices of one board, the CE4100, which is not modelled.
    for (const part of ['intel,ce4100-hpet', 'intel,ce4100-lapic', 'intel,ce4100-ioapic']) {
      if (k.fn.of_find_compatible_node(part) !== 0) k.fn.panic(`${part} is not modelled`);
    }
    const board = k.fn.of_find_compatible_node('simple-bus');
    k.trace.emit('read', {
      what: 'device tree',
      result: board === 0 ? 'no simple-bus node' : 'unflattened',
    });
  }),
});

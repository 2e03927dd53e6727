/** arch/x86/kernel/setup.c: the three walks of the setup_data chain. */
import { hex, va, type Va } from '../../../../../machine/address.js';
import { BOOT_PARAMS } from '../../../../../firmware/boot-params.js';
import { SETUP_DATA, SETUP_TYPE } from '../../../../../firmware/efi/layout.js';
import { BootEnd } from '../../../../../kernel/ends.js';
import type { Phys } from '../../../../mm/early_ioremap.js';
import { E820, E820_X_MAX } from '../../include/asm/e820.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

/** A node's header, as the walks read it. */
interface SetupDataHeader {
  readonly next: bigint;
  readonly type: number;
  readonly len: number;
}

declare module '../../../../../kernel/table.js' {
  interface Entries {
    parse_setup_data(k: Kernel): void;
    memblock_x86_reserve_range_setup_data(k: Kernel): void;
    e820_reserve_setup_data(k: Kernel): void;
    /** Maps the header of a node at `physAddr` for the walks. */
    'setup_data:memremap'(k: Kernel, physAddr: Phys, size: number): Va | 0;
  }
}

/** Visits each node: maps its header, reads it, unmaps it. */
function walk(
  k: Kernel,
  by: string,
  visit: (physAddr: bigint, header: SetupDataHeader) => void,
): void {
  let physAddr = k.readU64(va(k.sym('boot_params') + BOOT_PARAMS.setup_data));
  const visited = new Set<bigint>();
  let index = 0;
  while (physAddr !== 0n) {
    // The kernel has no bound: a chain that comes back to a node has no end.
    if (visited.has(physAddr)) {
      throw new BootEnd('hung', by, `the setup_data node at ${hex(physAddr)} is linked in a loop`);
    }
    visited.add(physAddr);
    // The kernel does not check the pointer; a null pointer faults at the first byte.
    const data = va(k.fn['setup_data:memremap'](physAddr, SETUP_DATA.data));
    const bytes = k.readBytes(data, SETUP_DATA.data);
    const view = new DataView(bytes.buffer);
    const header = {
      next: view.getBigUint64(SETUP_DATA.next, true),
      type: view.getUint32(SETUP_DATA.type, true),
      len: view.getUint32(SETUP_DATA.len, true),
    };
    k.trace.recorder.consumed(`setup_data[${String(index)}]`, by, bytes);
    index++;
    k.fn.early_memunmap(data, SETUP_DATA.data);
    visit(physAddr, header);
    physAddr = header.next;
  }
}

export const setupData = bodies({
  'setup_data:memremap': inline((k: Kernel, physAddr: Phys, size: number) =>
    k.fn.early_memremap(physAddr, size),
  ),

  parse_setup_data: fn((k: Kernel) => {
    walk(k, 'parse_setup_data', (physAddr, { type, len }) => {
      if (type === SETUP_TYPE.E820_EXT)
        k.fn.parse_e820_ext(physAddr, (SETUP_DATA.data + len) >>> 0);
      else if (type === SETUP_TYPE.DTB) k.fn.add_dtb(physAddr);
      else if (type === SETUP_TYPE.EFI) k.fn.parse_efi_setup(physAddr);
    });
  }),

  memblock_x86_reserve_range_setup_data: fn((k: Kernel) => {
    walk(k, 'memblock_x86_reserve_range_setup_data', (physAddr, { len }) => {
      k.fn.memblock_reserve(Number(physAddr), SETUP_DATA.data + len, 'setup_data');
    });
  }),

  e820_reserve_setup_data: fn((k: Kernel) => {
    if (k.readU64(va(k.sym('boot_params') + BOOT_PARAMS.setup_data)) === 0n) return;
    walk(k, 'e820_reserve_setup_data', (physAddr, { len }) => {
      const size = BigInt(SETUP_DATA.data + len);
      k.fn.e820_update_range(physAddr, size, E820.RAM, E820.RESERVED_KERN);
    });
    k.state.e820 = k.fn.sanitize_e820_map(k.state.e820, E820_X_MAX) ?? k.state.e820;
    k.fn.printk('extended physical RAM map:');
    k.fn.e820_print_map('reserve setup_data');
  }),
});

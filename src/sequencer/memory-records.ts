/** Records of who owns memory. */
import { BOOT_PARAMS } from '../firmware/boot-params.js';
import type { KernelState } from '../kernel/state.js';
import type { E820Entry } from '../linux/arch/x86/include/asm/e820.js';
import { freeRanges } from '../linux/mm/page_alloc/page_alloc.js';
import type { MemoryRecords } from './inspected-boot.js';

/** The records of a kernel of the model. */
export function recordsOf({ e820, memblock, pages }: KernelState): MemoryRecords {
  return {
    e820,
    reserved: memblock.reserved,
    pages: pages.ready ? { free: freeRanges(pages), memory: memblock.memory } : null,
    loader: e820.length === 0,
  };
}

/** Bytes of an entry of the map (boot protocol: struct boot_e820_entry, packed). */
const ENTRY = 20;

/** What is known of the memory of an executed kernel: the map in the zero page that it was given. */
export function recordsAtEntry(zeroPage: Uint8Array): MemoryRecords {
  const view = new DataView(zeroPage.buffer, zeroPage.byteOffset, zeroPage.byteLength);
  const count = view.getUint8(BOOT_PARAMS.e820_entries);
  const e820 = Array.from({ length: count }, (_, index): E820Entry => {
    const at = BOOT_PARAMS.e820_map + index * ENTRY;
    return {
      addr: view.getBigUint64(at, true),
      size: view.getBigUint64(at + 8, true),
      type: view.getUint32(at + 16, true),
    };
  });
  return { e820, reserved: [], pages: null, loader: true };
}

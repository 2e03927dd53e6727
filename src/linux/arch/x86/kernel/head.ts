/** arch/x86/kernel/head.c: reserves the BIOS memory below 1 MiB. */
import { hex } from '../../../../machine/address.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    reserve_ebda_region(k: Kernel): void;
  }
}

/** Physical addresses of words in the BIOS data area, and bounds for the addresses that they contain. */
const BIOS_LOWMEM_KILOBYTES = 0x413;
const EBDA_SEGMENT = 0x40e;
const LOWMEM_CAP = 0x9_f000;
const INSANE_CUTOFF = 0x2_0000;

export const head = bodies({
  reserve_ebda_region: fn((k: Kernel) => {
    const lowWord = k.readU16(k.__va(BIOS_LOWMEM_KILOBYTES));
    const segment = k.readU16(k.__va(EBDA_SEGMENT));
    k.trace.recorder.consumed(
      'BIOS data area',
      'reserve_ebda_region',
      Uint8Array.of(segment & 0xff, segment >> 8, lowWord & 0xff, lowWord >> 8),
    );
    const sane = (address: number): number => (address < INSANE_CUTOFF ? LOWMEM_CAP : address);
    const lowmem = Math.min(sane(lowWord * 1024), sane(segment * 16), LOWMEM_CAP);
    k.trace.emit('read', { what: 'BDA', lowmem: hex(lowWord * 1024), ebda: hex(segment * 16) });
    k.fn.memblock_reserve(lowmem, 0x10_0000 - lowmem);
  }),
});

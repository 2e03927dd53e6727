/**
 * The state in which a loader enters the stub of a bzImage: in long mode at the 64-bit entry, or in protected mode without
 * paging at the 32-bit entry (Documentation/x86/boot.rst, "64-bit Boot Protocol" and "32-bit Boot Protocol").
 */
import { pa, va } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import { ENTRY_64 } from './image/stub.js';

/** The entry: of 64-bit firmware and kexec, or of a BIOS' loader. */
export type StubEntry = 32 | 64;

/** Entries 2 and 3 of the GDT: __BOOT_CS and __BOOT_DS, flat, at CPL 0 (boot.rst; APM vol. 2, 4.7, 4.8). */
const CODE: Readonly<Record<StubEntry, bigint>> = {
  32: 0x00cf_9a00_0000_ffffn,
  64: 0x00af_9a00_0000_ffffn,
};
const DATA = 0x00cf_9200_0000_ffffn;
export const BOOT_DS = 0x18;
export const GDT_SIZE = 4 * 8;

/** Writes the GDT at an address and loads it. For the 32-bit entry the CPU enters protected mode without paging. */
export function enterStub(machine: Machine, entry: StubEntry, gdtAt: number): void {
  const gdt = BigUint64Array.of(0n, 0n, CODE[entry], DATA);
  machine.dmaWrite(pa(gdtAt), new Uint8Array(gdt.buffer));
  const [cpu] = machine.cpus;
  cpu.lgdt(va(gdtAt), GDT_SIZE - 1);
  if (entry === 32) cpu.enterProtectedMode();
}

/** The address of the entry of a stub that is loaded at an address. */
export const entryOf = (entry: StubEntry, stubAt: number): number =>
  entry === 64 ? stubAt + ENTRY_64 : stubAt;

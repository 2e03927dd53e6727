/**
 * The identity map with which a loader enters the kernel: the first 4 GiB, as the decompressor maps them, and the GiB
 * of the kernel, the zero page and the command line (Documentation/x86/boot.txt, 64-bit boot protocol).
 */
import { InputError } from '../base/errors.js';
import { hex, PAGE_SIZE, pa, PGDIR_SIZE, PMD_SIZE, PUD_SIZE } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import { placedBy, type Region } from './placed.js';

/** GiB that are always mapped. */
const ALWAYS = [0, 1, 2, 3];
const ENTRIES = 512;
/** Entry flags: present, writable, user for pointers; present, writable, large, global for pages. */
const POINTER = 0x7n;
const LEAF = 0x183n;

/**
 * The GiB to map for a kernel in [start, end) and for the regions that are passed to it, ascending.
 *
 * @throws InputError E_LAYOUT_ABOVE_512G for a region beyond one PUD table.
 */
export function identityGib(
  start: number,
  end: number,
  handedOver: readonly Region[] = [],
): number[] {
  const gib = new Set(ALWAYS);
  const kernel = { name: 'kernel image', base: start, size: end - start };
  for (const { name, base, size } of [kernel, ...handedOver]) {
    if (base + size > PGDIR_SIZE) {
      throw new InputError({
        code: 'E_LAYOUT_ABOVE_512G',
        place: { path: placedBy(name) ?? 'loader' },
        reason: `the loader maps the first 512 GiB only, and ${name} is not in them`,
        expected: `an end of at most ${hex(PGDIR_SIZE)}`,
        found: hex(base),
      });
    }
    for (let at = Math.floor(base / PUD_SIZE); at * PUD_SIZE < base + size; at++) gib.add(at);
  }
  return [...gib].sort((a, b) => a - b);
}

/** Size of the tables in bytes. */
export function identityMapSize(gib: readonly number[]): number {
  return (2 + gib.length) * PAGE_SIZE;
}

/** Writes the tables, with 2 MiB pages, at an address and puts the boot processor in long mode with them. */
export function enterLongMode(machine: Machine, tablesAt: number, gib: readonly number[]): void {
  const tables = new BigUint64Array(identityMapSize(gib) / 8);
  const at = (page: number): bigint => BigInt(tablesAt + page * PAGE_SIZE);
  tables[0] = at(1) | POINTER;
  for (const [index, each] of gib.entries()) {
    tables[ENTRIES + each] = at(2 + index) | POINTER;
    for (let i = 0; i < ENTRIES; i++) {
      tables[(2 + index) * ENTRIES + i] = BigInt((each * ENTRIES + i) * PMD_SIZE) | LEAF;
    }
  }
  machine.dmaWrite(pa(tablesAt), new Uint8Array(tables.buffer));
  machine.cpus[0].enterLongMode(at(0));
}

/** EFI firmware on a machine whose memory map is given, for example from a kernel log. */
import { InputError } from '../../base/errors.js';
import { alignDown, alignUp, hex, PAGE_SIZE } from '../../machine/address.js';
import type { E820Range, Region } from '../placed.js';
import { EFI_MEMORY, EFI_MEMORY_TYPE } from './layout.js';
import { RAM_ATTRIBUTES, WINDOW_SIZE, type EfiRegion } from './places.js';

/** A range of a given EFI memory map, in bytes. */
export interface GivenRange {
  readonly base: number;
  readonly size: number;
  /** EFI_MEMORY_TYPE. */
  readonly type: number;
  readonly runtime: boolean;
}

/** The memory of a machine with a given map. */
export interface GivenMap {
  /** End of the RAM below 4 GiB that has the firmware's window at its top. */
  readonly lowTop: number;
  /** RAM that is free, or free after boot. */
  readonly ram: readonly Omit<Region, 'name'>[];
  /** All other ranges of the map. */
  readonly reserved: readonly EfiRegion[];
}

const HIGH_BASE = 2 ** 32;
const E820_RAM = 1;
/** EFI types for e820 types, without an EFI map (arch/x86/boot/compressed/eboot.c, setup_e820, inverted). */
const EFI_OF_E820: Readonly<Record<number, number>> = {
  2: EFI_MEMORY_TYPE.RESERVED_TYPE,
  3: EFI_MEMORY_TYPE.ACPI_RECLAIM_MEMORY,
  4: EFI_MEMORY_TYPE.ACPI_MEMORY_NVS,
  5: EFI_MEMORY_TYPE.UNUSABLE_MEMORY,
};
/** Device registers, which firmware maps uncached (UEFI 7.2; a scenario has no attributes: our choice). */
const REGISTERS: ReadonlySet<number> = new Set([
  EFI_MEMORY_TYPE.MEMORY_MAPPED_IO,
  EFI_MEMORY_TYPE.MEMORY_MAPPED_IO_PORT_SPACE,
]);
/** Types that this loader and firmware assign anew. */
const FREE: ReadonlySet<number> = new Set([
  EFI_MEMORY_TYPE.CONVENTIONAL_MEMORY,
  EFI_MEMORY_TYPE.LOADER_CODE,
  EFI_MEMORY_TYPE.LOADER_DATA,
]);

/** The parts of `regions` outside all of `others`. */
export function without(
  regions: readonly EfiRegion[],
  others: readonly Omit<Region, 'name'>[],
): EfiRegion[] {
  let remaining = [...regions];
  for (const { base, size } of others) {
    remaining = remaining.flatMap((region) => {
      const end = region.base + region.size;
      if (end <= base || region.base >= base + size) return [region];
      const parts: EfiRegion[] = [];
      if (region.base < base) parts.push({ ...region, size: base - region.base });
      if (end > base + size) parts.push({ ...region, base: base + size, size: end - base - size });
      return parts;
    });
  }
  return remaining;
}

/** Throws E_EFI_PAGES for a range that is not whole pages (UEFI 7.2, EFI_MEMORY_DESCRIPTOR: sizes are in pages). */
function checkWholePages(ranges: readonly { base: number; size: number }[], path: string): void {
  for (const [index, { base, size }] of ranges.entries()) {
    const end = base + size;
    const wrong = (field: string, found: number, expected: string): InputError =>
      new InputError({
        code: 'E_EFI_PAGES',
        place: { path: `${path}[${String(index)}].${field}` },
        reason: 'EFI firmware describes memory in whole pages',
        expected,
        found: hex(found),
      });
    if (base % PAGE_SIZE !== 0) {
      throw wrong('start', base, `the first byte of a page, as ${hex(alignDown(base, PAGE_SIZE))}`);
    }
    if (end % PAGE_SIZE !== 0) {
      const below = alignDown(end, PAGE_SIZE) - 1;
      const last = below > base ? below : alignUp(end, PAGE_SIZE) - 1;
      throw wrong('end', end - 1, `the last byte of a page, as ${hex(last)}`);
    }
  }
}

/**
 * Our choice: the tables of the real firmware are not in a log; those of this firmware are in a window at the top of
 * the highest usable memory below 4 GiB. Throws E_EFI_RAM if no usable range has room for it, E_EFI_PAGES if a range
 * begins or ends within a page.
 */
export function givenMap(
  e820: readonly E820Range[],
  efi: readonly GivenRange[] | undefined,
): GivenMap {
  checkWholePages(e820, 'firmware.e820');
  checkWholePages(efi ?? [], 'firmware.efiMemoryMap');
  const usable = e820.filter(({ type }) => type === E820_RAM);
  const hosts = usable.filter(
    ({ base, size }) => base + size <= HIGH_BASE && size >= 4 * WINDOW_SIZE,
  );
  const lowTop = hosts.reduce((top, { base, size }) => Math.max(top, base + size), 0);
  if (lowTop === 0) {
    throw new InputError({
      code: 'E_EFI_RAM',
      place: { path: 'firmware.e820' },
      reason: 'no usable memory below 4 GiB has room for EFI firmware',
      expected: `a range of ${String((4 * WINDOW_SIZE) / 2 ** 20)} MiB`,
    });
  }
  const ranges =
    efi ??
    e820
      .filter(({ type }) => type !== E820_RAM)
      .map(({ base, size, type }) => ({
        base,
        size,
        type: EFI_OF_E820[type] ?? EFI_MEMORY_TYPE.RESERVED_TYPE,
        runtime: false,
      }));
  return {
    lowTop,
    ram: usable,
    reserved: ranges
      .filter(({ type }) => !FREE.has(type))
      .map(({ runtime, ...range }) => ({
        ...range,
        name: 'of the given map',
        attribute:
          (REGISTERS.has(range.type) ? EFI_MEMORY.UC : RAM_ATTRIBUTES) |
          (runtime ? EFI_MEMORY.RUNTIME : 0n),
      })),
  };
}

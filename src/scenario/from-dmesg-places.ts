/** The addresses of kernel and initrd of a log's machine, checked against its memory map. */
import { EFI_MEMORY_TYPE } from '../firmware/efi/layout.js';
import { efiPlaces } from '../firmware/efi/places.js';
import { givenMap } from '../firmware/efi/given-map.js';
import { alignUp, hex, PAGE_SIZE, PMD_SIZE } from '../machine/address.js';
import { InputError } from '../base/errors.js';
import type { DmesgFacts, EfiFact, Extent } from './dmesg-facts.js';
import type { Remarks } from './remarks.js';
import { E820_TYPE_NAMES } from './scenario.js';

const MIB = 2 ** 20;
/** The lowest load address of the kernel (CONFIG_PHYSICAL_START). */
const KERNEL_LOWEST = 16 * MIB;
/**
 * Bytes for a kernel and its work area, in order of preference; the last is the least for the built-in image: 16 MiB, the
 * work area after it, and pages for tables (firmware/image/built-in.ts; our choice).
 */
const KERNEL_ROOMS = [64 * MIB, 32 * MIB, 20 * MIB] as const;
/** Largest initrd of a scenario (scenario.ts). */
const INITRD_SIZE_MAX = 2 ** 30;
/** Least size of a range that the EFI stub allocated for a kernel. */
const RELOCATED_MIN = 8 * MIB;

const overlap = (a: Extent, b: Extent): boolean => a.start <= b.end && a.end >= b.start;
const size = ({ start, end }: Extent): number => end - start + 1;

/** Usable memory without other ranges, sorted. */
function freeOf(usable: readonly Extent[], occupied: readonly Extent[]): Extent[] {
  let free = [...usable];
  for (const other of occupied) {
    free = free.flatMap((range) => {
      if (!overlap(range, other)) return [range];
      return [
        { start: range.start, end: other.start - 1 },
        { start: other.end + 1, end: range.end },
      ].filter(({ start, end }) => end >= start);
    });
  }
  return free.sort((a, b) => a.start - b.start);
}

/** The memory that the simulated EFI firmware reserves for itself with a given map (firmware/efi/given-map.ts). */
function firmwareWindow({ e820, efi }: DmesgFacts): Extent[] {
  if (!efi) return [];
  const map = e820.map(({ start, end, type }) => ({
    base: start,
    size: end - start + 1,
    type: E820_TYPE_NAMES[type],
  }));
  const { lowTop } = givenMap(map, undefined);
  return [{ start: efiPlaces(lowTop).window, end: lowTop - 1 }];
}

/** Whether the simulated EFI firmware, which is not the log's, fits into a log's map. */
export function hasRoomForEfi(facts: DmesgFacts): boolean {
  try {
    return firmwareWindow(facts).length > 0;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** Whether the EFI stub may have moved the kernel to a range: large and aligned as required. */
const mayBeKernel = ({ start, end }: EfiFact, ramdisk: Extent | undefined): boolean =>
  start >= KERNEL_LOWEST &&
  start % PMD_SIZE === 0 &&
  end - start + 1 >= RELOCATED_MIN &&
  (ramdisk === undefined || !overlap({ start, end }, ramdisk));

/**
 * The address chosen by the EFI stub: newer stubs decompress the kernel to loader code (x86-stub.c, efi_decompress_kernel),
 * older ones move the image to loader data (efi_relocate_kernel). Of several candidate ranges, the one with the BRK.
 */
function stubPlace(facts: DmesgFacts, remarks: Remarks): number | undefined {
  const { efiMemoryMap, ramdisk, brk } = facts;
  const of = (type: number): EfiFact[] =>
    efiMemoryMap.filter((range) => range.type === type && mayBeKernel(range, ramdisk));
  const all = [...of(EFI_MEMORY_TYPE.LOADER_CODE), ...of(EFI_MEMORY_TYPE.LOADER_DATA)];
  const [first] = all;
  if (first === undefined) return undefined;
  const holdsBrk = all.find(({ start, end }) => brk !== undefined && brk >= start && brk <= end);
  const { type, start } = holdsBrk ?? first;
  const word = type === EFI_MEMORY_TYPE.LOADER_CODE ? 'loader code' : 'loader data';
  if (holdsBrk !== undefined) {
    remarks.read(`loader.kernelAt: the range of ${word} that has the kernel's BRK`, 'brk');
  } else {
    const which = all.length === 1 ? 'the only' : `the first of ${String(all.length)}`;
    remarks.guessed(
      `loader.kernelAt: ${hex(start)}, ${which} large, aligned range of EFI ${word}, where the EFI stub places a kernel${elsewhere(brk, start)}`,
    );
  }
  return start;
}

/** The lowest address from 16 MiB on with enough room. */
function lowestPlace(free: readonly Extent[]): number | undefined {
  for (const room of KERNEL_ROOMS) {
    for (const { start, end } of free) {
      const at = alignUp(Math.max(start, KERNEL_LOWEST), PMD_SIZE);
      if (at + room <= end + 1) return at;
    }
  }
  return undefined;
}

export interface Places {
  readonly kernelAt: number;
  readonly initrdAt?: number;
  readonly initrdSize?: number;
}

/** The load addresses of kernel and initrd. Throws E_DMESG if no usable memory has room for a kernel. */
export function placesOf(facts: DmesgFacts, remarks: Remarks): Places {
  const usable = facts.e820.filter(({ type }) => type === 'usable');
  const window = firmwareWindow(facts);
  const ramdisk = ramdiskOf(facts, usable, window, remarks);
  const initrd =
    facts.ramdisk === undefined
      ? {}
      : {
          ...(ramdisk === undefined ? {} : { initrdAt: ramdisk.start }),
          ...initrdSize(facts.ramdisk, remarks),
        };
  const stub = stubPlace(facts, remarks);
  if (stub !== undefined) return { kernelAt: stub, ...initrd };
  const occupied = [...window, ...(ramdisk === undefined ? [] : [ramdisk])];
  const kernelAt = lowestPlace(freeOf(usable, occupied));
  if (kernelAt === undefined) {
    throw new InputError({
      code: 'E_DMESG',
      reason: 'no usable memory has room for a kernel',
      expected: `${String(KERNEL_ROOMS[2] / MIB)} MiB above 16 MiB`,
      found: `the largest usable range has ${String(Math.floor(Math.max(0, ...usable.map(size)) / MIB))} MiB`,
    });
  }
  remarks.guessed(
    `loader.kernelAt: ${hex(kernelAt)}, the lowest usable address from 16 MiB on; not in a log${elsewhere(facts.brk, kernelAt)}`,
  );
  return { kernelAt, ...initrd };
}

/** A remark if the log's kernel had another address: the BRK follows the image (arch/x86/kernel/vmlinux.lds.S). */
function elsewhere(brk: number | undefined, kernelAt: number): string {
  if (brk === undefined || (brk > kernelAt && brk < kernelAt + 2 * KERNEL_ROOMS[0])) return '';
  return `; the log's kernel was at another address (its BRK is at ${hex(brk)}), due to KASLR or its loader`;
}

/** The initrd's size, if the built-in one can be padded to it. */
function initrdSize(ramdisk: Extent, remarks: Remarks): { initrdSize?: number } {
  if (size(ramdisk) <= INITRD_SIZE_MAX) return { initrdSize: size(ramdisk) };
  remarks.guessed(
    `loader.initrdSize: left out, since ${String(size(ramdisk))} bytes exceed the simulated maximum of 1 GiB`,
  );
  return {};
}

/** The initrd's range, if it can be used unchanged. */
function ramdiskOf(
  { ramdisk }: DmesgFacts,
  usable: readonly Extent[],
  window: readonly Extent[],
  remarks: Remarks,
): Extent | undefined {
  if (ramdisk === undefined) {
    remarks.guessed(
      'loader.initrdAt: no RAMDISK in the log; the highest address that a loader may use',
    );
    return undefined;
  }
  remarks.read(
    `loader.initrdAt, initrdSize: ${String(size(ramdisk))} bytes${size(ramdisk) % PAGE_SIZE === 0 ? ', in whole pages as the kernel prints them' : ''}`,
    'ramdisk',
  );
  remarks.guessed(
    'initrd contents: the built-in initrd, padded with zeros to this size; --initrd replaces it',
  );
  if (window.some((range) => overlap(range, ramdisk))) {
    remarks.guessed(
      `loader.initrdAt: left out, since ${hex(ramdisk.start)} is in memory of the simulated EFI firmware`,
    );
    return undefined;
  }
  if (!usable.some(({ start, end }) => ramdisk.start >= start && ramdisk.end <= end)) {
    remarks.guessed(
      `loader.initrdAt: left out, since ${hex(ramdisk.start)} to ${hex(ramdisk.end)} is not usable memory of the map`,
    );
    return undefined;
  }
  return ramdisk;
}

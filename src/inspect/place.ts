/** Parses places in memory: a number, a symbol or a region, with an index and an offset. */
import { PAGE_OFFSET } from '../kernel/constants.js';
import { alignDown, hex, PAGE_SIZE, va, vaAdd, vaOfText, type Va } from '../machine/address.js';
import { isFault, type Cpu } from '../machine/cpu/cpu.js';
import { regionOf } from '../firmware/placed.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { InputError } from '../base/errors.js';
import { suggest } from '../base/suggest.js';
import type { PhysicalRange } from './memory.js';
import { translationOf } from './translation.js';

/** An address, virtual or physical. */
export type Place =
  | { readonly space: 'va'; readonly address: Va }
  | { readonly space: 'pa'; readonly address: number };

const NUMBER = /^(0x[0-9a-fA-F_]+|\d+)$/;
const FORM = /^(.*?)(?:\[(\d+)\])?(?:([+-])(0x[0-9a-fA-F]+|\d+))?$/;
const ENTRY = 8;

/** The name in a place, or its number: without index and offset. */
export function placeName(text: string): string {
  return FORM.exec(text.trim())?.[1] ?? '';
}

/**
 * Regions that a boot makes while it runs: the trampoline (arch/x86/realmode/init.c: reserve_real_mode) and the pages of
 * the first process (src/linux/mm/memory.ts: map_user_pages).
 */
export const LATER_REGIONS: readonly string[] = [
  'trampoline',
  'user file page',
  'user private page',
  'user shared page',
];

function wrong(found: string, expected: string, near: { suggestion?: string } = {}): InputError {
  const reason = 'no such place in memory';
  return new InputError({ code: 'E_PLACE', reason, expected, found, ...near });
}

/** The E_PLACE error for a name that is neither a symbol nor a region. */
function unknownName(boot: InspectedBoot, text: string, base: string): InputError {
  const names = [
    ...boot.regions().map(({ name }) => name),
    ...boot.loaded.blobs.map(({ name }) => name),
    ...LATER_REGIONS,
    ...boot.suggested(),
  ];
  const known = LATER_REGIONS.includes(base);
  const expected = known
    ? `${base} at a later label`
    : 'an address, a symbol (sme-boot list symbols) or a region (sme-boot list regions)';
  return wrong(text, expected, known ? {} : suggest(base, names));
}

/**
 * Checks a place before the boot has run, as far as that is possible. Throws E_PLACE for a malformed place or number, and
 * for a name that this boot will not have.
 */
export function checkPlace(boot: InspectedBoot, text: string): void {
  const { base, value, shift } = partsOf(text);
  if (value !== undefined) return;
  if (boot.program.has(base)) {
    checkIndex(text, boot.program.sizeOf(base));
    virtual(boot.program.link(base) + shift, text);
  }
  const fixed = [...boot.regions(), ...boot.loaded.blobs].some(({ name }) => name === base);
  if (fixed || boot.program.has(base) || LATER_REGIONS.includes(base)) return;
  // The kernel that is entered by kexec may have other names.
  if (boot.kexecs) return;
  throw unknownName(boot, text, base);
}

/** A place in its parts: the name or number, and the distance from it in bytes. Throws E_PLACE for an invalid number. */
function partsOf(text: string): { base: string; value: number | undefined; shift: number } {
  const [, base = '', index, sign, offset] = FORM.exec(text.trim()) ?? [];
  const distance = Number(offset ?? 0);
  const shift = (sign === '-' ? -distance : distance) + Number(index ?? 0) * ENTRY;
  if (!NUMBER.test(base)) return { base, value: undefined, shift };
  const value = vaOfText(base.replace(/_/g, ''));
  if (value === undefined) throw wrong(text, 'a canonical address');
  return { base, value, shift };
}

/** Canonical addresses are sign-extended from bit 47 (APM 5.3.1). */
const CANONICAL_END = 2 ** 47;

function virtual(address: number, text: string): Place {
  if (address >= -CANONICAL_END && address < CANONICAL_END) {
    return { space: 'va', address: va(address) };
  }
  throw wrong(text, 'a canonical address');
}

/** Throws E_PLACE for an index beyond the bytes of a symbol or region; `size` 0: they are not known. */
function checkIndex(text: string, size: number): void {
  const [, , index = '0'] = FORM.exec(text.trim()) ?? [];
  if (size === 0 || Number(index) * ENTRY < size) return;
  throw wrong(text, `an index below ${String(Math.ceil(size / ENTRY))}`);
}

/** Physical addresses have at most 52 bits (APM 5.3). */
const PHYSICAL_END = 2 ** 52;

function physical(address: number, text: string): Place {
  if (address >= 0 && address < PHYSICAL_END) return { space: 'pa', address };
  throw wrong(text, 'a physical address of at most 52 bits');
}

/**
 * Parses a place: `0xffffffff81000000`, `0x1000`, `early_level4_pgt[511]`, `initrd+64`, `kernel text`. A symbol is a
 * virtual address, a region or firmware blob a physical one, a bare number one of `numbers`, but at or above 2^47 always
 * virtual. Throws E_PLACE.
 */
export function parsePlace(boot: InspectedBoot, text: string, numbers: 'va' | 'pa'): Place {
  const { base, value, shift } = partsOf(text);
  if (value !== undefined) {
    return numbers === 'va' || value < 0
      ? virtual(value + shift, text)
      : physical(value + shift, text);
  }
  const regions = [...boot.regions(), ...boot.loaded.blobs];
  const region = regions.find(({ name }) => name === base);
  if (region !== undefined) return physical(region.base + shift, text);
  if (boot.program.has(base)) {
    checkIndex(text, boot.program.sizeOf(base));
    return virtual(boot.program.link(base) + boot.slide + shift, text);
  }
  throw unknownName(boot, text, base);
}

/**
 * The bytes that a place names: a region or symbol alone, all of it; with an index or an offset, and for an address, one byte.
 * Throws E_PLACE.
 */
export function sizeOfPlace(boot: InspectedBoot, text: string): number {
  const base = placeName(text);
  if (text.trim() !== base || NUMBER.test(base)) return 1;
  const region = [...boot.regions(), ...boot.loaded.blobs.map(regionOf)].find(
    ({ name }) => name === base,
  );
  if (region !== undefined) return region.size;
  if (boot.program.has(base)) return Math.max(1, boot.program.sizeOf(base));
  throw unknownName(boot, text, base);
}

/** The virtual address of a place: a physical one where the direct map has it, or will have it. */
export function virtualOf(place: Place): Va {
  return place.space === 'va' ? place.address : va(PAGE_OFFSET + place.address);
}

/** The physical address of a place: a virtual one as the CPU translates it. Throws E_NOT_MAPPED. */
export function physicalOf(
  { machine }: InspectedBoot,
  place: Place,
  text: string,
  cpu?: Cpu,
): number {
  if (place.space === 'pa') return place.address;
  const found = translationOf(machine, cpu ?? machine.cpus[0], place.address);
  if (!isFault(found)) return found.pa;
  throw new InputError({
    code: 'E_NOT_MAPPED',
    reason: `nothing is mapped there (${found.why})`,
    found: text,
  });
}

/**
 * The physical memory of `length` bytes from a place on: ranges in the order of the place's addresses, adjacent ones
 * merged. Throws E_NOT_MAPPED if any of them is not mapped.
 */
export function physicalRanges(
  boot: InspectedBoot,
  place: Place,
  length: number,
  text: string,
  cpu?: Cpu,
): PhysicalRange[] {
  if (place.space === 'pa') return [{ base: place.address, size: length }];
  const ranges: { base: number; size: number }[] = [];
  for (let done = 0; done < length;) {
    const at = vaAdd(place.address, done);
    const size = Math.min(length - done, alignDown(at, PAGE_SIZE) + PAGE_SIZE - at);
    const base = physicalOf(boot, { space: 'va', address: at }, done === 0 ? text : hex(at), cpu);
    const last = ranges.at(-1);
    if (last !== undefined && last.base + last.size === base) last.size += size;
    else ranges.push({ base, size });
    done += size;
  }
  return ranges;
}

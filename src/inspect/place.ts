/** Parses places in memory: a number, a symbol or a region, with an index and an offset. */
import { PAGE_OFFSET } from '../kernel/constants.js';
import { va, vaOfU64, type Va } from '../machine/address.js';
import type { Boot } from '../sequencer/boot.js';
import { InputError } from '../base/errors.js';

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

function wrong(found: string, expected: string): InputError {
  return new InputError({ code: 'E_PLACE', reason: 'no such place in memory', expected, found });
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
export function parsePlace(boot: Boot, text: string, numbers: 'va' | 'pa'): Place {
  const [, base = '', index, sign, offset] = FORM.exec(text.trim()) ?? [];
  const distance = Number(offset ?? 0);
  const shift = (sign === '-' ? -distance : distance) + Number(index ?? 0) * ENTRY;
  if (NUMBER.test(base)) {
    const value = BigInt(base.replace(/_/g, ''));
    const canonical = vaOfU64(value);
    if (canonical === undefined) throw wrong(text, 'a canonical address');
    return numbers === 'va' || canonical < 0
      ? { space: 'va', address: va(canonical + shift) }
      : physical(canonical + shift, text);
  }
  const regions = [...boot.regions(), ...boot.loaded.blobs];
  const region = regions.find(({ name }) => name === base);
  if (region !== undefined) return physical(region.base + shift, text);
  if (boot.program.has(base)) {
    return { space: 'va', address: va(boot.program.link(base) + boot.kernel.slide + shift) };
  }
  const names = [
    ...regions.map(({ name }) => name),
    ...[...boot.program.modelled()].map(([n]) => n),
  ];
  const near = names.filter((name) => name.includes(base) || base.includes(name)).slice(0, 5);
  throw wrong(text, near.length > 0 ? near.join(', ') : 'an address, a symbol or a region');
}

/** The virtual address of a place: a physical one where the direct map has it, or will have it. */
export function virtualOf(place: Place): Va {
  return place.space === 'va' ? place.address : va(PAGE_OFFSET + place.address);
}

/** The physical address of a place: a virtual one through the tables in use. Throws E_NOT_MAPPED. */
export function physicalOf(boot: Boot, place: Place, text: string): number {
  if (place.space === 'pa') return place.address;
  const probed = boot.machine.cpus[0].translate(place.address);
  if (!('vector' in probed)) return probed.pa;
  throw new InputError({
    code: 'E_NOT_MAPPED',
    reason: `nothing is mapped there (${probed.why})`,
    found: text,
  });
}

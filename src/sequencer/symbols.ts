/** Names of addresses in a boot: symbols of the kernel image, and the regions that loader and firmware filled. */
import type { Loaded } from '../firmware/loader.js';
import { regionOf } from '../firmware/placed.js';
import { __START_KERNEL_map } from '../kernel/constants.js';
import type { Program } from '../kernel/program.js';
import { va } from '../machine/address.js';

/** The symbol or region of an address, with the offset in it; undefined if it has none. */
export function symbolOf(
  program: Program,
  loaded: Loaded,
  space: 'va' | 'pa',
  address: number,
): string | undefined {
  const linked = space === 'va' ? address : address - loaded.kernelAt + program.link('_text');
  if (linked < __START_KERNEL_map || linked >= program.link('_end')) {
    return space === 'pa' ? regionAt(loaded, address) : undefined;
  }
  const name = program.nameAt(va(linked));
  return name === undefined ? undefined : withOffset(name.name, name.offset);
}

/** The region of loader or firmware at a physical address, with the offset in it; undefined if there is none. */
export function regionAt(
  { blobs, regions, firmwareRegions }: Pick<Loaded, 'blobs' | 'regions' | 'firmwareRegions'>,
  address: number,
): string | undefined {
  const region = [...blobs.map(regionOf), ...regions, ...firmwareRegions].find(
    ({ name, base, size }) => name !== 'kernel image' && address >= base && address < base + size,
  );
  return region === undefined ? undefined : withOffset(region.name, address - region.base);
}

/** `name`, or `name+0x10`. */
export function withOffset(name: string, offset: number): string {
  return offset === 0 ? name : `${name}+0x${offset.toString(16)}`;
}

/**
 * Where a decompressor's stub has put the kernel: found at the first instruction of the kernel's ELF entry, in the machine's
 * memory. The stub chooses a physical address and, with KASLR, a virtual one.
 */
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { va, type Va } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { Machine } from '../machine/machine.js';
import { readUnder } from '../machine/quiet.js';
import { physicalOf } from './stops.js';

/** The place of a running kernel. */
export interface KernelPlace {
  /** Physical address of its first byte. */
  readonly kernelAt: number;
  /** Distance of its virtual addresses from the linked ones. */
  readonly offset: number;
}

/** Bytes at the entry by which the kernel is recognized (our choice): none of them is relocated. */
const RECOGNIZED = 16;
const WORD = 4;

const firstOf = ({ segments }: KernelImage): number =>
  segments.reduce((min, { paddr }) => Math.min(min, paddr), Infinity);

/** The image's bytes at a physical link address; fewer where the file has fewer. */
function bytesAt({ segments }: KernelImage, paddr: number, length: number): Uint8Array {
  for (const { paddr: base, bytes } of segments) {
    const at = paddr - base;
    if (at >= 0 && at < bytes.length) return bytes.subarray(at, at + length);
  }
  return new Uint8Array(0);
}

/** The segment that has `length` bytes of the file at a link address. */
const segmentAt = (
  { segments }: KernelImage,
  link: number,
  length: number,
): KernelImage['segments'][number] | undefined =>
  segments.find(({ vaddr, bytes }) => link >= vaddr && link + length <= vaddr + bytes.length);

/** The addresses at which the ELF entry can be: of a kernel at each multiple of its least alignment in RAM. */
export function entryPlaces(machine: Machine, image: KernelImage, alignment: number): Set<number> {
  const offset = image.entry - firstOf(image);
  const places = new Set<number>();
  for (const { base, size } of machine.config.ram) {
    for (let at = Math.ceil(base / alignment) * alignment; at < base + size; at += alignment) {
      if (at > 0) places.add(at + offset);
    }
  }
  return places;
}

/**
 * The kernel's place if its ELF entry is at an address that is executed; undefined if other bytes are there. `null`: it is
 * there, and its relocations contradict each other, so that its virtual address is not known.
 */
export function kernelPlaceAt(
  machine: Machine,
  cpu: Cpu,
  image: KernelImage,
  at: Va,
): KernelPlace | null | undefined {
  const place = physicalOf(machine, cpu, at);
  if (place === undefined) return undefined;
  const wanted = bytesAt(image, image.entry, RECOGNIZED);
  const found = readUnder(machine, place.pa, RECOGNIZED, place.key);
  if (wanted.length < RECOGNIZED || wanted.some((byte, i) => byte !== found[i])) return undefined;
  const first = firstOf(image);
  const kernelAt = place.pa - (image.entry - first);
  if (!hasBanner(machine, cpu, image, kernelAt)) return undefined;
  const offsets = new Set<number>();
  for (const link of image.relocated ?? []) {
    const segment = segmentAt(image, link, WORD);
    if (segment === undefined) continue;
    const linked = segment.bytes.subarray(link - segment.vaddr, link - segment.vaddr + WORD);
    const physical = va(kernelAt + segment.paddr - first + (link - segment.vaddr));
    const now = physicalOf(machine, cpu, physical);
    if (now === undefined) continue;
    offsets.add((word(readUnder(machine, now.pa, WORD, now.key)) - word(linked)) >>> 0);
  }
  // A kernel without relocations runs at its linked addresses.
  const [offset = 0, ...others] = offsets;
  return others.length > 0 ? null : { kernelAt, offset };
}

/** Most bytes of a banner that are compared (our choice). */
const BANNER = 256;

/** Whether a kernel in memory has the image's banner, with version and build: kernels of other builds can have the same entry. */
function hasBanner(machine: Machine, cpu: Cpu, image: KernelImage, kernelAt: number): boolean {
  const symbol = image.symbols.get('linux_banner');
  if (symbol === undefined) return true;
  const segment = segmentAt(image, symbol.address, 1);
  if (segment === undefined) return true;
  const from = symbol.address - segment.vaddr;
  const text = segment.bytes.subarray(from, from + BANNER);
  const end = text.indexOf(0);
  const wanted = end < 0 ? text : text.subarray(0, end);
  const at = physicalOf(machine, cpu, va(kernelAt + segment.paddr - firstOf(image) + from));
  if (at === undefined) return false;
  const found = readUnder(machine, at.pa, wanted.length, at.key);
  return wanted.every((byte, i) => byte === found[i]);
}

const word = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

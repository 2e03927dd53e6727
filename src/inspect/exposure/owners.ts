/** Who owns each range of memory, by the kernel's and the loader's own records. For reports only. */
import { E820, type E820Entry } from '../../linux/arch/x86/include/asm/e820.js';
import { removeRange, type Range } from '../../linux/mm/memblock.js';
import { pa } from '../../machine/address.js';
import { readUnder } from '../../machine/quiet.js';
import type { InspectedBoot } from '../../sequencer/inspected-boot.js';
import { regionOf, type Region } from '../../firmware/placed.js';

/** The kind of record that names the owner; `none`: no record. */
export type OwnerKind =
  | 'firmware'
  | 'kernel image'
  | 'bounce buffers'
  | 'reserved'
  | 'allocated'
  | 'free'
  | 'loader'
  | 'none';

export interface Owner {
  readonly kind: OwnerKind;
  /** `e820 type ACPI data`, `reserved by reserve_initrd`. */
  readonly text: string;
}

/** Memory [start, end) with one owner. */
export interface OwnedRange {
  readonly start: number;
  readonly end: number;
  readonly owner: Owner;
}

/** The names in arch/x86/kernel/e820.c, e820_print_type(). */
const E820_NAMES = new Map<number, string>([
  [E820.RESERVED, 'reserved'],
  [E820.ACPI, 'ACPI data'],
  [E820.NVS, 'ACPI NVS'],
  [E820.UNUSABLE, 'unusable'],
  [E820.PMEM, 'persistent'],
  [E820.PRAM, 'persistent'],
]);

const NONE: Owner = { kind: 'none', text: 'no owner on record' };
const USABLE: Owner = { kind: 'none', text: 'e820 type usable, not reserved' };
/** Neither RAM nor anything else for the kernel: firmware keeps its own data there. */
const HOLE: Owner = { kind: 'firmware', text: 'in no e820 range' };

/** Where physical memory ends for the ranges here: addresses have at most 52 bits (APM 5.3). */
const LIMIT = 2 ** 52;

const owned = (base: number, size: number, owner: Owner): OwnedRange => ({
  start: base,
  end: Math.min(base + size, LIMIT),
  owner,
});

/** The bounce buffers of lib/swiotlb.c, from its variables in memory; undefined before they are set and after swiotlb_free(). */
function bouncePool(boot: InspectedBoot): OwnedRange | undefined {
  const { machine, program, loaded } = boot;
  const variable = (name: string): number => {
    const at = pa(program.link(name) - program.link('_text') + loaded.kernelAt);
    const key = machine.lastWrite(at)?.key;
    if (key === undefined) return 0;
    const word = readUnder(machine, at, 8, key);
    return Number(new DataView(word.buffer, word.byteOffset).getBigUint64(0, true));
  };
  if (!boot.kernelPlaced) return undefined;
  const names = ['io_tlb_start', 'io_tlb_end', 'io_tlb_nslabs'];
  if (!names.every((name) => program.has(name))) return undefined;
  const [start = 0, end = 0, slabs = 0] = names.map(variable);
  if (slabs === 0 || start === 0 || end <= start || !machine.dram.has(start)) return undefined;
  return { start, end, owner: { kind: 'bounce buffers', text: 'bounce buffers (swiotlb)' } };
}

/** The image in memory: its sections, then the rest up to _end. */
function imageRanges(boot: InspectedBoot): OwnedRange[] {
  const { program, loaded } = boot;
  const image = (text: string): Owner => ({ kind: 'kernel image', text });
  const sections = boot.regions().filter(({ name }) => /^kernel (?!image)/.test(name));
  if (!boot.kernelPlaced) {
    // The decompressor, its buffers, and the kernel as far as it is unpacked.
    const rooms = boot.regions().filter(({ name }) => name === 'kernel image');
    return rooms.map(({ base, size, name }) => owned(base, size, image(name)));
  }
  const size = program.link('_end') - program.link('_text');
  return [
    ...sections.map(({ name, base, size: bytes }) => owned(base, bytes, image(name))),
    owned(loaded.kernelAt, size, image('kernel image')),
  ];
}

/** The owners of memory, in the order in which a record takes precedence over later ones. */
function records(boot: InspectedBoot): OwnedRange[] {
  const { e820, reserved, pages, loader } = boot.records();
  const pool = bouncePool(boot);
  const firmware = e820.flatMap(({ addr, size, type }) => {
    const name = E820_NAMES.get(type);
    if (name === undefined) return [];
    const text = `e820 type ${name}`;
    return [owned(Number(addr), Number(size), { kind: 'firmware', text })];
  });
  const free: Owner = { kind: 'free', text: 'free (page allocator)' };
  // memblock's list is not changed when the page allocator gets the memory later.
  const since = pages === null ? '' : ', or allocated since';
  const allocated: Owner = { kind: 'allocated', text: 'allocated (page allocator)' };
  return [
    ...(pages?.free.map(({ base, size }) => owned(base, size, free)) ?? []),
    ...imageRanges(boot),
    ...(pool === undefined ? [] : [pool]),
    ...firmware,
    ...holesIn(e820),
    ...reserved.map(({ base, size, owner }) =>
      owned(base, size, { kind: 'reserved', text: `reserved by ${owner} (memblock)${since}` }),
    ),
    ...(pages?.memory.map(({ base, size }) => owned(base, size, allocated)) ?? []),
    ...(loader ? loaderRanges(boot) : []),
    ...usableRanges(e820),
  ];
}

/** What no entry of the memory map covers. */
function holesIn(e820: readonly E820Entry[]): OwnedRange[] {
  let holes: readonly Range[] = e820.length === 0 ? [] : [{ base: 0, size: LIMIT }];
  for (const { addr, size } of e820) holes = removeRange(holes, Number(addr), Number(size));
  return holes.map(({ base, size }) => owned(base, size, HOLE));
}

/** The RAM of the memory map. */
const usableRanges = (e820: readonly E820Entry[]): OwnedRange[] =>
  e820
    .filter(({ type }) => !E820_NAMES.has(type))
    .map(({ addr, size }) => owned(Number(addr), Number(size), USABLE));

/** Before the kernel has its memory map: the regions of loader and firmware. */
function loaderRanges({ loaded }: InspectedBoot): OwnedRange[] {
  const of = ({ name, base, size }: Region, kind: 'loader' | 'firmware'): OwnedRange =>
    owned(base, size, { kind, text: `${kind}: ${name}` });
  return [
    ...loaded.firmwareRegions.map((region) => of(region, 'firmware')),
    ...loaded.regions.map((region) => of(region, 'loader')),
  ];
}

/** All memory as ranges with one owner each, ascending, without gaps. */
export function ownersOf(boot: InspectedBoot): OwnedRange[] {
  const all = records(boot).filter(({ start, end }) => start < end);
  const bounds = [...new Set([0, ...all.flatMap(({ start, end }) => [start, end]), LIMIT])].sort(
    (a, b) => a - b,
  );
  const ranges: { start: number; end: number; owner: Owner }[] = [];
  for (const [i, start] of bounds.entries()) {
    const end = bounds[i + 1];
    if (end === undefined) break;
    const owner = all.find((each) => start >= each.start && start < each.end)?.owner ?? NONE;
    const open = ranges.at(-1);
    if (open?.owner.text === owner.text) open.end = end;
    else ranges.push({ start, end, owner });
  }
  return ranges;
}

/** A range with the origin of its last write and its owner. */
export interface NamedRange {
  readonly start: number;
  readonly bytes: number;
  readonly origin: number;
  readonly owner: Owner;
}

/** Names of the regions, blobs and symbols in a range, the first ones of each; `region+0x40` where it begins inside one. */
export function namesIn(
  boot: InspectedBoot,
  { start, bytes, origin, owner }: NamedRange,
): string[] {
  const { program, loaded } = boot;
  const end = start + bytes;
  const atLoad = [...loaded.blobs.map(regionOf), ...loaded.regions, ...loaded.firmwareRegions];
  // What the kernel has written in memory that is its own is no longer what the loader had put there.
  const stale = origin !== 0 && owner.kind !== 'firmware' && owner.kind !== 'loader';
  const since = boot.regions().filter(({ name }) => !atLoad.some((each) => each.name === name));
  const named = stale ? since : [...since, ...atLoad];
  const touching = named.filter(
    ({ base, size, name }) => name !== 'kernel image' && base < end && start < base + size,
  );
  // Of nested regions the smallest is the most precise.
  const within = touching
    .filter(({ base, size }) => base <= start && start < base + size)
    .sort((a, b) => a.size - b.size)[0];
  const offset = (name: string, by: number): string =>
    by === 0 ? name : `${name}+0x${by.toString(16)}`;
  const link = start - loaded.kernelAt + program.link('_text');
  const symbol = boot.kernelPlaced && start >= loaded.kernelAt ? program.nameAt(link) : undefined;
  const first =
    symbol !== undefined && link < program.link('_end')
      ? [offset(symbol.name, symbol.offset)]
      : within === undefined
        ? []
        : [offset(within.name, start - within.base)];
  const inside = touching
    .filter(({ base }) => base > start)
    .sort((a, b) => a.base - b.base)
    .map(({ name }) => name);
  return [...new Set([...first, ...inside])];
}

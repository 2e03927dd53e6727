/** The addresses of kallsyms' symbols, in the formats of all kernel versions. */
import { alignUp, type Align, type Bytes, type Names } from './kallsyms-types.js';

const TWO_32 = 2 ** 32;

/** Reads the addresses at the position of each layout; undefined if no layout gives ascending addresses. */
export function readAddresses(
  at: Bytes,
  { numSyms, count }: Names,
  tokensEnd: number,
  align: Align,
): Float64Array | undefined {
  const last = alignUp(tokensEnd, align);
  if (align === 4) return readPlaceRelative(at, last, count);
  const offsetsSize = alignUp(4 * count, align);
  return (
    readAbsolute(at, numSyms - 8 * count, count) ??
    readRelative(at, numSyms - 8 - offsetsSize, numSyms - 8, count) ??
    readRelative(at, last, last + offsetsSize, count)
  );
}

/** kallsyms_addresses: 64 bits each (without CONFIG_KALLSYMS_BASE_RELATIVE). */
function readAbsolute({ view }: Bytes, table: number, count: number): Float64Array | undefined {
  if (table < 0) return undefined;
  const addresses = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const place = table + 8 * index;
    addresses[index] = view.getInt32(place + 4, true) * TWO_32 + view.getUint32(place, true);
  }
  return areKernelAddresses(addresses) ? addresses : undefined;
}

/**
 * kallsyms_offsets and kallsyms_relative_base (CONFIG_KALLSYMS_BASE_RELATIVE): 32 bits each. With
 * CONFIG_KALLSYMS_ABSOLUTE_PERCPU a non-negative offset is the address itself, a negative one is subtracted from the
 * base minus one (kernel/kallsyms.c, kallsyms_sym_address); without, offsets are unsigned and below 2 GiB.
 */
function readRelative(
  { u8, view }: Bytes,
  offsets: number,
  relativeBase: number,
  count: number,
): Float64Array | undefined {
  if (offsets < 0 || relativeBase + 8 > u8.length) return undefined;
  const base = view.getInt32(relativeBase + 4, true) * TWO_32 + view.getUint32(relativeBase, true);
  if (!isKernelText(base)) return undefined;
  const addresses = new Float64Array(count);
  let absolutePercpu = false;
  for (let index = 0; index < count; index++) {
    const offset = view.getInt32(offsets + 4 * index, true);
    addresses[index] = offset;
    if (offset < 0) absolutePercpu = true;
  }
  for (let index = 0; index < count; index++) {
    const offset = addresses[index] ?? 0;
    if (!absolutePercpu) addresses[index] = base + offset;
    else if (offset < 0) addresses[index] = base - 1 - offset;
  }
  return areKernelAddresses(addresses) ? addresses : undefined;
}

/** kallsyms_offsets from 7.0 on: 32 bits each, relative to the entry's own address (kernel/kallsyms.c, offset_to_ptr). */
function readPlaceRelative(
  { u8, view, vaddr }: Bytes,
  offsets: number,
  count: number,
): Float64Array | undefined {
  if (offsets + 4 * count > u8.length) return undefined;
  const addresses = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const place = offsets + 4 * index;
    addresses[index] = vaddr + place + view.getInt32(place, true);
  }
  return areKernelAddresses(addresses) ? addresses : undefined;
}

/** Whether an address is in the topmost 2 GiB, where the kernel is linked (Documentation/x86/x86_64/mm.txt). */
function isKernelText(address: number): boolean {
  return address >= -(TWO_32 / 2) && address < 0;
}

/** Whether addresses are in kallsyms' order: ascending as unsigned numbers, per-CPU ones below 2 GiB, then the kernel's. */
function areKernelAddresses(addresses: Float64Array): boolean {
  let previous = 0;
  for (const address of addresses) {
    if (address >= 0 ? previous < 0 || address >= TWO_32 / 2 : !isKernelText(address)) return false;
    if (address < previous && !(address < 0 && previous >= 0)) return false;
    previous = address;
  }
  return previous < 0;
}

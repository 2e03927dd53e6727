/** arch/x86/kernel/e820.c: the memory map that the loader passed in the zero page. */
import { hex, va, type Va } from '../../../../../machine/address.js';
import { BOOT_PARAMS } from '../../../../../firmware/boot-params.js';
import { SETUP_DATA } from '../../../../../firmware/efi/layout.js';
import {
  E820,
  E820_ENTRY_SIZE,
  E820_X_MAX,
  E820MAX,
  type E820Entry,
} from '../../include/asm/e820.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** The first `count` entries of boot_params.e820_map, at most E820MAX. */
    'boot_params:e820_map'(k: Kernel, count: number): E820Entry[];
    /** `room`: capacity of the map, in entries. Undefined where the map stays unchanged. */
    sanitize_e820_map(k: Kernel, map: E820Entry[], room: number): E820Entry[] | undefined;
    append_e820_map(k: Kernel, map: E820Entry[]): number;
    /** Adds each entry before it reads the next; returns -1 at the first whose end wraps around 2^64, else 0. */
    __append_e820_map(k: Kernel, map: Iterable<E820Entry>): number;
    e820_add_region(k: Kernel, entry: E820Entry): void;
    /** Removes a range, in bytes, from the entries of `type`, or from all where it is null. */
    e820_remove_range(k: Kernel, start: bigint, size: bigint, type: number | null): void;
    /** Whether entries of `type` cover [start, end), in bytes. Requires a sorted map without overlaps. */
    e820_all_mapped(k: Kernel, start: bigint, end: bigint, type: number): boolean;
    setup_memory_map(k: Kernel): void;
    default_machine_specific_memory_setup(k: Kernel): string;
    e820_end_of_ram_pfn(k: Kernel): number;
    /** Changes the type of a range, in bytes, from `old` to `now`. */
    e820_update_range(k: Kernel, start: bigint, size: bigint, old: number, now: number): void;
    e820_print_map(k: Kernel, who: string): void;
    /** Adds the extended map of a setup_data node. */
    parse_e820_ext(k: Kernel, physAddr: bigint, dataLen: number): void;
    memblock_x86_fill(k: Kernel): void;
    e820_any_mapped(k: Kernel, start: number, end: number, type: number): boolean;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    e820: E820Entry[];
  }
}
export const e820State = stateSlice(() => ({ e820: [] }));

const U64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const ULLONG_MAX = 2n ** 64n - 1n;
/** HIGH_MEMORY and LOWMEMSIZE() (asm/e820.h, asm/bios_ebda.h). */
const HIGH_MEMORY = 0x10_0000n;
const LOWMEMSIZE = 0x9_f000n;

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [E820.RAM]: 'usable',
  [E820.RESERVED_KERN]: 'usable',
  [E820.RESERVED]: 'reserved',
  [E820.ACPI]: 'ACPI data',
  [E820.NVS]: 'ACPI NVS',
  [E820.UNUSABLE]: 'unusable',
  [E820.PMEM]: 'persistent (type 7)',
  [E820.PRAM]: 'persistent (type 12)',
};

/** A start or an end of an entry's range (struct change_member). */
interface ChangePoint {
  readonly addr: bigint;
  readonly entry: E820Entry;
}

/** cpcompare(): sorts by address, and starts before ends at the same address. */
function cpcompare(a: ChangePoint, b: ChangePoint): number {
  if (a.addr !== b.addr) return a.addr < b.addr ? -1 : 1;
  return Number(a.addr !== a.entry.addr) - Number(b.addr !== b.entry.addr);
}

/**
 * sanitize_e820_map(): a sorted map without overlaps, in which the higher type wins; at most `room` entries. Undefined
 * where the map stays unchanged: it has fewer than two entries, or one that wraps around 2^64.
 */
export function sanitize(map: readonly E820Entry[], room = E820_X_MAX): E820Entry[] | undefined {
  if (map.length < 2) return undefined;
  if (map.some((entry) => U64(entry.addr + entry.size) < entry.addr)) return undefined;
  const points = map
    .filter((entry) => entry.size !== 0n)
    .flatMap((entry) => [
      { addr: entry.addr, entry },
      { addr: entry.addr + entry.size, entry },
    ])
    .sort(cpcompare);
  const overlap = new Set<E820Entry>();
  const result: E820Entry[] = [];
  let last = { addr: 0n, type: 0 };
  for (const { addr, entry } of points) {
    if (addr === entry.addr) overlap.add(entry);
    else overlap.delete(entry);
    const type = [...overlap].reduce((max, each) => Math.max(max, each.type), 0);
    // Ranges of persistent memory are not merged.
    if (type === last.type && type !== E820.PRAM) continue;
    if (last.type !== 0 && addr !== last.addr) {
      result.push({ addr: last.addr, size: addr - last.addr, type: last.type });
      if (result.length >= room) break;
    }
    last = { addr, type };
  }
  return result;
}

/** __e820_add_region(): a full map ignores the entry. */
function addRegion(k: Kernel, map: E820Entry[], entry: E820Entry): void {
  if (map.length < E820_X_MAX) map.push(entry);
  else k.fn.printk(`e820: too many entries; ignoring ${rangeOf(entry)}`);
}

/** End of a range in the functions below: start + size, at most 2^64 - 1. */
function endOf(start: bigint, size: bigint): bigint {
  return start + size > ULLONG_MAX ? ULLONG_MAX : start + size;
}

/**
 * __e820_update_range(), and e820_remove_range() where `now` is null: inside the range, entries of type `old` (null: of
 * any type) get the type `now` or are removed. The loop also visits entries that it has added at the end of the map.
 */
function changeRange(
  k: Kernel,
  map: E820Entry[],
  start: bigint,
  size: bigint,
  old: number | null,
  now: number | null,
): void {
  const end = endOf(start, size);
  for (const entry of map) {
    if (old !== null && entry.type !== old) continue;
    const top = U64(entry.addr + entry.size);
    if (entry.addr >= start && top <= end) {
      if (now === null) Object.assign(entry, { addr: 0n, size: 0n, type: 0 });
      else entry.type = now;
      continue;
    }
    if (entry.addr < start && top > end) {
      if (now !== null) addRegion(k, map, { addr: start, size: end - start, type: now });
      addRegion(k, map, { addr: end, size: top - end, type: entry.type });
      entry.size = start - entry.addr;
      continue;
    }
    const from = entry.addr > start ? entry.addr : start;
    const to = top < end ? top : end;
    if (from >= to) continue;
    if (now !== null) addRegion(k, map, { addr: from, size: to - from, type: now });
    entry.size = U64(entry.size - (to - from));
    if (entry.addr >= from) entry.addr = to;
  }
}

/** A range as the kernel prints it. */
function rangeOf({ addr, size }: E820Entry): string {
  return `[mem ${hex(addr)}-${hex(U64(addr + size - 1n))}]`;
}

/** Entries of an extended map, each read from memory only when the caller reaches it. */
function* extendedMap(k: Kernel, sdata: Va, count: number): Generator<E820Entry> {
  for (let index = 0; index < count; index++) {
    const at = index * E820_ENTRY_SIZE;
    const bytes = k.readBytes(va(sdata + SETUP_DATA.data + at), E820_ENTRY_SIZE);
    k.trace.recorder.consumedPart('e820 extension', 'parse_e820_ext', at, bytes);
    const view = new DataView(bytes.buffer);
    yield {
      addr: view.getBigUint64(0, true),
      size: view.getBigUint64(8, true),
      type: view.getUint32(16, true),
    };
  }
}

export const e820 = bodies({
  'boot_params:e820_map': inline((k: Kernel, count: number) => {
    const base = k.sym('boot_params') + BOOT_PARAMS.e820_map;
    return Array.from({ length: Math.min(count, E820MAX) }, (_, index) => {
      const at = base + index * E820_ENTRY_SIZE;
      return {
        addr: k.readU64(va(at)),
        size: k.readU64(va(at + 8)),
        type: k.readU32(va(at + 16)),
      };
    });
  }),

  sanitize_e820_map: fn((k: Kernel, map: E820Entry[], room: number) => {
    // BUG_ON in the kernel: more entries than the map has room for.
    if (map.length > room) k.fn.BUG('sanitize_e820_map: old_nr > max_nr_map');
    return sanitize(map, room);
  }),

  append_e820_map: inline((k: Kernel, map: E820Entry[]) => {
    if (map.length < 2) return -1;
    return k.fn.__append_e820_map(map);
  }),
  __append_e820_map: inline((k: Kernel, map: Iterable<E820Entry>) => {
    for (const entry of map) {
      // Entries added before stay in the map.
      if (entry.addr > U64(entry.addr + entry.size)) return -1;
      k.fn.e820_add_region(entry);
    }
    return 0;
  }),
  e820_add_region: inline((k: Kernel, entry: E820Entry) => {
    addRegion(k, k.state.e820, entry);
  }),

  default_machine_specific_memory_setup: fn((k: Kernel) => {
    const bp = k.sym('boot_params');
    const count = k.readU8(va(bp + BOOT_PARAMS.e820_entries));
    if (count > E820MAX) k.fn.BUG('sanitize_e820_map: old_nr > max_nr_map');
    const loaderMap = k.fn['boot_params:e820_map'](count);
    const map = k.fn.sanitize_e820_map(loaderMap, E820MAX) ?? loaderMap;
    if (k.fn.append_e820_map(map) === 0) return 'BIOS-e820';
    const ext = k.readU16(va(bp + BOOT_PARAMS.screen_info_ext_mem_k));
    const alt = k.readU32(va(bp + BOOT_PARAMS.alt_mem_k));
    const size = BigInt(Math.max(ext, alt)) << 10n;
    k.state.e820 = [];
    k.fn.e820_add_region({ addr: 0n, size: LOWMEMSIZE, type: E820.RAM });
    k.fn.e820_add_region({ addr: HIGH_MEMORY, size, type: E820.RAM });
    return alt < ext ? 'BIOS-88' : 'BIOS-e801';
  }),

  setup_memory_map: fn((k: Kernel) => {
    const who = k.fn.default_machine_specific_memory_setup();
    k.fn.printk('e820: BIOS-provided physical RAM map:');
    k.fn.e820_print_map(who);
  }),
  e820_print_map: inline((k: Kernel, who: string) => {
    for (const entry of k.state.e820) {
      const name = TYPE_NAMES[entry.type] ?? `type ${String(entry.type)}`;
      k.fn.printk(`${who}: ${rangeOf(entry)} ${name}`);
    }
  }),
  e820_update_range: inline((k: Kernel, start: bigint, size: bigint, old: number, now: number) => {
    changeRange(k, k.state.e820, start, size, old, now);
  }),
  e820_remove_range: inline((k: Kernel, start: bigint, size: bigint, type: number | null) => {
    changeRange(k, k.state.e820, start, size, type, null);
  }),
  e820_all_mapped: inline((k: Kernel, start: bigint, end: bigint, type: number) => {
    let covered = start;
    for (const entry of k.state.e820) {
      if (entry.type !== type) continue;
      const top = U64(entry.addr + entry.size);
      if (entry.addr >= end || top <= covered) continue;
      if (entry.addr <= covered) covered = top;
      if (covered >= end) return true;
    }
    return false;
  }),

  parse_e820_ext: fn((k: Kernel, physAddr: bigint, dataLen: number) => {
    const sdata = va(k.fn.early_memremap(physAddr, dataLen));
    // The length is read a second time: where it is above the mapped size, the loop reads past the mapping.
    const length = k.readU32(va(sdata + SETUP_DATA.len));
    k.fn.__append_e820_map(extendedMap(k, sdata, Math.floor(length / E820_ENTRY_SIZE)));
    k.state.e820 = k.fn.sanitize_e820_map(k.state.e820, E820_X_MAX) ?? k.state.e820;
    k.fn.early_memunmap(sdata, dataLen);
    k.fn.printk('e820: extended physical RAM map:');
    k.fn.e820_print_map('extended');
  }),

  e820_end_of_ram_pfn: fn((k: Kernel) => {
    const maxArchPfn = 2n ** 34n;
    let last = 0n;
    for (const { addr, size, type } of k.state.e820) {
      // Persistent memory counts as RAM here.
      if (type !== E820.RAM && type !== E820.PRAM) continue;
      if (addr >> 12n >= maxArchPfn) continue;
      const end = U64(addr + size) >> 12n;
      if (end > maxArchPfn) {
        last = maxArchPfn;
        break;
      }
      if (end > last) last = end;
    }
    k.fn.printk(`e820: last_pfn = ${hex(last)} max_arch_pfn = ${hex(maxArchPfn)}`);
    return Number(last);
  }),

  memblock_x86_fill: fn((k: Kernel) => {
    for (const { addr, size, type } of k.state.e820) {
      if (type !== E820.RAM && type !== E820.RESERVED_KERN) continue;
      k.fn.memblock_add(Number(addr), Number(size));
    }
    k.fn.memblock_trim_memory(4096);
  }),

  e820_any_mapped: inline((k: Kernel, start: number, end: number, type: number) => {
    for (const { addr, size, type: kind } of k.state.e820) {
      if (kind === type && Number(addr) < end && Number(addr) + Number(size) > start) return true;
    }
    return false;
  }),
});

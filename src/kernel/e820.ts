/** arch/x86/kernel/e820.c: the memory map that the loader left in the zero page. */
import { hex, va } from '../machine/address.js';
import { BOOT_PARAMS } from '../firmware/boot-params.js';
import { SETUP_DATA } from '../firmware/efi/layout.js';
import { E820, E820_ENTRY_SIZE, E820_X_MAX, E820MAX, type E820Entry } from './e820-types.js';
import { fn, inline, kernelFile } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    /** Reads boot_params.e820_map; as many entries as it says, at most what there is room for. */
    'boot_params:e820_map'(k: Kernel, count: number): E820Entry[];
    sanitize_e820_map(k: Kernel, map: E820Entry[]): E820Entry[] | undefined;
    append_e820_map(k: Kernel, map: E820Entry[]): number;
    __append_e820_map(k: Kernel, map: E820Entry[]): number;
    setup_memory_map(k: Kernel): void;
    default_machine_specific_memory_setup(k: Kernel): string;
    e820_end_of_ram_pfn(k: Kernel): number;
    e820_add_kernel_range(k: Kernel): void;
    trim_bios_range(k: Kernel): void;
    /** Changes a range's type, where it has the old one. Bytes. */
    e820_update_range(k: Kernel, start: bigint, size: bigint, old: number, now: number): void;
    e820_print_map(k: Kernel, who: string): void;
    /** An extended map in the setup_data chain is added. */
    parse_e820_ext(k: Kernel, physAddr: bigint, dataLen: number): void;
    memblock_x86_fill(k: Kernel): void;
    e820_any_mapped(k: Kernel, start: number, end: number, type: number): boolean;
  }
}

const U64 = (value: bigint): bigint => BigInt.asUintN(64, value);
/** HIGH_MEMORY and LOWMEMSIZE() (asm/e820.h, asm/bios_ebda.h). */
const HIGH_MEMORY = 0x10_0000n;
const LOWMEMSIZE = 0x9_f000n;
const BIOS_BEGIN = 0xa_0000;
const BIOS_END = 0x10_0000;

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [E820.RAM]: 'usable',
  [E820.RESERVED_KERN]: 'usable',
  [E820.RESERVED]: 'reserved',
  [E820.ACPI]: 'ACPI data',
  [E820.NVS]: 'ACPI NVS',
  [E820.UNUSABLE]: 'unusable',
};

/** Overlaps removed, the higher type winning; undefined where the map is left as it was. */
export function sanitize(map: readonly E820Entry[]): E820Entry[] | undefined {
  if (map.length < 2) return undefined;
  if (map.some((entry) => U64(entry.addr + entry.size) < entry.addr)) return undefined;
  const points = new Set<bigint>();
  for (const entry of map) {
    if (entry.size === 0n) continue;
    points.add(entry.addr);
    points.add(entry.addr + entry.size);
  }
  const sorted = [...points].sort((a, b) => (a < b ? -1 : 1));
  const result: E820Entry[] = [];
  for (const [index, addr] of sorted.entries()) {
    const end = sorted[index + 1];
    if (end === undefined) break;
    const type = map.reduce(
      (max, entry) =>
        entry.addr <= addr && entry.addr + entry.size > addr ? Math.max(max, entry.type) : max,
      0,
    );
    if (type === 0) continue;
    const last = result[result.length - 1];
    if (last?.type === type && last.addr + last.size === addr) last.size += end - addr;
    else result.push({ addr, size: end - addr, type });
  }
  return result.slice(0, E820_X_MAX);
}

/** e820_update_range for one new type over a range (only what the boot here needs). */
function updateRange(
  map: E820Entry[],
  start: bigint,
  size: bigint,
  from: number,
  to: number,
): void {
  const end = start + size;
  const added: E820Entry[] = [];
  for (const entry of map) {
    if (entry.type !== from) continue;
    const top = entry.addr + entry.size;
    if (top <= start || entry.addr >= end) continue;
    const cutStart = entry.addr > start ? entry.addr : start;
    const cutEnd = top < end ? top : end;
    if (top > cutEnd) added.push({ addr: cutEnd, size: top - cutEnd, type: from });
    added.push({ addr: cutStart, size: cutEnd - cutStart, type: to });
    entry.size = cutStart - entry.addr;
  }
  map.push(...added);
}

export const e820 = kernelFile('arch/x86/kernel/e820.c', {
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

  sanitize_e820_map: fn((k: Kernel, map: E820Entry[]) => {
    // BUG_ON in the kernel: more entries than the map has room for.
    if (map.length > E820_X_MAX) k.fn.BUG('sanitize_e820_map: old_nr > max_nr_map');
    return sanitize(map);
  }),

  append_e820_map: inline((k: Kernel, map: E820Entry[]) => {
    if (map.length < 2) return -1;
    return k.fn.__append_e820_map(map);
  }),
  __append_e820_map: inline((k: Kernel, map: E820Entry[]) => {
    for (const entry of map) {
      if (entry.addr > U64(entry.addr + entry.size)) return -1;
      // __e820_add_region: a full map takes nothing more.
      if (k.state.e820.length >= E820_X_MAX) k.say.console('e820: too many entries; ignoring');
      else k.state.e820.push(entry);
    }
    return 0;
  }),

  default_machine_specific_memory_setup: fn((k: Kernel) => {
    const bp = k.sym('boot_params');
    const count = k.readU8(va(bp + BOOT_PARAMS.e820_entries));
    if (count > E820MAX) k.fn.BUG('sanitize_e820_map: old_nr > max_nr_map');
    const given = k.fn['boot_params:e820_map'](count);
    const map = k.fn.sanitize_e820_map(given) ?? given;
    if (k.fn.append_e820_map(map) === 0) return 'BIOS-e820';
    const ext = k.readU16(va(bp + BOOT_PARAMS.screen_info_ext_mem_k));
    const alt = k.readU32(va(bp + BOOT_PARAMS.alt_mem_k));
    const size = BigInt(Math.max(ext, alt)) << 10n;
    k.state.e820 = [
      { addr: 0n, size: LOWMEMSIZE, type: E820.RAM },
      { addr: HIGH_MEMORY, size, type: E820.RAM },
    ];
    return alt < ext ? 'BIOS-88' : 'BIOS-e801';
  }),

  setup_memory_map: fn((k: Kernel) => {
    const who = k.fn.default_machine_specific_memory_setup();
    k.say.console('e820: BIOS-provided physical RAM map:');
    k.fn.e820_print_map(who);
  }),
  e820_print_map: inline((k: Kernel, who: string) => {
    for (const { addr, size, type } of k.state.e820) {
      const range = `[mem ${hex(addr)}-${hex(U64(addr + size - 1n))}]`;
      k.say.console(`${who}: ${range} ${TYPE_NAMES[type] ?? `type ${String(type)}`}`);
    }
  }),
  e820_update_range: inline((k: Kernel, start: bigint, size: bigint, old: number, now: number) => {
    updateRange(k.state.e820, start, size, old, now);
  }),

  parse_e820_ext: fn((k: Kernel, physAddr: bigint, dataLen: number) => {
    const sdata = va(k.fn.early_memremap(physAddr, dataLen));
    // The length is read once more: where it differs from what is mapped, the loop runs off the mapping.
    const length = k.readU32(va(sdata + SETUP_DATA.len));
    const entries: E820Entry[] = [];
    for (let at = 0; at + E820_ENTRY_SIZE <= length; at += E820_ENTRY_SIZE) {
      const bytes = k.readBytes(va(sdata + SETUP_DATA.data + at), E820_ENTRY_SIZE);
      k.say.recorder.consumedPart('e820 extension', 'parse_e820_ext', at, bytes);
      const view = new DataView(bytes.buffer);
      entries.push({
        addr: view.getBigUint64(0, true),
        size: view.getBigUint64(8, true),
        type: view.getUint32(16, true),
      });
    }
    k.fn.__append_e820_map(entries);
    k.state.e820 = k.fn.sanitize_e820_map(k.state.e820) ?? k.state.e820;
    k.fn.early_memunmap(sdata, dataLen);
    k.say.console('e820: extended physical RAM map:');
    k.fn.e820_print_map('extended');
  }),

  e820_end_of_ram_pfn: fn((k: Kernel) => {
    const maxArchPfn = 2n ** 34n;
    let last = 0n;
    for (const { addr, size, type } of k.state.e820) {
      if (type !== E820.RAM) continue;
      if (addr >> 12n >= maxArchPfn) continue;
      const end = (addr + size) >> 12n;
      if (end > maxArchPfn) {
        last = maxArchPfn;
        break;
      }
      if (end > last) last = end;
    }
    k.say.console(`e820: last_pfn = ${hex(last)} max_arch_pfn = ${hex(maxArchPfn)}`);
    return Number(last);
  }),

  // The kernel's own range is RAM, whatever the map said (arch/x86/kernel/setup.c).
  e820_add_kernel_range: inline((k: Kernel) => {
    const start = BigInt(k.__pa(k.sym('_text')));
    const size = BigInt(k.__pa(k.sym('_end'))) - start;
    const covered = k.state.e820.some(
      (e) => e.type === E820.RAM && e.addr <= start && e.addr + e.size >= start + size,
    );
    if (!covered) k.state.e820.push({ addr: start, size, type: E820.RAM });
  }),

  // Page 0 is reserved and the BIOS area is no RAM (arch/x86/kernel/setup.c).
  trim_bios_range: inline((k: Kernel) => {
    updateRange(k.state.e820, 0n, 4096n, E820.RAM, E820.RESERVED);
    k.state.e820 = k.state.e820.flatMap((entry) => {
      if (entry.type !== E820.RAM) return entry.size > 0n ? [entry] : [];
      const top = entry.addr + entry.size;
      const begin = BigInt(BIOS_BEGIN);
      const end = BigInt(BIOS_END);
      if (top <= begin || entry.addr >= end) return entry.size > 0n ? [entry] : [];
      const parts: E820Entry[] = [];
      if (entry.addr < begin) parts.push({ ...entry, size: begin - entry.addr });
      if (top > end) parts.push({ addr: end, size: top - end, type: entry.type });
      return parts;
    });
    k.state.e820 = sanitize(k.state.e820) ?? k.state.e820;
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

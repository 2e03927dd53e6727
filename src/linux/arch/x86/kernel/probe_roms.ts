/** arch/x86/kernel/probe_roms.c: option ROMs below 1 MiB, found through the direct map. */
import { va, type Va } from '../../../../machine/address.js';
import { search } from '../../../../kernel/searched.js';
import { stateSlice } from '../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    probe_roms(k: Kernel): void;
    romsignature(k: Kernel, rom: Va): boolean;
    romchecksum(k: Kernel, rom: Va, length: number): boolean;
  }
}

declare module '../../../../kernel/state.js' {
  interface KernelState {
    /** Resources that probe_roms() requested. */
    roms: { name: string; start: number; end: number }[];
  }
}
export const romsState = stateSlice(() => ({ roms: [] }));

const ROMSIGNATURE = 0xaa55;
/** ROMs are searched at multiples of STEP bytes; the byte at LENGTH_AT is the length in units of BLOCK bytes. */
const STEP = 2048;
const BLOCK = 512;
const LENGTH_AT = 2;
/** Initial ranges of the resources in probe_roms.c; the ends are exclusive. */
const VIDEO = { name: 'Video ROM', start: 0xc_0000, end: 0xc_8000 } as const;
const ADAPTERS = { name: 'Adapter ROM', start: 0xc_8000, most: 6 } as const;
const EXTENSION = { name: 'Extension ROM', start: 0xe_0000, end: 0xf_0000 } as const;
const SYSTEM = { name: 'System ROM', start: 0xf_0000, end: 0x10_0000 } as const;

const SEARCH = {
  what: 'option ROM',
  by: 'probe_roms',
  length: SYSTEM.start - VIDEO.start,
  signature: String.fromCharCode(ROMSIGNATURE & 0xff, ROMSIGNATURE >> 8),
  step: STEP,
} as const;

interface Rom {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function request(k: Kernel, { name, start, end }: Rom): void {
  k.state.roms.push({ name, start, end: end - 1 });
  k.trace.emit('read', {
    what: name,
    pa: { space: 'pa', start, length: end - start },
    result: 'requested',
  });
}

/** Physical address of the first ROM signature in [start, end), at multiples of STEP. */
function find(k: Kernel, start: number, end: number): number | undefined {
  for (let at = start; at < end; at += STEP) {
    if (k.fn.romsignature(k.fn.isa_bus_to_virt(at))) return at;
  }
  return undefined;
}

const lengthOf = (k: Kernel, start: number): number =>
  k.readU8(va(k.fn.isa_bus_to_virt(start) + LENGTH_AT)) * BLOCK;

/** Requests the video ROM; returns the lowest address of the next ROM. */
function video(k: Kernel): number {
  const first = k.readBytes(k.fn.isa_bus_to_virt(VIDEO.start), LENGTH_AT);
  k.trace.recorder.consumedPart('option ROM', 'romsignature', 0, first);
  const start = find(k, VIDEO.start, VIDEO.end);
  if (start === undefined) return VIDEO.end;
  const length = lengthOf(k, start);
  const valid = length > 0 && k.fn.romchecksum(k.fn.isa_bus_to_virt(start), length);
  const end = valid ? start + length : VIDEO.end;
  request(k, { name: VIDEO.name, start, end });
  return Math.max(Math.ceil(end / STEP) * STEP, ADAPTERS.start);
}

/** Requests the ROMs that are there. */
function probe(k: Kernel): void {
  let start = video(k);
  request(k, SYSTEM);
  let upper: number = SYSTEM.start;
  const extension = k.fn.isa_bus_to_virt(EXTENSION.start);
  const size = EXTENSION.end - EXTENSION.start;
  // The extension ROM's length byte is ignored.
  if (k.fn.romsignature(extension) && k.fn.romchecksum(extension, size)) {
    request(k, EXTENSION);
    upper = EXTENSION.start;
  }
  for (let found = 0; found < ADAPTERS.most && start < upper; start += STEP) {
    if (!k.fn.romsignature(k.fn.isa_bus_to_virt(start))) continue;
    const length = lengthOf(k, start);
    const end = start + length;
    if (length === 0 || end > upper) continue;
    if (!k.fn.romchecksum(k.fn.isa_bus_to_virt(start), length)) continue;
    request(k, { name: ADAPTERS.name, start, end });
    found++;
    start = Math.floor((end - 1) / STEP) * STEP;
  }
}

export const probeRoms = bodies({
  romsignature: inline((k: Kernel, rom: Va) => k.readU16(rom) === ROMSIGNATURE),

  romchecksum: inline((k: Kernel, rom: Va, length: number) => {
    const sum = k.readBytes(rom, length).reduce((total, byte) => (total + byte) & 0xff, 0);
    return sum === 0;
  }),

  probe_roms: fn((k: Kernel) => {
    const lowest = k.fn.isa_bus_to_virt(VIDEO.start);
    const ended = search(k, { ...SEARCH, at: lowest });
    k.trace.reading('option ROMs', lowest, SEARCH.length, (counted) => {
      counted(() => {
        probe(k);
      });
    });
    ended(k.state.roms.some(({ name }) => name !== SYSTEM.name));
  }),
});

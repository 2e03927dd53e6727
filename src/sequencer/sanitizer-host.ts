/** What the sanitizer is told of a boot: the code that runs, and names of addresses. */
import { ANNOTATIONS } from '../sanitizer/annotations.js';
import type { MaskVariable, OwnedRange, SanitizerHost } from '../sanitizer/host.js';
import { hex } from '../machine/address.js';
import { rangeText } from '../trace/render.js';
import type { Loaded, Region } from '../firmware/loader.js';
import type { Boot } from './boot.js';

/** A number that no kernel's count of changes reaches: the second kernel counts from there. */
const SECOND = 2 ** 40;

export function sanitizerHost(boot: Boot): SanitizerHost {
  return {
    annotations: () => ANNOTATIONS,
    cpu: () => boot.kernelIfAny?.cpu.id ?? 0,
    masks: () => (boot.kernelIfAny === undefined ? undefined : masksOf(boot)),
    site() {
      const kernel = boot.kernelIfAny;
      if (kernel === undefined) return { in: 'loader' };
      const { fn, ...from } = kernel.trace.origin();
      return { in: fn, ...from };
    },
    version() {
      const kernel = boot.kernelIfAny;
      if (kernel === undefined) return -2;
      return kernel.trace.version + (boot.kexeced ? SECOND : 0);
    },
    step: () => boot.recorder.currentLabel ?? 'loader',
    nameOf: (origin) => boot.recorder.nameOf(origin),
    rangeText(space, start, length) {
      const text = rangeText({ space, start, length });
      const symbol =
        boot.kernelIfAny &&
        (boot.symbolize(space, start) ??
          (space === 'pa' ? placeIn(boot.regions(), start) : undefined));
      return symbol === undefined ? text : `${text} ${symbol}`;
    },
    owned: () => (boot.kernelIfAny === undefined ? [] : ownedRanges(boot)),
  };
}

/** An address by the smallest region that it is in; undefined outside of all. */
export function placeIn(regions: readonly Region[], at: number): string | undefined {
  const [region] = regions
    .filter(({ base, size }) => at >= base && at < base + size)
    .sort((a, b) => a.size - b.size);
  if (region === undefined) return undefined;
  return at === region.base ? region.name : `${region.name}+${hex(at - region.base)}`;
}

function masksOf({ program, loaded, linked }: Boot): MaskVariable[] {
  const base = (name: string): number =>
    loaded.kernelAt + (program.link(name) - program.link('_text'));
  return linked.variables
    .filter(({ mask }) => mask === true)
    .map(({ name, size }) => ({ name, base: base(name), size }));
}

/** The interrupt vectors and the BIOS data area, which firmware goes on using (our choice of the whole 1280 bytes). */
const BIOS_DATA = { name: 'BIOS data area', base: 0, size: 0x500 } as const;
/** What the loader made for itself, or put there to run. */
const NOT_READ = ['kernel image', 'loader page tables'];

/**
 * The parts of the zero page that the loader has filled. It has cleared the page before (Documentation/x86/boot.txt, 32-bit boot protocol): the
 * rest has no owner, and a decompressor writes fields there.
 */
function filledParts({ name, base }: Region, { zeroPage }: Pick<Loaded, 'zeroPage'>): Region[] {
  const parts: { name: string; base: number; size: number }[] = [];
  for (const [at, byte] of zeroPage.entries()) {
    if (byte === 0) continue;
    const last = parts.at(-1);
    if (last !== undefined && last.base + last.size === base + at) last.size++;
    else parts.push({ name, base: base + at, size: 1 });
  }
  return parts;
}

/** What the loader put there for the kernel to read, and what is firmware's. */
export function ownedRanges({ loaded }: Pick<Boot, 'loaded'>): OwnedRange[] {
  const read = loaded.regions
    .filter(({ name }) => !NOT_READ.includes(name))
    .flatMap((region) => (region.name === 'boot params' ? filledParts(region, loaded) : region));
  // Nothing has to read a command line's buffer beyond its terminating NUL.
  const used = ({ name, size }: Region): number =>
    name === 'command line' ? (loaded.cmdline?.indexOf(0) ?? 0) + 1 : size;
  return [
    ...read.map((region) => ({ ...region, size: used(region), use: 'reader' as const })),
    { ...BIOS_DATA, use: 'firmware' },
  ];
}

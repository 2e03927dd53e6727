/** Named ranges of physical memory: the kernel's sections, and what loader and firmware put there. */
import type { Loaded, Region } from '../firmware/loader.js';
import type { ImageNames } from './inspected-boot.js';

/** Bytes of a large page, to which the work area of the series is aligned, and of that work area. */
const WORK_ALIGN = 0x20_0000;
const WORK_SIZE = WORK_ALIGN + 13 * 4096;

/** The ranges of loader and firmware, while it is not known where the kernel is; none is empty. */
export const loaderRegions = ({ regions, firmwareRegions }: Loaded): Region[] =>
  [...regions, ...firmwareRegions].filter(({ size }) => size > 0);

/** The ranges; none is empty. */
export function regionsOf(names: ImageNames, loaded: Loaded): Region[] {
  const physical = (name: string): number =>
    names.link(name) - names.link('_text') + loaded.kernelAt;
  const between = (name: string, from: string, to: string): Region[] =>
    [from, to, '_text'].every((each) => names.has(each))
      ? [{ name, base: physical(from), size: physical(to) - physical(from) }]
      : [];
  const after = (): Region[] => {
    const work = Math.ceil(physical('_end') / WORK_ALIGN) * WORK_ALIGN;
    return [{ name: 'after the kernel', base: work, size: WORK_SIZE }];
  };
  return [
    ...between('kernel text', '_text', '_etext'),
    ...between('kernel rodata', '__start_rodata', '__end_rodata'),
    ...between('kernel data', '_sdata', '_edata'),
    ...between('kernel init', '__init_begin', '__init_end'),
    ...between('kernel bss', '__bss_start', '__bss_stop'),
    ...between('kernel brk', '__brk_base', '_end'),
    ...(names.has('_end') && names.has('_text') ? after() : []),
    ...loaded.regions.filter((region) => region.name !== 'kernel image'),
    ...loaded.firmwareRegions,
  ].filter((region) => region.size > 0);
}

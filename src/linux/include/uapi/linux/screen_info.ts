/** struct screen_info (include/uapi/linux/screen_info.h): the loader's description of the screen. */
import { va } from '../../../../machine/address.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Variable } from '../../../../kernel/variables.js';

/** A field: its offset, and its size in bytes. */
interface Field {
  readonly at: number;
  readonly size: 1 | 2;
}

/** The fields that the text consoles use, in the structure's order. */
export const SCREEN_INFO = {
  orig_x: { at: 0x00, size: 1 },
  orig_y: { at: 0x01, size: 1 },
  orig_video_mode: { at: 0x06, size: 1 },
  orig_video_cols: { at: 0x07, size: 1 },
  orig_video_ega_bx: { at: 0x0a, size: 2 },
  orig_video_lines: { at: 0x0e, size: 1 },
  orig_video_isVGA: { at: 0x0f, size: 1 },
  orig_video_points: { at: 0x10, size: 2 },
} as const satisfies Record<string, Field>;

/** Bytes of the structure; boot_params begins with one. */
export const SCREEN_INFO_SIZE = 0x40;

/** Reads a field of the structure in a variable: boot_params or screen_info. */
export function screenInfo(
  k: Kernel,
  variable: 'boot_params' | 'screen_info',
  name: keyof typeof SCREEN_INFO,
): number {
  const { at, size } = SCREEN_INFO[name];
  const address = va(k.sym(variable) + at);
  return size === 1 ? k.readU8(address) : k.readU16(address);
}

export const screenInfoVariables: readonly Variable[] = [
  {
    name: 'screen_info',
    size: SCREEN_INFO_SIZE,
    align: 64,
    section: '.bss',
    file: 'arch/x86/kernel/setup.c',
  },
];

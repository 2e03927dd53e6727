/**
 * drivers/video/console/vgacon.c: the VGA text console on a colour adapter. Left out: monochrome, CGA and EGA adapters,
 * the palette and DAC writes, fonts, the cursor's shape, soft scrollback (CONFIG_VGACON_SOFT_SCROLLBACK is off).
 */
import { va } from '../../../../machine/address.js';
import { UnmodelledError } from '../../../../machine/unmodelled.js';
import type { VcData } from '../../../include/linux/console.js';
import { outw } from '../../../../kernel/cpu-ops.js';
import { screenInfo } from '../../../include/uapi/linux/screen_info.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Returns the name of the display; without an adapter the dummy console takes over. */
    vgacon_startup(k: Kernel): string;
    'vgacon_startup:no_vga'(k: Kernel): string;
    /** Whether video memory reads back what is written to it. */
    'vgacon_startup:probe'(k: Kernel): boolean;
    vgacon_init(k: Kernel, vc: VcData): void;
    vgacon_set_origin(k: Kernel, vc: VcData): boolean;
    vgacon_save_screen(k: Kernel, vc: VcData): void;
    vgacon_switch(k: Kernel, vc: VcData): void;
    /** Scrolls the whole screen up by moving its origin; false where the caller must move the text. */
    vgacon_scroll(k: Kernel, vc: VcData, lines: number): boolean;
    vgacon_cursor(k: Kernel, vc: VcData): void;
    vga_set_mem_top(k: Kernel, vc: VcData): void;
    write_vga(k: Kernel, register: number, value: number): void;
  }
}

/** include/uapi/linux/screen_info.h */
const VIDEO_TYPE_VLFB = 0x23;
const VIDEO_TYPE_EFI = 0x70;
/** Graphics modes with 16 colours, which vgacon does not support. */
const GRAPHICS_MODES: readonly number[] = [0x0d, 0x0e, 0x10, 0x12, 0x6a];
const MONOCHROME_MODE = 7;
/** orig_video_ega_bx of an adapter that is neither EGA nor VGA. */
const NO_EGA = 0x10;
const VGA_VRAM = { base: 0xb_8000, size: 0x8000 } as const;
/** include/video/vga.h: CRT controller, colour emulation. */
const VGA_CRT_IC = 0x3d4;
const CRTC_START = 12;
const CRTC_CURSOR = 14;
const CELL = 2;
/** The two patterns of the probe. */
const AA55 = 0xaa55;
const _55AA = 0x55aa;

export const vgacon = bodies({
  vgacon_startup: fn((k: Kernel) => {
    const info = (name: Parameters<typeof screenInfo>[2]): number =>
      screenInfo(k, 'screen_info', name);
    const { vgacon } = k.state.console;
    const isVGA = info('orig_video_isVGA');
    const mode = info('orig_video_mode');
    const lines = info('orig_video_lines');
    const columns = info('orig_video_cols');
    const none = mode === 0 && lines === 0 && columns === 0;
    const framebuffer = isVGA === VIDEO_TYPE_VLFB || isVGA === VIDEO_TYPE_EFI;
    if (framebuffer || none || GRAPHICS_MODES.includes(mode)) {
      return k.fn['vgacon_startup:no_vga']();
    }
    const ega = (info('orig_video_ega_bx') & 0xff) !== NO_EGA;
    if (mode === MONOCHROME_MODE || !ega || isVGA === 0) {
      throw new UnmodelledError('a video adapter that is not a colour VGA');
    }
    vgacon.vga_video_num_lines = lines;
    vgacon.vga_video_num_columns = columns;
    vgacon.vga_video_port_reg = VGA_CRT_IC;
    vgacon.vga_vram_size = VGA_VRAM.size;
    vgacon.vga_vram_base = k.fn.VGA_MAP_MEM(VGA_VRAM.base, VGA_VRAM.size);
    vgacon.vga_vram_end = vgacon.vga_vram_base + vgacon.vga_vram_size;
    if (!k.fn['vgacon_startup:probe']()) return k.fn['vgacon_startup:no_vga']();
    vgacon.vga_hardscroll_enabled = true;
    return 'VGA+';
  }),

  'vgacon_startup:no_vga': inline((k: Kernel) => {
    k.state.console.vt.conswitchp = 'dummy_con';
    return k.fn.dummycon_startup();
  }),

  'vgacon_startup:probe': inline((k: Kernel) => {
    const p = va(k.state.console.vgacon.vga_vram_base);
    const next = va(p + CELL);
    const readsBack = (one: number, two: number): boolean => {
      k.writeU16(p, one);
      k.writeU16(next, two);
      return k.readU16(p) === one && k.readU16(next) === two;
    };
    return k.trace.memoryTest('VGA memory', p, 2 * CELL, () => {
      const saved = [k.readU16(p), k.readU16(next)] as const;
      const present = readsBack(AA55, _55AA) && readsBack(_55AA, AA55);
      k.writeU16(p, saved[0]);
      k.writeU16(next, saved[1]);
      return present;
    });
  }),

  vgacon_init: inline((k: Kernel, vc: VcData) => {
    const { vgacon } = k.state.console;
    vc.can_do_color = true;
    vc.cols = vgacon.vga_video_num_columns;
    vc.rows = vgacon.vga_video_num_lines;
  }),

  vgacon_set_origin: inline((k: Kernel, vc: VcData) => {
    const { vgacon } = k.state.console;
    vc.origin = vgacon.vga_vram_base;
    vc.visible_origin = vgacon.vga_vram_base;
    k.fn.vga_set_mem_top(vc);
    vgacon.vga_rolled_over = 0;
    return true;
  }),

  vgacon_save_screen: fn((k: Kernel, vc: VcData) => {
    const { vgacon } = k.state.console;
    if (!vgacon.vga_bootup_console) {
      vgacon.vga_bootup_console = true;
      vc.x = screenInfo(k, 'screen_info', 'orig_x');
      vc.y = screenInfo(k, 'screen_info', 'orig_y');
    }
    const size = Math.min(vc.screenbuf_size, vgacon.vga_vram_size);
    k.memcpy(va(vc.screenbuf), va(vc.origin), size);
  }, true),

  vgacon_switch: fn((k: Kernel, vc: VcData) => {
    const { vgacon } = k.state.console;
    vgacon.vga_video_num_columns = vc.cols;
    vgacon.vga_video_num_lines = vc.rows;
    const size = Math.min(vc.screenbuf_size, vgacon.vga_vram_size);
    k.memcpy(va(vc.origin), va(vc.screenbuf), size);
  }, true),

  vgacon_scroll: fn((k: Kernel, vc: VcData, lines: number) => {
    const { vgacon } = k.state.console;
    if (vc.top !== 0 || vc.bottom !== vc.rows) return false;
    if (!vgacon.vga_hardscroll_enabled || lines >= vc.rows / 2) return false;
    const old = vc.origin;
    const delta = lines * vc.size_row;
    if (vc.scr_end + delta >= vgacon.vga_vram_end) {
      k.memcpy(va(vgacon.vga_vram_base), va(old + delta), vc.screenbuf_size - delta);
      vc.origin = vgacon.vga_vram_base;
      vgacon.vga_rolled_over = old - vgacon.vga_vram_base;
    } else {
      vc.origin += delta;
    }
    const fresh = va(vc.origin + vc.screenbuf_size - delta);
    k.fn.scr_memsetw(fresh, vc.video_erase_char, delta);
    vc.scr_end = vc.origin + vc.screenbuf_size;
    vc.visible_origin = vc.origin;
    k.fn.vga_set_mem_top(vc);
    vc.pos = vc.pos - old + vc.origin;
    return true;
  }, true),

  vgacon_cursor: inline((k: Kernel, vc: VcData) => {
    k.fn.write_vga(CRTC_CURSOR, (vc.pos - k.state.console.vgacon.vga_vram_base) / CELL);
  }),

  vga_set_mem_top: inline((k: Kernel, vc: VcData) => {
    k.fn.write_vga(CRTC_START, (vc.visible_origin - k.state.console.vgacon.vga_vram_base) / CELL);
  }),

  // A 16-bit value in two 8-bit registers, the high byte first.
  write_vga: inline((k: Kernel, register: number, value: number) => {
    const port = k.state.console.vgacon.vga_video_port_reg;
    outw(k, register + (value & 0xff00), port);
    outw(k, register + 1 + ((value << 8) & 0xff00), port);
  }),
});

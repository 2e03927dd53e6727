/**
 * drivers/tty/vt/vt.c: the first virtual terminal as a console. One terminal (MIN_NR_CONSOLES), without escape
 * sequences, blanking or resizing.
 */
import { va } from '../../../../machine/address.js';
import type { ConswName, VcData } from '../../../include/linux/console.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Entries } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    con_init(k: Kernel): void;
    visual_init(k: Kernel): VcData;
    vc_init(k: Kernel, vc: VcData, do_clear: boolean): void;
    set_origin(k: Kernel, vc: VcData): void;
    gotoxy(k: Kernel, vc: VcData, x: number, y: number): void;
    csi_J(k: Kernel, vc: VcData, from: number): void;
    scrup(k: Kernel, vc: VcData): void;
    lf(k: Kernel, vc: VcData): void;
    vt_console_print(k: Kernel, text: string): void;
  }
}

/** struct consw: the operations of a low-level driver; one that is absent does nothing. */
interface Consw {
  readonly con_startup: keyof Entries & ('vgacon_startup' | 'dummycon_startup');
  readonly con_init: keyof Entries & ('vgacon_init' | 'dummycon_init');
  readonly con_set_origin?: 'vgacon_set_origin';
  readonly con_save_screen?: 'vgacon_save_screen';
  readonly con_switch?: 'vgacon_switch';
  readonly con_scroll?: 'vgacon_scroll';
  readonly con_cursor?: 'vgacon_cursor';
}

export const CONSW: Readonly<Record<ConswName, Consw>> = {
  vga_con: {
    con_startup: 'vgacon_startup',
    con_init: 'vgacon_init',
    con_set_origin: 'vgacon_set_origin',
    con_save_screen: 'vgacon_save_screen',
    con_switch: 'vgacon_switch',
    con_scroll: 'vgacon_scroll',
    con_cursor: 'vgacon_cursor',
  },
  dummy_con: { con_startup: 'dummycon_startup', con_init: 'dummycon_init' },
};

export const CELL = 2;
const ENCODER = new TextEncoder();
const SPACE = 0x20;
/** default_color: light grey on black, which build_attr() returns unchanged at normal intensity. */
const DEFAULT_ATTR = 0x07;
const BACKSPACE = 8;
const NEWLINE = 10;
const RETURN = 13;

const visible = (k: Kernel): boolean => k.state.console.vt.visible;

export const vt = bodies({
  con_init: fn((k: Kernel) => {
    const { vt } = k.state.console;
    k.fn.console_lock();
    if (vt.conswitchp === null) {
      k.fn.console_unlock();
      return;
    }
    const description = k.fn[CONSW[vt.conswitchp].con_startup]();
    const vc = k.fn.visual_init();
    vt.vc = vc;
    const page = k.fn.get_zeroed_page(GFP.KERNEL);
    vc.screenbuf = page;
    k.fn.vc_init(vc, CONSW[vc.sw].con_save_screen === undefined);
    vt.visible = true;
    k.fn.set_origin(vc);
    const save = CONSW[vc.sw].con_save_screen;
    if (save !== undefined) k.fn[save](vc);
    k.fn.gotoxy(vc, vc.x, vc.y);
    k.fn.csi_J(vc, vc.pos);
    k.fn.update_screen(vc);
    const colour = vc.can_do_color ? 'colour' : 'mono';
    k.fn.printk(`Console: ${colour} ${description} ${String(vc.cols)}x${String(vc.rows)}`);
    vt.printable = true;
    k.fn.console_unlock();
    k.fn.register_console('tty');
  }),

  visual_init: inline((k: Kernel): VcData => {
    const vc: VcData = {
      // A driver that finds no adapter has replaced it.
      sw: k.state.console.vt.conswitchp ?? 'dummy_con',
      can_do_color: false,
      cols: 0,
      rows: 0,
      size_row: 0,
      screenbuf: 0,
      screenbuf_size: 0,
      origin: 0,
      visible_origin: 0,
      scr_end: 0,
      pos: 0,
      x: 0,
      y: 0,
      top: 0,
      bottom: 0,
      attr: 0,
      video_erase_char: 0,
      need_wrap: false,
    };
    k.fn[CONSW[vc.sw].con_init](vc);
    vc.size_row = vc.cols * CELL;
    vc.screenbuf_size = vc.rows * vc.size_row;
    return vc;
  }),

  // Includes reset_terminal().
  vc_init: inline((k: Kernel, vc: VcData, do_clear: boolean) => {
    k.fn.set_origin(vc);
    vc.top = 0;
    vc.bottom = vc.rows;
    vc.attr = DEFAULT_ATTR;
    vc.video_erase_char = DEFAULT_ATTR * 0x100 + SPACE;
    k.fn.gotoxy(vc, 0, 0);
    if (do_clear) k.fn.csi_J(vc, vc.origin);
  }),

  set_origin: inline((k: Kernel, vc: VcData) => {
    const setOrigin = CONSW[vc.sw].con_set_origin;
    if (!visible(k) || setOrigin === undefined || !k.fn[setOrigin](vc)) vc.origin = vc.screenbuf;
    vc.visible_origin = vc.origin;
    vc.scr_end = vc.origin + vc.screenbuf_size;
    vc.pos = vc.origin + vc.size_row * vc.y + CELL * vc.x;
  }),

  gotoxy: inline((_k: Kernel, vc: VcData, x: number, y: number) => {
    vc.x = Math.min(Math.max(x, 0), vc.cols - 1);
    vc.y = Math.min(Math.max(y, 0), vc.rows - 1);
    vc.pos = vc.origin + vc.y * vc.size_row + vc.x * CELL;
    vc.need_wrap = false;
  }),

  // csi_J(0) from the cursor on, csi_J(2) from the start.
  csi_J: inline((k: Kernel, vc: VcData, from: number) => {
    k.fn.scr_memsetw(va(from), vc.video_erase_char, vc.scr_end - from);
    vc.need_wrap = false;
  }),

  scrup: inline((k: Kernel, vc: VcData) => {
    const scroll = CONSW[vc.sw].con_scroll;
    if (visible(k) && scroll !== undefined && k.fn[scroll](vc, 1)) return;
    const rest = (vc.bottom - vc.top - 1) * vc.size_row;
    const to = va(vc.origin + vc.size_row * vc.top);
    // scr_memmovew(): an ascending copy to a lower address, so that the overlap is harmless.
    k.memcpy(to, va(to + vc.size_row), rest);
    k.fn.scr_memsetw(va(to + rest), vc.video_erase_char, vc.size_row);
  }),

  lf: inline((k: Kernel, vc: VcData) => {
    if (vc.y + 1 === vc.bottom) k.fn.scrup(vc);
    else if (vc.y < vc.rows - 1) {
      vc.y++;
      vc.pos += vc.size_row;
    }
    vc.need_wrap = false;
  }),

  vt_console_print: fn((k: Kernel, text: string) => {
    const { vc, printable } = k.state.console.vt;
    if (!printable || vc === null) return;
    k.trace.writingParts(() => {
      let x = vc.x;
      let count = 0;
      // Recorded as whole rows, so that consecutive rows make one event.
      const from = vc.pos - vc.x * CELL;
      let to = from;
      // Adjacent cells are written together, at the end of their row at the latest (our choice).
      const chars = ENCODER.encode(text);
      const cells = new Uint8Array(chars.length * CELL);
      let first = vc.pos;
      let bytes = 0;
      const write = (): void => {
        k.writeBytes(va(first), cells.subarray(0, bytes));
        bytes = 0;
      };
      const flush = (): void => {
        write();
        vc.x += count;
        if (count > 0 && vc.need_wrap) vc.x--;
        count = 0;
      };
      for (const c of chars) {
        if (c === NEWLINE || c === RETURN || c === BACKSPACE || vc.need_wrap) {
          flush();
          if (c === BACKSPACE) {
            // bs()
            if (vc.x > 0) {
              vc.pos -= CELL;
              vc.x--;
              vc.need_wrap = false;
            }
            x = vc.x;
            continue;
          }
          if (c !== RETURN) k.fn.lf(vc);
          // cr()
          vc.pos -= vc.x * CELL;
          vc.x = 0;
          vc.need_wrap = false;
          x = 0;
          if (c === NEWLINE || c === RETURN) continue;
        }
        if (bytes === 0) first = vc.pos;
        cells[bytes++] = c;
        cells[bytes++] = vc.attr;
        to = Math.max(to, vc.pos - x * CELL + vc.size_row);
        count++;
        if (x === vc.cols - 1) {
          vc.need_wrap = true;
          continue;
        }
        vc.pos += CELL;
        x++;
      }
      write();
      if (count > 0) {
        vc.x += count;
        if (vc.x === vc.cols) {
          vc.x--;
          vc.need_wrap = true;
        }
      }
      return { at: va(from), length: to - from };
    });
    const cursor = CONSW[vc.sw].con_cursor;
    if (cursor !== undefined) k.fn[cursor](vc);
  }, true),
});

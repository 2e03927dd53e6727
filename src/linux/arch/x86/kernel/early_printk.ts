/** arch/x86/kernel/early_printk.c: text on the VGA screen before there is a console. Only `vga` is modelled. */
import { va } from '../../../../machine/address.js';
import { UnmodelledError } from '../../../../machine/unmodelled.js';
import { CON } from '../../../include/linux/console.js';
import { PAGE_OFFSET } from '../../../../kernel/constants.js';
import { screenInfo } from '../../../include/uapi/linux/screen_info.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    setup_early_printk(k: Kernel, value: string | undefined): void;
    early_vga_write(k: Kernel, text: string): void;
  }
}

/** arch/x86/include/asm/io.h: __ISA_IO_base is the direct map; VGABASE is the text window in it. */
const __ISA_IO_base = PAGE_OFFSET;
const VGABASE = va(__ISA_IO_base + 0xb_8000);
const CELL = 2;
const BLANK = 0x0720;
const ATTRIBUTE = 0x07;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** The other consoles of earlyprintk=, which are not modelled, in the order in which setup_early_printk() compares. */
export const EARLY_CONSOLES_LEFT_OUT = [
  'serial',
  'ttyS',
  'pciserial',
  'dbgp',
  'xen',
  'efi',
] as const;

export const earlyPrintk = bodies({
  setup_early_printk: inline((k: Kernel, value: string | undefined) => {
    if (value === undefined) return;
    const early = k.state.console.earlyVga;
    // early_console is set already.
    if (early.index !== -1) return;
    const other = EARLY_CONSOLES_LEFT_OUT.find((name) => value.includes(name));
    if (other !== undefined) throw new UnmodelledError(`earlyprintk=${other}`);
    if (!value.includes('vga') || screenInfo(k, 'boot_params', 'orig_video_isVGA') !== 1) return;
    early.max_xpos = screenInfo(k, 'boot_params', 'orig_video_cols');
    early.max_ypos = screenInfo(k, 'boot_params', 'orig_video_lines');
    early.current_ypos = screenInfo(k, 'boot_params', 'orig_y');
    if (value.includes('keep')) early.flags &= ~CON.BOOT;
    else early.flags |= CON.BOOT;
    k.fn.register_console('earlyvga');
    early.index = 0;
  }),

  early_vga_write: fn((k: Kernel, text: string) => {
    const early = k.state.console.earlyVga;
    const { max_xpos, max_ypos } = early;
    const cell = (x: number, y: number) => va(VGABASE + CELL * (max_xpos * y + x));
    k.trace.writingParts(() => {
      let first = early.current_ypos;
      let last = first;
      for (const c of new TextEncoder().encode(text)) {
        if (early.current_ypos >= max_ypos) {
          // The kernel copies cell by cell (readw(), writew()); the rows do not overlap, so here each is one copy.
          const row = cell(0, 1) - cell(0, 0);
          for (let y = 1; y < max_ypos; y++) {
            k.writeBytes(cell(0, y - 1), k.readBytes(cell(0, y), row));
          }
          k.writeBytes(
            cell(0, max_ypos - 1),
            new Uint8Array(Uint16Array.from({ length: max_xpos }, () => BLANK).buffer),
          );
          early.current_ypos = max_ypos - 1;
          first = 0;
          last = early.current_ypos;
        }
        if (c === NEWLINE) {
          early.current_xpos = 0;
          early.current_ypos++;
        } else if (c !== RETURN) {
          k.writeU16(cell(early.current_xpos, early.current_ypos), ATTRIBUTE * 0x100 + c);
          last = early.current_ypos;
          early.current_xpos++;
          if (early.current_xpos >= max_xpos) {
            early.current_xpos = 0;
            early.current_ypos++;
          }
        }
      }
      const rows = last < max_ypos ? cell(0, last + 1) - cell(0, first) : 0;
      return { at: cell(0, first), length: rows };
    });
  }, true),
});

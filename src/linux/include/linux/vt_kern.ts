/** include/linux/vt_kern.h: update_screen() is redraw_screen(vc, 0). */
import type { VcData } from './console.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';
import { CONSW } from '../../drivers/tty/vt/vt.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    update_screen(k: Kernel, vc: VcData): void;
  }
}

export const vtKern = bodies({
  // redraw_screen(vc, 0)
  update_screen: inline((k: Kernel, vc: VcData) => {
    const { con_cursor, con_switch } = CONSW[vc.sw];
    if (con_cursor !== undefined) k.fn[con_cursor](vc);
    k.fn.set_origin(vc);
    if (con_switch !== undefined) k.fn[con_switch](vc);
    if (con_cursor !== undefined) k.fn[con_cursor](vc);
  }),
});

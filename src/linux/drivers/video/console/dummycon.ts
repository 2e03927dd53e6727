/** drivers/video/console/dummycon.c: the console of a machine without a display. */
import type { VcData } from '../../../include/linux/console.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    dummycon_startup(k: Kernel): string;
    dummycon_init(k: Kernel, vc: VcData): void;
  }
}

/** CONFIG_DUMMY_CONSOLE_COLUMNS, CONFIG_DUMMY_CONSOLE_ROWS. */
const DUMMY_COLUMNS = 80;
const DUMMY_ROWS = 25;

export const dummycon = bodies({
  dummycon_startup: fn(() => 'dummy device', true),

  dummycon_init: fn((_k: Kernel, vc: VcData) => {
    vc.can_do_color = true;
    vc.cols = DUMMY_COLUMNS;
    vc.rows = DUMMY_ROWS;
  }, true),
});

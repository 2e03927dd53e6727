/** include/linux/vt_buffer.h: writing character cells to screen memory. */
import type { Va } from '../../../machine/address.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';
import { CELL } from '../../drivers/tty/vt/vt.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    scr_memsetw(k: Kernel, at: Va, value: number, bytes: number): void;
  }
}

export const vtBuffer = bodies({
  scr_memsetw: inline((k: Kernel, at: Va, value: number, bytes: number) => {
    const cells = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i += CELL) {
      cells[i] = value & 0xff;
      cells[i + 1] = value >> 8;
    }
    k.trace.writingParts(() => {
      k.writeBytes(at, cells);
      return { at, length: bytes };
    });
  }),
});

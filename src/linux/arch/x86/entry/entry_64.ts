/** arch/x86/entry/entry_64.S: IRET to a 16-bit stack segment (espfix). */
import { va, type Va } from '../../../../machine/address.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Writes an IRET frame at espfix_waddr and reads it back through its read-only alias at espfix_stack. */
    native_irq_return_ldt(k: Kernel, cpu: number): void;
  }
}

/** RAX, and the IRET frame: RIP, CS, RFLAGS, RSP, SS. */
const IRET_FRAME = 6 * 8;

/** First word of the frame; each next word is 1 more (our choice). */
const FRAME_WORD = 0x1600n;
/** Bytes of a pointer, and the stride of the arrays by CPU. */
const POINTER = 8;

export const entry64 = bodies({
  // Nothing in the boot returns to a 16-bit segment; one frame is written once the stacks are mapped (our choice).
  native_irq_return_ldt: inline((k: Kernel, cpu: number) => {
    const at = (name: string): Va => k.canonical(k.readU64(va(k.sym(name) + cpu * POINTER)));
    const waddr = at('espfix_waddr');
    const frame = new Uint8Array(IRET_FRAME);
    const view = new DataView(frame.buffer);
    for (let word = 0; word < IRET_FRAME / 8; word++) {
      view.setBigUint64(word * 8, FRAME_WORD + BigInt(word), true);
    }
    k.trace.recorder.produced('espfix frame', frame);
    k.writeBytes(waddr, frame);
    const stack = at('espfix_stack');
    const got = k.trace.read('espfix stack', stack, IRET_FRAME, () =>
      k.readBytes(stack, IRET_FRAME),
    );
    k.trace.recorder.consumed('espfix frame', 'native_irq_return_ldt', got);
  }),
});

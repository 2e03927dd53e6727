/** arch/x86/platform/efi/efi_stub_64.S: calling firmware code. */
import { alignDown, hex, va } from '../../../../../machine/address.js';
import { callRuntimeService } from '../../../../../firmware/efi/runtime.js';
import { UnmodelledError } from '../../../../../machine/unmodelled.js';
import { fn, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Calls firmware code at virtual address `fp` with the current page tables; returns RAX. */
    efi_call(k: Kernel, fp: bigint, args: readonly bigint[]): bigint;
  }
}

/** SAVE_XMM saves RSP, CR0 and six registers in an aligned frame (efi_stub_64.S). */
const XMM_FRAME = 0x70;
const FRAME_ALIGN = 16;

export const efiStub = bodies({
  efi_call: fn((k: Kernel, fp: bigint, args: readonly bigint[]) => {
    const { cpu } = k;
    const before = cpu.rsp;
    cpu.rsp = va(alignDown(before - XMM_FRAME, FRAME_ALIGN));
    k.writeU64(cpu.rsp, BigInt(before));
    const result = callRuntimeService(cpu, k.canonical(fp), args);
    if (result.kind === 'fault') {
      k.fault(result.fault);
      // Firmware is not restarted where it faulted; no handler of this kernel resolves such a fault.
      throw new UnmodelledError('firmware code after a fault that was handled');
    }
    k.trace.emit('enter', { fn: result.service, what: `firmware, status ${hex(result.status)}` });
    cpu.rsp = k.canonical(k.readU64(cpu.rsp));
    return result.status;
  }, true),
});

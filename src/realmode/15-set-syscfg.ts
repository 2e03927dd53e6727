/** Patch 15, the check of rm/trampoline_64.S: a CPU that has the flag and not SYSCFG[23] sets it. */
import type { PatchedKernel } from '../kernel/table.js';
import { MSR_K8_SYSCFG } from '../kernel/constants.js';
import { rdmsr, wrmsr } from '../kernel/cpu-ops.js';
import { operand } from '../linux/arch/x86/realmode/rm/trampoline_64.js';
import { va } from '../machine/address.js';

/** struct trampoline_header: u32 flags follows u32 cr4. */
export const CR4_SIZE = 4;

/** Reads the header's flags relative to its CR4 field, and sets SYSCFG[23] if the flag is set and the bit is clear. */
export function setSyscfg(k: PatchedKernel): void {
  const flags = k.readU32(va(operand(k, 'pa_tr_cr4') + CR4_SIZE));
  if (((flags >>> k.fn.TH_FLAGS_MEM_ENCRYPT_BIT()) & 1) === 0) return;
  const bit = 1n << BigInt(k.fn.MSR_K8_SYSCFG_MEM_ENCRYPT_BIT());
  const syscfg = rdmsr(k, MSR_K8_SYSCFG);
  if ((syscfg & bit) === 0n) wrmsr(k, MSR_K8_SYSCFG, syscfg | bit);
}

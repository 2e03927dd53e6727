/**
 * arch/x86/kernel/verify_cpu.S: checks for the features that a 64-bit kernel requires. The code is included twice: in
 * head_64.S, and in 16-bit form in the trampoline.
 */
import {
  AMD_VENDOR,
  EXTENDED_EDX,
  FEATURES_EDX,
  INTEL_VENDOR,
  vendorOf,
} from '../../../../machine/cpu/cpuid.js';
import { MISC_ENABLE, MSR } from '../../../../machine/cpu/msr.js';
import { MSR_IA32_MISC_ENABLE } from '../../../../kernel/constants.js';
import { cpuid, rdmsr, wrmsr } from '../../../../kernel/cpu-ops.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Returns EAX: 0 where the processor has all that is required, else 1. */
    verify_cpu(k: Kernel): number;
  }
}

/** NEED_* of asm/required-features.h for a 64-bit kernel without CONFIG_PARAVIRT, as tables of CPUID bits. */
const REQUIRED_MASK0 =
  FEATURES_EDX.FPU +
  FEATURES_EDX.PSE +
  FEATURES_EDX.MSR +
  FEATURES_EDX.PAE +
  FEATURES_EDX.CMPXCHG8B +
  FEATURES_EDX.PGE +
  FEATURES_EDX.FXSR +
  FEATURES_EDX.CMOV +
  FEATURES_EDX.SSE +
  FEATURES_EDX.SSE2;
const REQUIRED_MASK1 = EXTENDED_EDX.LM;
const SSE_MASK = FEATURES_EDX.SSE + FEATURES_EDX.SSE2;
/** The first processors whose IA32_MISC_ENABLE is read: family 6, model 0xd; later models and families too. */
const PENTIUM_M = { family: 6, model: 0xd } as const;
/** SSEDIS of MSR_K7_HWCR, a bit that has no effect here. */
const SSE_DISABLE = 1n << 15n;

const hasAll = (value: number, mask: number): boolean => (value & mask) === mask;

/** Fields of CPUID Fn1 EAX as the code masks and shifts them: the bits between base and extended field are 0. */
const familyOf = (eax: number): number => (eax & 0x0ff0_0f00) >>> 8;
const modelOf = (eax: number): number => (eax & 0x000f_00f0) >>> 4;

/** Intel: clears XD_DISABLE, by which firmware turns no-execute off. */
function clearXdDisable(k: Kernel): void {
  const { eax } = cpuid(k, 1);
  const family = familyOf(eax);
  if (family < PENTIUM_M.family) return;
  if (family === PENTIUM_M.family && modelOf(eax) < PENTIUM_M.model) return;
  const misc = rdmsr(k, MSR_IA32_MISC_ENABLE);
  const { XD_DISABLE } = MISC_ENABLE;
  if ((misc & XD_DISABLE) !== 0n) wrmsr(k, MSR_IA32_MISC_ENABLE, misc & ~XD_DISABLE);
}

/** The checks, in the CPU's current mode; returns 0 where all pass, else 1. */
export function verify(k: Kernel): number {
  const leaf = cpuid(k, 0);
  if (leaf.eax < 1) return 1;
  const vendor = vendorOf(leaf);
  if (vendor === INTEL_VENDOR) clearXdDisable(k);
  if (!hasAll(cpuid(k, 1).edx, REQUIRED_MASK0)) return 1;
  if (cpuid(k, 0x8000_0000).eax < 0x8000_0001) return 1;
  if (!hasAll(cpuid(k, 0x8000_0001).edx, REQUIRED_MASK1)) return 1;
  if (hasAll(cpuid(k, 1).edx, SSE_MASK)) return 0;
  if (vendor !== AMD_VENDOR) return 1;
  // SSE is turned on for AMD processors only, once.
  const { HWCR } = MSR;
  wrmsr(k, HWCR, rdmsr(k, HWCR) & ~SSE_DISABLE);
  return hasAll(cpuid(k, 1).edx, SSE_MASK) ? 0 : 1;
}

export const verifyCpu = bodies({
  verify_cpu: fn((k: Kernel) => {
    // The caller's flags are saved, and cleared while the checks run.
    const flags = BigInt(k.cpu.rflags);
    k.push(flags);
    k.push(0n);
    k.popU64();
    const eax = verify(k);
    k.popU64();
    return eax;
  }, true),
});

/** The operating modes of a CPU and its state after INIT (APM 1.3, 14.1.3). */
import { va, type Va } from '../address.js';
import { RFLAGS } from './registers.js';

/** Operating modes (APM table 1-1). Virtual-8086 mode is not modelled. */
export type CpuMode = 'real' | 'protected' | 'compatibility' | '64-bit';

/** Constants of code segments and of the descriptor-table registers. */
export const CODE_SEGMENT = {
  /** A selector counts paragraphs of 16 bytes in real mode (APM 1.2.5). */
  PARAGRAPH: 16,
  /** CS after a reset or INIT (APM table 14-1). */
  RESET_SELECTOR: 0xf000,
  RESET_BASE: 0xffff_0000,
  RESET_IP: 0xfff0,
  /** CS is vector·256 after a STARTUP IPI: a base of vector·4096 (APM 16.5). */
  SIPI_SELECTOR: 0x100,
  /** IDTR and GDTR after a reset or INIT (APM table 14-1). */
  TABLE_REGISTER: { base: va(0), limit: 0xffff },
} as const;

/** The numeric registers after INIT (APM table 14-1); CR0 and EDX depend on the processor's state. */
export const INIT_STATE: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ['rax', 'rcx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'ss', 'cpl', 'rsp0', 'csLong'].map((r) => [
      r,
      0,
    ]),
  ),
  ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`r${String(i + 8)}`, 0])),
  rip: CODE_SEGMENT.RESET_IP,
  rflags: RFLAGS.ONE,
  cs: CODE_SEGMENT.RESET_SELECTOR,
  csBase: CODE_SEGMENT.RESET_BASE,
};

/** The operating mode for CR0.PE, EFER.LMA and CS.L. */
export function modeOf(pe: boolean, lma: boolean, csLong: boolean): CpuMode {
  if (!pe) return 'real';
  if (!lma) return 'protected';
  return csLong ? '64-bit' : 'compatibility';
}

const IP_SIZE = 2 ** 16;
const EIP_SIZE = 2 ** 32;

/** Base and instruction pointer as a linear address: 16 bits of IP in real mode, no base in 64-bit mode (APM 2.1.1, 4.5.3). */
export function codeAddress(mode: CpuMode, base: number, rip: Va): Va {
  if (mode === '64-bit') return rip;
  if (mode === 'real') return va(base + (rip % IP_SIZE));
  return va((base + rip) % EIP_SIZE);
}

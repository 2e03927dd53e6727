/** What CPL and IOPL allow: flags that POPF and IRET load, CLI and STI, I/O ports (APM vol. 2, 12.2.5; vol. 3). */
import { vaAdd } from '../machine/address.js';
import { CR0, has } from '../machine/cpu/registers.js';
import type { Core } from './core.js';
import { NotModelledSignal, protectionFault } from './faults.js';
import { FLAG } from './flags.js';
import { readSystemWord } from './segments.js';

/** Bits of RFLAGS that POPF and IRET load at any CPL (APM vol. 3, POPF, IRET). VIP, VIF and VM stay in 64-bit mode. */
export const LOADED =
  FLAG.CF |
  FLAG.PF |
  FLAG.AF |
  FLAG.ZF |
  FLAG.SF |
  FLAG.TF |
  FLAG.DF |
  FLAG.OF |
  FLAG.NT |
  FLAG.AC |
  FLAG.ID;
const IOPL_SHIFT = 12;

/** Whether CPL is at most IOPL. */
export function ioAllowed(core: Core): boolean {
  return core.cpl <= (core.flags.system & FLAG.IOPL) >> IOPL_SHIFT;
}

/** The bits that POPF and IRET may change: IF where CPL is at most IOPL, IOPL at CPL 0. */
export function loadable(core: Core): number {
  return LOADED | (ioAllowed(core) ? FLAG.IF : 0) | (core.cpl === 0 ? FLAG.IOPL : 0);
}

/** Ends the run by name where new flags turn on what is not modelled. @param cpl of the code that has them. */
export function checkFlags(core: Core, rflags: number, cpl: number): void {
  if ((rflags & FLAG.TF) !== 0) throw new NotModelledSignal('RFLAGS.TF: single steps');
  if ((rflags & FLAG.AC) !== 0 && cpl === 3 && has(core.cpu.cr0, CR0.AM)) {
    throw new NotModelledSignal('RFLAGS.AC with CR0.AM: alignment checks');
  }
}

/** Offset of the I/O permission map's offset in a TSS (APM vol. 2, figure 12-8). */
const IO_MAP = 0x66;

/** IN and OUT where CPL is above IOPL: a bit for each port in the TSS; beyond its limit they are set: a #GP. */
export function checkPort(core: Core, port: number, size: number): void {
  if (ioAllowed(core)) return;
  const { base, limit } = core.cpu.tr;
  const refuse = (): never => protectionFault('an I/O port that CPL does not allow');
  if (limit < IO_MAP + 1) refuse();
  const map = readSystemWord(core, vaAdd(base, IO_MAP));
  // Two bytes are read, as the bits of an access may lie in both.
  const at = map + (port >> 3);
  if (at + 1 > limit) refuse();
  const bits = readSystemWord(core, vaAdd(base, at));
  const wanted = ((1 << size) - 1) << (port & 7);
  if ((bits & wanted) !== 0) refuse();
}

/** MOV of control and debug registers (APM vol. 3, MOV CRn, MOV DRn; vol. 2, 3.1, 13.1). */
import { CR4, has } from '../machine/cpu/registers.js';
import { ZERO, type Core } from './core.js';
import { invalidOpcode, NotModelledSignal, protectionFault } from './faults.js';
import { operandOf, type Op, type Site } from './operands.js';

const CR8_LIMIT = 15;
const DR7 = { ENABLES: 0xff } as const;
/** Bits that can be written, and bits that read as one (APM vol. 2, 13.1.1.3, 13.1.1.4). */
const NOTHING_FIXED = { mask: -1, ones: 0 };
const FIXED: Readonly<Record<number, typeof NOTHING_FIXED>> = {
  6: { mask: 0xe00f, ones: 0xffff_0ff0 | 0 },
  7: { mask: 0xffff_2fff | 0, ones: 0x400 },
};

function readControl(core: Core, number: number): bigint {
  const { cpu } = core;
  if (number === 0) return BigInt(cpu.cr0 >>> 0);
  if (number === 2) return cpu.cr2;
  if (number === 3) return cpu.cr3;
  return number === 4 ? BigInt(cpu.cr4 >>> 0) : BigInt(core.taskPriority);
}

function writeControl(core: Core, number: number, value: bigint): void {
  const { cpu } = core;
  if (number === 2) {
    cpu.cr2 = value;
    return;
  }
  if (number === 8) {
    if (value > CR8_LIMIT) protectionFault('reserved bit of CR8');
    core.taskPriority = Number(value);
    return;
  }
  // APM vol. 2, 3.1: bits 63:32 of CR0 and CR4 are reserved.
  if (number !== 3 && value >> 32n !== 0n) protectionFault(`reserved bit of CR${String(number)}`);
  const write =
    number === 0 ? () => cpu.writeCr0(Number(value)) : () => cpu.writeCr4(Number(value));
  core.check(number === 3 ? cpu.writeCr3(value) : write());
  core.translationsChanged();
  core.modeChanged();
}

/** MOV CRn and MOV DRn. */
export function moveControl(site: Site): Op {
  const { core } = site;
  const { dr, r } = core;
  const [to, from] = [operandOf(site, 0), operandOf(site, 1)];
  if (to.kind !== 'register' || from.kind !== 'register') throw new NotModelledSignal('MOV CRn');
  const general = to.file === 'gpr' ? to.number : from.number;
  const { file, number } = to.file === 'gpr' ? from : to;
  if (file === 'control') {
    if (to.file === 'gpr') return () => core.set64(general, readControl(core, number));
    // APM vol. 3, MOV CRn: the operand has 64 bits in 64-bit mode, else 32.
    const operand = (): bigint => BigInt.asUintN(core.width === 64 ? 64 : 32, core.get64(general));
    return () => writeControl(core, number, operand());
  }
  // APM vol. 2, 13.1.1: DR4 and DR5 are DR6 and DR7 while CR4.DE is clear; else they are a #UD.
  const alias = number === 4 || number === 5;
  const register = alias ? number + 2 : number;
  const index = 2 * register;
  const allowed = (): void => {
    if (alias && has(core.cpu.cr4, CR4.DE)) invalidOpcode('DR4 or DR5 with CR4.DE');
  };
  if (to.file === 'gpr') {
    return () => {
      allowed();
      r[2 * general] = dr[index] ?? 0;
      r[2 * general + 1] = dr[index + 1] ?? 0;
    };
  }
  const high = core.width === 64 ? 2 * general + 1 : 2 * ZERO + 1;
  return () => {
    allowed();
    const value = r[2 * general] ?? 0;
    if (register >= 6 && r[high] !== 0) protectionFault('bits 63:32 of DR6 or DR7');
    if (register === 7 && (value & DR7.ENABLES) !== 0) {
      throw new NotModelledSignal('breakpoints of DR7');
    }
    const { mask, ones } = FIXED[register] ?? NOTHING_FIXED;
    dr[index] = (value & mask) | ones;
    dr[index + 1] = r[high] ?? 0;
  };
}

/** Interrupts and system calls: INT n, INT3, IRETQ, SYSCALL, SYSRET (APM vol. 2, 6.1, 8.7, 8.9; vol. 3). */
import { vaAdd, vaOfU64 } from '../machine/address.js';
import { EFER } from '../machine/cpu/registers.js';
import { R11, RCX, RSP, type Core } from './core.js';
import { EXCEPTION, invalidOpcode, NotModelledSignal, protectionFault } from './faults.js';
import { FLAG } from './flags.js';
import { operandOf, type Op, type Site } from './operands.js';
import { checkFlags, loadable, LOADED } from './privilege.js';
import { changedMode, checkReturn, dropSegments } from './segments.js';

/** INT n and INT3: the handler returns to the next instruction (APM vol. 2, 8.7; vol. 3, INT). */
function software({ core, at, next }: Site, vector: number): Op {
  const why = vector === EXCEPTION.BP ? 'INT3' : `INT ${String(vector)}`;
  return () => {
    // A fault of the delivery returns to the instruction itself.
    core.rip = at;
    core.deliver({ vector, error: 0, why, source: 'software', returnTo: next });
  };
}

function softwareInterrupt(site: Site): Op {
  const vector = operandOf(site, 0);
  if (vector.kind !== 'immediate') throw new NotModelledSignal('INT of a register');
  return software(site, vector.low & 0xff);
}

const SLOT = 8;

/** IRETQ (APM vol. 2, 8.9.6; vol. 3, IRET): nothing has changed where it faults. */
function interruptReturn({ core }: Site): Op {
  const { flags, memory } = core;
  return () => {
    // APM vol. 3, IRET: in long mode NT is a #GP, since there are no task returns.
    if ((flags.system & FLAG.NT) !== 0) protectionFault('IRET with RFLAGS.NT');
    const { cpl } = core;
    const old = flags.value;
    // RF is not kept: it only holds back instruction breakpoints, which are not modelled (APM vol. 2, 3.1.6).
    const mask = loadable(core);
    const frame = core.stack();
    const cs = memory.load64(vaAdd(frame, SLOT)) & 0xffff;
    const rflags = memory.load64(vaAdd(frame, 2 * SLOT));
    const rsp = memory.load64(vaAdd(frame, 3 * SLOT));
    const rspHigh = memory.high;
    const ss = memory.load64(vaAdd(frame, 4 * SLOT)) & 0xffff;
    checkReturn(core, cs, ss);
    checkFlags(core, rflags, cs & RPL);
    core.toCpu();
    core.check(core.cpu.iret());
    core.fromCpu();
    core.r[2 * RSP] = rsp;
    core.r[2 * RSP + 1] = rspHigh;
    flags.value = (rflags & mask) | (old & ~mask);
    core.nmiBlocked = false;
    changedMode(core);
    if (core.cpl !== cpl) dropSegments(core);
    core.privilegeChanged(cpl);
    core.checkInterrupts();
  };
}

/** Fields of STAR (APM vol. 2, figure 6-1), by bit. */
const STAR = { SYSCALL_CS: 32n, SYSRET_CS: 48n, SELECTOR: 0xffffn } as const;
const RPL = 3;
/** The selectors of the SYSRET pair after its first: of SS, and of a 64-bit CS. */
const SYSRET = { SS: 8, CS: 16 } as const;
/** RFLAGS bits that exist, without RF and VM, which SYSRET clears. */
const SYSRET_FLAGS = LOADED | FLAG.IF | FLAG.IOPL | FLAG.VIF | FLAG.VIP;

function enabled(core: Core): void {
  if ((Number(core.cpu.msrs.get('EFER')) & EFER.SCE) === 0) invalidOpcode('EFER.SCE is clear');
}
const selectorOf = (core: Core, from: bigint): number =>
  Number((core.cpu.msrs.get('STAR') >> from) & STAR.SELECTOR);

/** SYSCALL in 64-bit mode (APM vol. 2, 6.1.1; vol. 3, SYSCALL): selectors are loaded without their descriptors. */
function systemCall({ core, next }: Site): Op {
  const { r, flags, cpu } = core;
  return () => {
    enabled(core);
    const { cpl } = core;
    const target = vaOfU64(cpu.msrs.get('LSTAR'));
    if (target === undefined) throw new NotModelledSignal('an LSTAR that is not canonical');
    core.setNumber(RCX, next);
    r[2 * R11] = flags.value & ~FLAG.RF;
    r[2 * R11 + 1] = 0;
    const selector = selectorOf(core, STAR.SYSCALL_CS) & ~RPL;
    cpu.cs = selector;
    cpu.ss = selector + SYSRET.SS;
    const masked = Number(BigInt.asIntN(32, cpu.msrs.get('SF_MASK')));
    flags.value = flags.value & ~masked & ~FLAG.RF;
    cpu.cpl = 0;
    core.rip = target;
    core.privilegeChanged(cpl);
    core.stop = true;
  };
}

/** SYSRET to 64-bit mode (APM vol. 2, 6.1.1; vol. 3, SYSRET). SS gets its selector with RPL 3, as STAR has it (our choice). */
function systemReturn({ core }: Site): Op {
  const { r, flags, cpu } = core;
  return () => {
    enabled(core);
    if (core.cpl !== 0) protectionFault('SYSRET above CPL 0');
    const selector = selectorOf(core, STAR.SYSRET_CS);
    checkFlags(core, r[2 * R11] ?? 0, RPL);
    const target = vaOfU64(core.get64(RCX));
    // On AMD's processors the #GP comes after the change to CPL 3; no kernel lets it happen.
    if (target === undefined) throw new NotModelledSignal('SYSRET to an address not canonical');
    cpu.cs = (selector + SYSRET.CS) | RPL;
    cpu.ss = (selector + SYSRET.SS) | RPL;
    flags.value = (r[2 * R11] ?? 0) & SYSRET_FLAGS;
    cpu.cpl = RPL;
    core.rip = target;
    core.privilegeChanged(0);
    core.checkInterrupts();
  };
}

const compatibilityReturn = (): Op => {
  throw new NotModelledSignal('SYSRET to compatibility mode');
};

/** The instructions of this file: each sets RIP. */
export const INTERRUPTS: Readonly<Record<string, (site: Site) => Op>> = {
  int: softwareInterrupt,
  int3: (site) => software(site, EXCEPTION.BP),
  iretq: interruptReturn,
  syscall: systemCall,
  sysretq: systemReturn,
  sysret: compatibilityReturn,
};

/**
 * The x87 register stack without arithmetic: initialization, moves of whole registers, integers and constants, tags
 * (APM vol. 1, 6.2; vol. 5). Other x87 instructions are not modelled.
 */
import { CR0, has } from '../machine/cpu/registers.js';
import type { Core } from './core.js';
import { EXCEPTION, NotModelledSignal, raise } from './faults.js';
import { linearAddress, operandOf, reader, writer, type Op, type Site } from './operands.js';

/** APM vol. 2, 8.2.8: #NM with CR0.EM or CR0.TS. */
export function x87Usable(core: Core): void {
  if (has(core.cpu.cr0, CR0.EM) || has(core.cpu.cr0, CR0.TS)) raise(EXCEPTION.NM, 'CR0.EM or TS');
}

const FCW_INIT = 0x37f;
/** FCW: the mask of the invalid-operation exception (APM vol. 1, 6.2.3). */
const FCW_IM = 1;
/** FSW: IE, SF, the exception flags with ES and B, C1, TOP (APM vol. 1, 6.2.2). */
const FSW = { IE: 0x01, SF: 0x40, EXCEPTIONS: 0x80ff, C1: 0x200, TOP: 0x3800 } as const;
const TOP_SHIFT = 11;
const REGISTERS = 7;
const BYTES = 10;
/** Sign and exponent of 80 bits: of 1.0, of the indefinite value (APM vol. 1, 6.3.2, 6.3.4). */
const EXPONENT = { BIAS: 0x3fff, INDEFINITE: 0xffff, SIGN: 0x8000 } as const;
const INTEGER_BIT = -0x8000_0000;

/** The physical number of ST(i). */
export function physical(core: Core, i: number): number {
  return (((core.fsw & FSW.TOP) >> TOP_SHIFT) + i) & REGISTERS;
}
function setTop(core: Core, top: number): void {
  core.fsw = (core.fsw & ~FSW.TOP) | ((top & REGISTERS) << TOP_SHIFT);
}
const inUse = (core: Core, register: number): boolean => ((core.x87InUse >> register) & 1) !== 0;

/** A stack fault (APM vol. 1, 6.8.2): IE and SF, C1 tells an overflow. Unmasked, it is an #MF of a later instruction. */
function stackFault(core: Core, overflow: boolean): void {
  if ((core.fcw & FCW_IM) === 0) throw new NotModelledSignal('an unmasked x87 stack fault');
  core.fsw = (core.fsw & ~FSW.C1) | FSW.IE | FSW.SF | (overflow ? FSW.C1 : 0);
}

function set(core: Core, register: number, low: number, high: number, exponent: number): void {
  core.x87.set([low, high, exponent, 0], 4 * register);
  core.x87InUse |= 1 << register;
}

/** Pushes a value; onto a register in use, the indefinite value. */
function push(core: Core, low: number, high: number, exponent: number): void {
  const register = physical(core, REGISTERS);
  const overflow = inUse(core, register);
  if (overflow) stackFault(core, true);
  else core.fsw &= ~FSW.C1;
  setTop(core, register);
  if (overflow) set(core, register, 0, 0xc000_0000 | 0, EXPONENT.INDEFINITE);
  else set(core, register, low, high, exponent);
}

/** Pushes an integer of 64 bits, which 80 bits hold exactly. */
function pushInteger(core: Core, value: bigint): void {
  if (value === 0n) {
    push(core, 0, 0, 0);
    return;
  }
  const magnitude = value < 0n ? -value : value;
  const top = magnitude.toString(2).length - 1;
  const significand = magnitude << BigInt(63 - top);
  const sign = value < 0n ? EXPONENT.SIGN : 0;
  const low = Number(BigInt.asIntN(32, significand));
  const high = Number(BigInt.asIntN(32, significand >> 32n));
  push(core, low, high, sign | (EXPONENT.BIAS + top));
}

/** An instruction that is a #NM where x87 instructions are not usable. */
const usable = (make: (site: Site) => Op): ((site: Site) => Op) => {
  return (site) => {
    const op = make(site);
    const { core } = site;
    return () => {
      x87Usable(core);
      op();
    };
  };
};
const simple = (operate: (core: Core) => void): ((site: Site) => Op) =>
  usable(
    ({ core }) =>
      () =>
        operate(core),
  );

/** FNSTCW and FNSTSW. */
const storeWord = (value: (core: Core) => number): ((site: Site) => Op) =>
  usable((site) => {
    const { core } = site;
    const write = writer(site, operandOf(site, 0));
    return () => write(value(core) & 0xffff, 0);
  });

function loadControl(site: Site): Op {
  const { core } = site;
  const read = reader(site, operandOf(site, 0));
  return () => {
    core.fcw = read();
  };
}

/** FILD: an integer of 16, 32 or 64 bits. */
function loadInteger(site: Site): Op {
  const { core } = site;
  const operand = operandOf(site, 0);
  const read = reader(site, operand);
  if (operand.size === 8) {
    return () => {
      const low = BigInt(read() >>> 0);
      pushInteger(core, (BigInt(core.high) << 32n) | low);
    };
  }
  const shift = 32 - 8 * operand.size;
  return () => pushInteger(core, BigInt((read() << shift) >> shift));
}

/** The address of a whole register in memory, of 80 bits. */
function wholeRegister(site: Site, mnemonic: string): ReturnType<typeof linearAddress> {
  const operand = operandOf(site, 0);
  if (operand.kind !== 'memory' || operand.size !== BYTES) {
    throw new NotModelledSignal(`${mnemonic} of another form than 80 bits in memory`);
  }
  return linearAddress(site.core, operand, site.next);
}

function load(site: Site): Op {
  const { core } = site;
  const { memory } = core;
  const address = wholeRegister(site, 'FLD');
  return () => {
    memory.loadBytes(address(), BYTES);
    const [low = 0, high = 0, last = 0] = memory.words;
    push(core, low, high, last & 0xffff);
  };
}

/** FSTP of 80 bits: of an empty register the indefinite value. */
function storeAndPop(site: Site): Op {
  const { core } = site;
  const { memory, x87 } = core;
  const address = wholeRegister(site, 'FSTP');
  return () => {
    const register = physical(core, 0);
    const empty = !inUse(core, register);
    const at = address();
    if (empty) memory.words.set([0, 0xc000_0000 | 0, EXPONENT.INDEFINITE]);
    else memory.words.set(x87.subarray(4 * register, 4 * register + 3));
    memory.storeBytes(at, BYTES);
    if (empty) stackFault(core, false);
    else core.fsw &= ~FSW.C1;
    core.x87InUse &= ~(1 << register);
    setTop(core, register + 1);
  };
}

function free(site: Site): Op {
  const { core } = site;
  const operand = operandOf(site, 0);
  if (operand.kind !== 'register') throw new NotModelledSignal('FFREE of memory');
  return () => {
    core.x87InUse &= ~(1 << physical(core, operand.number));
  };
}

const rotate = (by: number): ((site: Site) => Op) =>
  simple((core) => {
    setTop(core, physical(core, by));
    core.fsw &= ~FSW.C1;
  });

export const X87: Readonly<Record<string, (site: Site) => Op>> = {
  fninit: simple((core) => {
    core.fcw = FCW_INIT;
    core.fsw = 0;
    core.x87InUse = 0;
  }),
  fnclex: simple((core) => {
    core.fsw &= ~FSW.EXCEPTIONS;
  }),
  fnop: simple(() => undefined),
  // APM vol. 5, EMMS: all registers become empty.
  emms: simple((core) => {
    core.x87InUse = 0;
  }),
  fnstcw: storeWord((core) => core.fcw),
  fnstsw: storeWord((core) => core.fsw),
  fldcw: usable(loadControl),
  fild: usable(loadInteger),
  fld: usable(load),
  fstp: usable(storeAndPop),
  fldz: simple((core) => push(core, 0, 0, 0)),
  fld1: simple((core) => push(core, 0, INTEGER_BIT, EXPONENT.BIAS)),
  ffree: usable(free),
  fdecstp: rotate(REGISTERS),
  fincstp: rotate(1),
};

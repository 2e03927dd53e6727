/** Branches, calls, returns, loops (APM vol. 3). In 64-bit mode near branches have 64-bit targets (vol. 1, 3.7.4). */
import { RCX, type Core } from './core.js';
import { conditionOf } from './flags.js';
import { EXCEPTION, NotModelledSignal, raise } from './faults.js';
import { CONDITIONS } from './decode/map-one-byte.js';
import { vaAdd, type Va } from '../machine/address.js';
import { supervisor } from '../machine/cpu/idt.js';
import { LEGACY_BRANCHES } from './legacy.js';
import { checkFarTarget, farTo } from './legacy-segments.js';
import { INTERRUPTS } from './interrupts.js';
import { linearAddress, operandOf, reader, type Op, type Site } from './operands.js';
import { changedMode } from './segments.js';

const TWO_32 = 2 ** 32;

/** The target of a relative branch; a non-canonical one is a #GP, which no kernel has: our choice is its wrapped address. */
function target(site: Site): Va {
  const operand = operandOf(site, 0);
  if (operand.kind !== 'relative' || operand.size !== 8) {
    throw new NotModelledSignal('a near branch with 16-bit operands');
  }
  return vaAdd(site.next, operand.offset);
}

function jumpIf(condition: string): (site: Site) => Op {
  return (site) => {
    const { core, next } = site;
    const to = target(site);
    const holds = conditionOf(core.flags, condition);
    if (holds === undefined) throw new NotModelledSignal(condition);
    return () => {
      core.rip = holds() ? to : next;
    };
  };
}

/** Reads a 64-bit branch target from an operand. */
function indirect(site: Site): () => Va {
  const { core } = site;
  const operand = operandOf(site, 0);
  if (operand.size !== 8) throw new NotModelledSignal('an indirect branch with 16-bit operands');
  const read = reader(site, operand);
  return () => {
    const low = read();
    return core.linear(low, core.high);
  };
}

function jump(site: Site): Op {
  const { core } = site;
  if (operandOf(site, 0).kind === 'relative') {
    const to = target(site);
    return () => {
      core.rip = to;
    };
  }
  const to = indirect(site);
  return () => {
    core.rip = to();
  };
}

function call(site: Site): Op {
  const { core, next } = site;
  const low = next | 0;
  const high = Math.floor(next / TWO_32) | 0;
  if (operandOf(site, 0).kind === 'relative') {
    const to = target(site);
    return () => {
      core.push64(low, high);
      core.rip = to;
    };
  }
  const to = indirect(site);
  return () => {
    const there = to();
    core.push64(low, high);
    core.rip = there;
  };
}

/** RET: RSP changes only if the return address is canonical. */
function ret(site: Site): Op {
  const { core, instruction } = site;
  const [operand] = instruction.operands;
  if (instruction.operandSize !== 8)
    throw new NotModelledSignal('a near branch with 16-bit operands');
  const bytes = 8 + (operand?.kind === 'immediate' ? operand.low : 0);
  const { memory } = core;
  return () => {
    const at = core.stack();
    const low = memory.load64(at);
    core.rip = core.linear(low, memory.high);
    core.setNumber(4, at + bytes);
  };
}

/** RETF with a 64-bit operand, as the machine's CPU does it. */
function farReturn(site: Site): Op {
  const { core, instruction } = site;
  if (instruction.operandSize !== 8) throw new NotModelledSignal('RETF of less than 64 bits');
  if (instruction.operands.length > 0) throw new NotModelledSignal('RETF with an operand');
  const { cpu, memory } = core;
  return () => {
    const at = core.stack();
    memory.load64(at);
    const selector = memory.load64(vaAdd(at, 8)) & 0xffff;
    checkFarTarget(core, selector, true);
    core.toCpu();
    // The descriptor is read as a system structure (APM vol. 2, 5.6.1).
    core.check(supervisor(cpu, () => cpu.farReturn()));
    core.fromCpu();
    changedMode(core);
    core.stop = true;
  };
}

/** JMP Far through memory: an offset of 16 or 32 bits, then the selector (APM vol. 3, JMP Far). */
function farJump(site: Site): Op {
  const { core, next } = site;
  const { memory } = core;
  const operand = operandOf(site, 0);
  if (operand.kind !== 'memory') throw new NotModelledSignal('a far pointer in the instruction');
  const { size } = operand;
  const address = linearAddress(core, operand, next);
  return () => {
    memory.loadBytes(address(), size);
    const { view } = memory;
    const offset = size === 4 ? view.getUint16(0, true) : view.getUint32(0, true);
    farTo(core, view.getUint16(size - 2, true), offset);
  };
}

const farCall = (): Op => {
  throw new NotModelledSignal('CALL Far');
};

/** LOOP, LOOPE, LOOPNE: rCX is decremented, no flag changes (APM vol. 3, LOOPcc). */
function loop(goes: (core: Core) => boolean): (site: Site) => Op {
  return (site) => {
    const { core, next, instruction } = site;
    const { r } = core;
    const to = target(site);
    const wide = instruction.addressSize === 8;
    return () => {
      const low = ((r[2 * RCX] ?? 0) >>> 0) - 1;
      const high = wide ? ((r[2 * RCX + 1] ?? 0) - (low < 0 ? 1 : 0)) | 0 : 0;
      r[2 * RCX] = low | 0;
      r[2 * RCX + 1] = high;
      core.rip = (low | 0 | high) !== 0 && goes(core) ? to : next;
    };
  };
}

function jumpIfZero(wide: boolean): (site: Site) => Op {
  return (site) => {
    const { core, next } = site;
    const { r } = core;
    const to = target(site);
    return () => {
      const rest = (r[2 * RCX] ?? 0) | (wide ? (r[2 * RCX + 1] ?? 0) : 0);
      core.rip = rest === 0 ? to : next;
    };
  };
}

const undefinedOpcode = (): Op => () => raise(EXCEPTION.UD, 'an undefined instruction');

export const CONTROL_FLOW: Readonly<Record<string, (site: Site) => Op>> = {
  jmp: jump,
  call,
  ret,
  retf: farReturn,
  'jmp far': farJump,
  'call far': farCall,
  loop: loop(() => true),
  loope: loop((core) => core.flags.zf()),
  loopne: loop((core) => !core.flags.zf()),
  jecxz: jumpIfZero(false),
  jrcxz: jumpIfZero(true),
  ud0: undefinedOpcode,
  ud1: undefinedOpcode,
  ud2: undefinedOpcode,
  ...Object.fromEntries(CONDITIONS.map((name) => [`j${name}`, jumpIf(name)])),
};

/** Mnemonics after which the next instruction is not the following one. */
export const BRANCHES: ReadonlySet<string> = new Set([
  ...Object.keys(CONTROL_FLOW),
  ...Object.keys(INTERRUPTS),
  ...LEGACY_BRANCHES,
]);

/** PUSH, POP, PUSHF, POPF, ENTER, LEAVE (APM vol. 3). */
import { va } from '../machine/address.js';
import { RBP, RSP } from './core.js';
import { NotModelledSignal } from './faults.js';
import { FLAG } from './flags.js';
import { operandOf, reader, writer, type Op, type Site } from './operands.js';
import { checkFlags, loadable } from './privilege.js';
import { loadSegment } from './segments.js';
import { leave16, pop16, popFlags16, push16, pushFlags16 } from './stack-words.js';

/** PUSH; the value is read before RSP changes (APM vol. 3, PUSH). */
function push(site: Site): Op {
  const { core, instruction } = site;
  if (instruction.operandSize === 2) return push16(site);
  const from = operandOf(site, 0);
  const read = reader(site, from);
  if (from.size === 8) {
    return () => {
      const low = read();
      core.push64(low, core.high);
    };
  }
  return () => core.push64(read(), 0);
}

/** POP: a memory operand with RSP as base uses the RSP after the increment (APM vol. 3, POP). */
function pop(site: Site): Op {
  const { core, instruction } = site;
  if (instruction.operandSize === 2) return pop16(site);
  const to = operandOf(site, 0);
  if (to.kind === 'register' && to.file === 'segment') {
    const { number } = to;
    return () => {
      const at = core.stack();
      const selector = core.memory.load64(at) & 0xffff;
      loadSegment(core, number, selector);
      core.setNumber(RSP, at + 8);
    };
  }
  const write = writer(site, to);
  if (to.kind === 'register') {
    return () => {
      const low = core.pop64();
      write(low, core.memory.high);
    };
  }
  const { r } = core;
  return () => {
    const oldLow = r[2 * RSP] ?? 0;
    const oldHigh = r[2 * RSP + 1] ?? 0;
    const low = core.pop64();
    const { high } = core.memory;
    try {
      write(low, high);
    } catch (error) {
      r[2 * RSP] = oldLow;
      r[2 * RSP + 1] = oldHigh;
      throw error;
    }
  };
}

/** PUSHFQ: VM and RF are pushed as 0 (APM vol. 3, PUSHF). */
function pushFlags({ core }: Site): Op {
  return () => core.push64(core.flags.value & ~(FLAG.VM | FLAG.RF), 0);
}

/** POPFQ: RF is cleared (APM vol. 3, POPF). */
function popFlags({ core }: Site): Op {
  const { flags } = core;
  return () => {
    const at = core.stack();
    const value = core.memory.load64(at);
    checkFlags(core, value, core.cpl);
    const old = flags.value;
    const mask = loadable(core);
    core.setNumber(RSP, at + 8);
    flags.value = (value & mask) | (old & ~mask & ~FLAG.RF);
    if ((flags.system & ~old & FLAG.IF) !== 0) core.checkInterrupts();
  };
}

/** LEAVE (APM vol. 3). */
function leave(site: Site): Op {
  const { core, instruction } = site;
  if (instruction.operandSize === 2) return leave16(site);
  const { r, memory } = core;
  return () => {
    const at = core.linear(r[2 * RBP] ?? 0, r[2 * RBP + 1] ?? 0, true);
    const low = memory.load64(at);
    core.setNumber(RSP, at + 8);
    r[2 * RBP] = low;
    r[2 * RBP + 1] = memory.high;
  };
}

/** ENTER with nesting level 0 (APM vol. 3). */
function enter(site: Site): Op {
  const { core, instruction } = site;
  if (instruction.operandSize === 2) throw new NotModelledSignal('ENTER of 16 bits');
  const { r } = core;
  const size = operandOf(site, 0);
  const level = operandOf(site, 1);
  if (size.kind !== 'immediate' || level.kind !== 'immediate' || (level.low & 31) !== 0) {
    throw new NotModelledSignal('ENTER with a nesting level');
  }
  const bytes = size.low;
  return () => {
    core.push64(r[2 * RBP] ?? 0, r[2 * RBP + 1] ?? 0);
    r[2 * RBP] = r[2 * RSP] ?? 0;
    r[2 * RBP + 1] = r[2 * RSP + 1] ?? 0;
    core.setNumber(RSP, va(core.stack() - bytes));
  };
}

export const STACK: Readonly<Record<string, (site: Site) => Op>> = {
  push,
  pop,
  pushfq: pushFlags,
  popfq: popFlags,
  pushf: pushFlags16,
  popf: popFlags16,
  leave,
  enter,
};

/**
 * Instructions that differ outside 64-bit mode: branches, the stack, tables (APM vol. 3). The others have the operations of
 * 64-bit mode with their smaller operands. Those of {@link NOT_MODELLED} end the run by name.
 */
import type { CodeWidth } from './decode/instruction.js';
import { CONDITIONS } from './decode/map-one-byte.js';
import { va } from '../machine/address.js';
import { RCX, RSP, type Core } from './core.js';
import { SEGMENT } from './decode/instruction.js';
import { NotModelledSignal, protectionFault } from './faults.js';
import { conditionOf, FLAG } from './flags.js';
import { branchTo, farTo, loadLegacySegment, segmented } from './legacy-segments.js';
import { linearAddress, operandOf, reader, writer, type Op, type Site } from './operands.js';
import { checkFlags, loadable } from './privilege.js';

type Handler = (site: Site) => Op;

const WORD = 0xffff;

/** Instructions of 64-bit mode's tables whose form outside it is not modelled. */
export const NOT_MODELLED: ReadonlySet<string> = new Set([
  ...['enter', 'leave', 'iret', 'iretd', 'call far', 'int', 'int3', 'into', 'bound'],
  ...['syscall', 'sysret', 'sysenter', 'sysexit', 'sgdt', 'sidt', 'str', 'sldt'],
  ...['fxsave', 'fxrstor', 'xsave', 'xrstor', 'cmpxchg8b'],
]);

// --- The stack -----------------------------------------------------------------------------------------------------

/** The stack pointer: SP or ESP by the stack segment's size (APM vol. 2, 4.7.3). */
function stackPointer(core: Core, change: number): number {
  const value = ((core.r[2 * RSP] ?? 0) + change) | 0;
  return core.stackSize === 2 ? value & WORD : value >>> 0;
}
function setStackPointer(core: Core, value: number): void {
  if (core.stackSize === 2) core.words[4 * RSP] = value;
  else {
    core.r[2 * RSP] = value | 0;
    core.r[2 * RSP + 1] = 0;
  }
}

function pushValue(core: Core, size: number, value: number): void {
  const at = stackPointer(core, -size);
  const linear = segmented(core, SEGMENT.ss, at, size);
  if (size === 4) core.memory.set32(linear, 0, value, true);
  else core.memory.set16(linear, 0, value & WORD, true);
  setStackPointer(core, at);
}
/** A value on the stack. @param skip bytes above the top. */
function top(core: Core, size: number, skip = 0): number {
  const linear = segmented(core, SEGMENT.ss, stackPointer(core, skip), size);
  return size === 4 ? core.memory.get32(linear, 0, true) : core.memory.get16(linear, 0, true);
}
function drop(core: Core, bytes: number): void {
  setStackPointer(core, stackPointer(core, bytes));
}

function push(site: Site): Op {
  const { core, instruction } = site;
  const { operandSize } = instruction;
  const read = reader(site, operandOf(site, 0));
  return () => pushValue(core, operandSize, read());
}

function pop(site: Site): Op {
  const { core, instruction } = site;
  const { operandSize } = instruction;
  const to = operandOf(site, 0);
  if (to.kind === 'memory') throw new NotModelledSignal('POP to memory outside 64-bit mode');
  if (to.kind === 'register' && to.file === 'segment') {
    const { number } = to;
    return () => {
      loadLegacySegment(core, number, top(core, operandSize) & WORD);
      drop(core, operandSize);
    };
  }
  const write = writer(site, to);
  return () => {
    const value = top(core, operandSize);
    drop(core, operandSize);
    write(value, 0);
  };
}

/** PUSHF and PUSHFD: VM and RF are pushed as 0 (APM vol. 3, PUSHF). */
const pushFlags =
  (size: number): Handler =>
  ({ core }) =>
  () =>
    pushValue(core, size, core.flags.value & ~(FLAG.VM | FLAG.RF));

/** POPF and POPFD at CPL 0 (APM vol. 3, POPF). */
const popFlags =
  (size: number): Handler =>
  ({ core }) =>
  () => {
    const { flags } = core;
    const value = top(core, size);
    checkFlags(core, value, core.cpl);
    const mask = loadable(core) & (size === 2 ? WORD : -1);
    const old = flags.value;
    drop(core, size);
    flags.value = (value & mask) | (old & ~mask & ~FLAG.RF);
    if ((flags.system & ~old & FLAG.IF) !== 0) core.checkInterrupts();
  };

// --- Branches ------------------------------------------------------------------------------------------------------

/** The offset of the next instruction in CS. */
const nextOffset = ({ core, next }: Site): number => (next - core.cpu.csBase) >>> 0;

/** The target of a relative branch, cut to the operand size (APM vol. 3, JMP Near). */
function target(site: Site): () => number {
  const operand = operandOf(site, 0);
  if (operand.kind !== 'relative') throw new NotModelledSignal('a branch without an offset');
  const { size, offset } = operand;
  return () => {
    const sum = nextOffset(site) + offset;
    return size === 2 ? sum & WORD : sum >>> 0;
  };
}
/** The target of a near branch, relative or indirect. */
function nearTarget(site: Site): () => number {
  const operand = operandOf(site, 0);
  if (operand.kind === 'relative') return target(site);
  const read = reader(site, operand);
  return () => read() >>> 0;
}

function branchIf(holds: () => boolean, site: Site): Op {
  const { core, next } = site;
  const to = target(site);
  return () => {
    if (holds()) branchTo(core, to());
    else core.rip = next;
  };
}

function jumpIf(condition: string): Handler {
  return (site) => {
    const holds = conditionOf(site.core.flags, condition);
    if (holds === undefined) throw new NotModelledSignal(condition);
    return branchIf(holds, site);
  };
}

function jump(site: Site): Op {
  const to = nearTarget(site);
  return () => branchTo(site.core, to());
}

function call(site: Site): Op {
  const { core, instruction } = site;
  const to = nearTarget(site);
  return () => {
    const there = to();
    if (there > (core.segmentLimit[SEGMENT.cs] ?? 0)) protectionFault('a call beyond CS');
    pushValue(core, instruction.operandSize, nextOffset(site));
    branchTo(core, there);
  };
}

/** Bytes that RET n and RETF n take off the stack. */
function released({ instruction }: Site): number {
  const [operand] = instruction.operands;
  return operand?.kind === 'immediate' ? operand.low : 0;
}

function ret(site: Site): Op {
  const { core, instruction } = site;
  const { operandSize } = instruction;
  const bytes = operandSize + released(site);
  return () => {
    branchTo(core, top(core, operandSize) >>> 0);
    drop(core, bytes);
  };
}

function farReturn(site: Site): Op {
  const { core, instruction } = site;
  const { operandSize } = instruction;
  const bytes = 2 * operandSize + released(site);
  return () => {
    const offset = top(core, operandSize) >>> 0;
    const selector = top(core, operandSize, operandSize) & WORD;
    // The stack is that of the mode before; RSP changes last, so that a fault leaves it.
    const at = stackPointer(core, bytes);
    const size = core.stackSize;
    farTo(core, selector, offset);
    if (size === 2) core.words[4 * RSP] = at;
    else core.r[2 * RSP] = at | 0;
  };
}

/** JMP Far with the pointer in the instruction, or in memory (APM vol. 3, JMP Far). */
function farJump(site: Site): Op {
  const { core, next } = site;
  const operand = operandOf(site, 0);
  if (operand.kind === 'pointer') {
    const { selector, offset } = operand;
    return () => farTo(core, selector & WORD, offset >>> 0);
  }
  if (operand.kind !== 'memory') throw new NotModelledSignal('a far branch to a register');
  const { memory } = core;
  const { size } = operand;
  const address = linearAddress(core, operand, next);
  return () => {
    memory.loadBytes(address(), size);
    const { view } = memory;
    const offset = size === 4 ? view.getUint16(0, true) : view.getUint32(0, true);
    farTo(core, view.getUint16(size - 2, true), offset);
  };
}

/** The count register of LOOP and JCXZ: CX or ECX by the address size (APM vol. 3, LOOPcc). */
function count(core: Core, size: number): number {
  return (core.r[2 * RCX] ?? 0) & (size === 2 ? WORD : -1);
}

function loop(goes: (core: Core) => boolean): Handler {
  return (site) => {
    const { core, instruction } = site;
    const { addressSize } = instruction;
    return branchIf(() => {
      const left = count(core, addressSize) - 1;
      if (addressSize === 2) core.words[4 * RCX] = left;
      else core.r[2 * RCX] = left;
      return count(core, addressSize) !== 0 && goes(core);
    }, site);
  };
}

const jumpIfZero =
  (size: number): Handler =>
  (site) =>
    branchIf(() => count(site.core, size) === 0, site);

// --- Tables --------------------------------------------------------------------------------------------------------

const BASE_24 = 0xff_ffff;

/** LGDT and LIDT: a limit of 16 bits, a base of 32, of which 16-bit operands load 24 (APM vol. 3, LGDT). */
function loadTable(which: 'lgdt' | 'lidt'): Handler {
  return (site) => {
    const { core, instruction, next } = site;
    const operand = operandOf(site, 0);
    if (operand.kind !== 'memory') throw new NotModelledSignal('a register operand');
    const address = linearAddress(core, operand, next);
    const mask = instruction.operandSize === 2 ? BASE_24 : -1;
    return () => {
      if (core.cpl !== 0) protectionFault('a privileged instruction');
      core.memory.loadBytes(address(), 6);
      const { view } = core.memory;
      core.cpu[which](va((view.getUint32(2, true) & mask) >>> 0), view.getUint16(0, true));
    };
  };
}

const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  Object.entries<Handler>({
    push,
    pop,
    pushf: pushFlags(2),
    pushfd: pushFlags(4),
    popf: popFlags(2),
    popfd: popFlags(4),
    jmp: jump,
    call,
    ret,
    retf: farReturn,
    'jmp far': farJump,
    loop: loop(() => true),
    loope: loop((core) => core.flags.zf()),
    loopne: loop((core) => !core.flags.zf()),
    jcxz: jumpIfZero(2),
    jecxz: jumpIfZero(4),
    ...Object.fromEntries(CONDITIONS.map((name) => [`j${name}`, jumpIf(name)])),
    lgdt: loadTable('lgdt'),
    lidt: loadTable('lidt'),
  }),
);

/** Mnemonics of this file that no other has: each sets RIP where it is a branch. */
export const LEGACY_BRANCHES = ['jcxz'] as const;

/** The handler of an instruction in code of less than 64 bits; undefined: that of 64-bit mode. */
export function legacyHandler(mnemonic: string, width: CodeWidth): Handler | undefined {
  if (NOT_MODELLED.has(mnemonic)) {
    return () => {
      throw new NotModelledSignal(`${mnemonic.toUpperCase()} in ${String(width)}-bit code`);
    };
  }
  return HANDLERS.get(mnemonic);
}

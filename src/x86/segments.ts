/** Loads of segment registers and of the task register in 64-bit mode (APM vol. 2, 4.5, 4.8; vol. 3, MOV, LTR, SWAPGS). */
import { va, vaAdd, vaOfU64, type Va } from '../machine/address.js';
import { isFault } from '../machine/cpu/fault.js';
import { supervisor } from '../machine/cpu/idt.js';
import type { Core } from './core.js';
import { SEGMENT } from './decode/instruction.js';
import {
  EXCEPTION,
  FaultSignal,
  invalidOpcode,
  NotModelledSignal,
  protectionFault,
  raise,
} from './faults.js';

/** RPL and TI of a selector; the rest is the descriptor's offset in its table (APM vol. 2, 4.5.1). */
const SELECTOR = { RPL: 3, TI: 4, OFFSET: 0xfff8 } as const;

/** Fields of a descriptor of 8 bytes (APM vol. 2, 4.7). */
const DESCRIPTOR = {
  LIMIT_LOW: { shift: 0n, mask: 0xffffn },
  BASE_LOW: { shift: 16n, mask: 0xff_ffffn },
  TYPE: { shift: 40n, mask: 0xfn },
  S: { shift: 44n, mask: 1n },
  DPL: { shift: 45n, mask: 3n },
  P: { shift: 47n, mask: 1n },
  LIMIT_HIGH: { shift: 48n, mask: 0xfn },
  L: { shift: 53n, mask: 1n },
  D: { shift: 54n, mask: 1n },
  G: { shift: 55n, mask: 1n },
  BASE_HIGH: { shift: 56n, mask: 0xffn },
} as const;
type Field = keyof typeof DESCRIPTOR;

export const field = (descriptor: bigint, name: Field): bigint =>
  (descriptor >> DESCRIPTOR[name].shift) & DESCRIPTOR[name].mask;

const BASE_HIGH_FROM = 24n;
const LIMIT_HIGH_FROM = 16n;
const PAGE_GRANULAR = 12n;
/** Types of a TSS descriptor in long mode (APM vol. 2, table 4-6): available, and busy. */
const TSS = {
  AVAILABLE: 9n,
  /** Outside long mode (APM vol. 2, table 4-5). */
  AVAILABLE_16: 1n,
  BUSY_BIT: 1n << 41n,
  SIZE: 16,
  LEGACY_SIZE: 8,
} as const;

/** Reads a system structure: a supervisor access at any CPL (APM vol. 2, 5.6.1). */
export function readSystem(core: Core, at: Va): bigint {
  const { cpu } = core;
  const value = supervisor(cpu, () => cpu.loadU64(at));
  if (isFault(value)) throw new FaultSignal(value);
  return value;
}

/** The same of 16 bits. */
export function readSystemWord(core: Core, at: Va): number {
  const { cpu } = core;
  const value = supervisor(cpu, () => cpu.loadU16(at));
  if (isFault(value)) throw new FaultSignal(value);
  return value;
}

/** The address of a selector's descriptor. Beyond the table's limit, or in the LDT: #GP(selector). */
export function descriptorAt(core: Core, selector: number, size: number): Va {
  const offset = selector & SELECTOR.OFFSET;
  const error = selector & ~SELECTOR.RPL;
  if ((selector & SELECTOR.TI) !== 0) throw new NotModelledSignal('a selector of the LDT');
  const { base, limit } = core.cpu.gdtr;
  if (offset + size - 1 > limit) protectionFault('a selector beyond the GDT', error);
  return vaAdd(base, offset);
}

export const baseOf = (descriptor: bigint): bigint =>
  field(descriptor, 'BASE_LOW') | (field(descriptor, 'BASE_HIGH') << BASE_HIGH_FROM);

/** The limit in bytes, from the limit and its granularity (APM vol. 2, 4.7.1). */
export function limitOf(descriptor: bigint): number {
  const raw = field(descriptor, 'LIMIT_LOW') | (field(descriptor, 'LIMIT_HIGH') << LIMIT_HIGH_FROM);
  return Number(field(descriptor, 'G') === 0n ? raw : (raw << PAGE_GRANULAR) | 0xfffn);
}

/** A limit of `core.segmentLimit`: no offset is within it. */
export const SEGMENT_LIMIT = { NULL: -1, UNKNOWN: -2 } as const;

/**
 * After a transfer of 64-bit mode: code of a segment with L = 0 runs in compatibility mode (APM vol. 2, 4.8.1), with the hidden
 * parts of the segments that were loaded before (4.5.3). Ends the run by name above CPL 0.
 */
export function changedMode(core: Core): void {
  const { cpu } = core;
  if (cpu.mode === '64-bit') return;
  if (cpu.cpl !== 0) throw new NotModelledSignal(`code in ${cpu.mode} mode at CPL ${cpu.cpl}`);
  const code = readSystem(core, descriptorAt(core, cpu.cs, 8));
  core.segmentLimit[SEGMENT.cs] = limitOf(code);
  core.codeDefault = field(code, 'D') === 0n ? 16 : 32;
  // An interrupt, IRET or SYSCALL has loaded another SS since.
  if (core.selectors[SEGMENT.ss] !== cpu.ss) {
    core.segmentLimit[SEGMENT.ss] = SEGMENT_LIMIT.UNKNOWN;
  }
  core.modeChanged();
}

/** The hidden part of a data segment, which only code outside 64-bit mode uses (APM vol. 2, 4.5.3). */
function setHidden(core: Core, segment: number, selector: number, descriptor: bigint): void {
  const type = field(descriptor, 'TYPE');
  // Writable data that does not expand down is modelled.
  const modelled = (type & 0b1110n) === 0b0010n;
  core.segmentLimit[segment] = modelled ? limitOf(descriptor) : SEGMENT_LIMIT.UNKNOWN;
  if (segment === SEGMENT.fs || segment === SEGMENT.gs) return;
  core.segmentLow[segment] = Number(BigInt.asIntN(32, baseOf(descriptor)));
  core.segmentHigh[segment] = 0;
  if (segment !== SEGMENT.ss) return;
  core.stackSize = field(descriptor, 'D') === 0n ? 2 : 4;
  core.selectors[segment] = selector;
}

const FLAT_LIMIT = 0xffff_ffff;

/** Flat segments of 4 GiB with 32-bit code and stack, as a loader leaves them: all data segments have one selector. */
export function loadFlat(core: Core, selector: number): void {
  core.selectors.fill(selector);
  core.segmentLow.fill(0);
  core.segmentHigh.fill(0);
  core.segmentLimit.fill(FLAT_LIMIT);
  core.codeDefault = 32;
  core.stackSize = 4;
  core.modeChanged();
}

/** The names of the MSRs that hold segment bases. */
const BASE_MSR = { [SEGMENT.fs]: 'FS_BASE', [SEGMENT.gs]: 'GS_BASE' } as const;

export function setBase(core: Core, segment: number, base: bigint): void {
  const name = segment === SEGMENT.fs ? BASE_MSR[SEGMENT.fs] : BASE_MSR[SEGMENT.gs];
  core.cpu.msrs.set(name, base);
  core.reloadBases();
}

/** Sets the selector of a data-segment register, without its base. */
export function setSelector(core: Core, segment: number, selector: number): void {
  if (segment !== SEGMENT.ss) {
    core.selectors[segment] = selector;
    return;
  }
  core.cpu.ss = selector;
  // APM vol. 3, MOV: no interrupt is taken before the instruction after a load of SS.
  core.shadow = true;
  core.checkInterrupts();
}

/**
 * MOV to or POP of a data-segment register. Our choice: the accessed bit of the descriptor is not set; kernels set it
 * themselves. A null selector in FS or GS leaves the base, as on AMD's parts (APM vol. 2, 4.5.3).
 */
export function loadSegment(core: Core, segment: number, selector: number): void {
  if (segment === SEGMENT.cs) invalidOpcode('MOV to CS');
  const error = selector & ~SELECTOR.RPL;
  if (error === 0) {
    // APM vol. 2, 4.5.2: a null selector in SS is allowed at CPL 0 to 2 in 64-bit mode.
    if (segment === SEGMENT.ss && (core.cpl === 3 || (selector & SELECTOR.RPL) !== core.cpl)) {
      protectionFault('null selector in SS');
    }
    core.segmentLimit[segment] = SEGMENT_LIMIT.NULL;
    if (segment === SEGMENT.ss) core.selectors[segment] = selector;
    setSelector(core, segment, selector);
    return;
  }
  const descriptor = readSystem(core, descriptorAt(core, selector, 8));
  if (field(descriptor, 'S') === 0n) protectionFault('a system descriptor', error);
  const type = field(descriptor, 'TYPE');
  const code = (type & 8n) !== 0n;
  // Readable code or data; for SS writable data.
  const usable = segment === SEGMENT.ss ? !code && (type & 2n) !== 0n : !code || (type & 2n) !== 0n;
  if (!usable) protectionFault('a segment of the wrong type', error);
  if (!mayLoad(core, segment, selector, descriptor))
    protectionFault('privilege of a segment', error);
  if (field(descriptor, 'P') === 0n) {
    raise(segment === SEGMENT.ss ? EXCEPTION.SS : EXCEPTION.NP, 'segment not present', error);
  }
  setSelector(core, segment, selector);
  setHidden(core, segment, selector, descriptor);
  if (segment === SEGMENT.fs || segment === SEGMENT.gs) setBase(core, segment, baseOf(descriptor));
}

/** Code that is entered without a change of CPL (APM vol. 2, 4.7.2). */
const isConforming = (descriptor: bigint): boolean =>
  (field(descriptor, 'TYPE') & 0b1100n) === 0b1100n;

/** Whether CPL and RPL allow the load of a descriptor: of SS with DPL alike, of others with a DPL of at least both (APM vol. 2, 4.9). */
function mayLoad(core: Core, segment: number, selector: number, descriptor: bigint): boolean {
  const dpl = Number(field(descriptor, 'DPL'));
  const rpl = selector & SELECTOR.RPL;
  const { cpl } = core;
  if (segment === SEGMENT.ss) return rpl === cpl && dpl === cpl;
  return isConforming(descriptor) || Math.max(cpl, rpl) <= dpl;
}

/**
 * LTR (APM vol. 3, LTR; vol. 2, 4.8.3): an available 32-bit or 64-bit TSS, which becomes busy. Its descriptor has 16 bytes in
 * long mode, else 8.
 */
export function loadTaskRegister(core: Core, selector: number): void {
  const { longMode, mode } = core.cpu;
  if (mode === 'real') invalidOpcode('LTR in real mode');
  const error = selector & ~SELECTOR.RPL;
  if (error === 0) protectionFault('LTR of a null selector');
  const at = descriptorAt(core, selector, longMode ? TSS.SIZE : TSS.LEGACY_SIZE);
  const low = readSystem(core, at);
  const high = longMode ? readSystem(core, vaAdd(at, TSS.LEGACY_SIZE)) : 0n;
  const type = field(low, 'TYPE');
  if (field(low, 'S') === 0n && !longMode && type === TSS.AVAILABLE_16) {
    throw new NotModelledSignal('a TSS of 16 bits');
  }
  if (field(low, 'S') !== 0n || type !== TSS.AVAILABLE) {
    protectionFault('LTR of no available TSS', error);
  }
  if (field(low, 'P') === 0n) raise(EXCEPTION.NP, 'TSS not present', error);
  const base = vaOfU64(baseOf(low) | ((high & 0xffff_ffffn) << 32n));
  if (base === undefined) protectionFault('TSS base not canonical', error);
  core.check(core.cpu.storeU64(at, low | TSS.BUSY_BIT));
  core.memory.wrote(at);
  core.cpu.tr = { selector, base: base ?? va(0), limit: limitOf(low) };
}

/** LLDT: only the null selector, as kernels load it at boot. */
export function loadLdt(core: Core, selector: number): void {
  if (core.cpu.mode === 'real') invalidOpcode('LLDT in real mode');
  if ((selector & ~SELECTOR.RPL) !== 0) throw new NotModelledSignal('LLDT of a table');
  core.ldtr = selector;
}

/** SWAPGS: GS.base and the MSR KERNEL_GS_BASE (APM vol. 3, SWAPGS). */
export function swapGs(core: Core): void {
  const { msrs } = core.cpu;
  const base = msrs.get('GS_BASE');
  msrs.set('GS_BASE', msrs.get('KERNEL_GS_BASE'));
  msrs.set('KERNEL_GS_BASE', base);
  core.reloadBases();
}

/**
 * Checks the selectors of an IRETQ (APM vol. 2, 4.9, 8.9.6; vol. 3, IRET). Throws #GP, #SS or #NP with the selector.
 * Returning to another mode than 64-bit is not modelled.
 */
export function checkReturn(core: Core, cs: number, ss: number): void {
  const error = cs & ~SELECTOR.RPL;
  const rpl = cs & SELECTOR.RPL;
  if (error === 0) protectionFault('return to a null CS');
  if (rpl < core.cpl) protectionFault('return to a more privileged level', error);
  const code = readSystem(core, descriptorAt(core, cs, 8));
  const type = field(code, 'TYPE');
  const conforming = (type & 4n) !== 0n;
  const dpl = Number(field(code, 'DPL'));
  if (field(code, 'S') === 0n || (type & 8n) === 0n) protectionFault('CS is no code', error);
  if (conforming ? dpl > rpl : dpl !== rpl) protectionFault('privilege of CS', error);
  if (field(code, 'P') === 0n) raise(EXCEPTION.NP, 'code segment not present', error);
  if (field(code, 'L') === 0n) throw new NotModelledSignal('a return to compatibility mode');
  // APM vol. 2, 4.8.1: L with D is reserved in long mode.
  if (field(code, 'D') !== 0n) protectionFault('CS.L with CS.D', error);
  const stackError = ss & ~SELECTOR.RPL;
  if (stackError === 0) {
    // APM vol. 2, 4.5.2, 8.9.3: a null SS is allowed at CPL 0 to 2.
    if (rpl === 3) protectionFault('return to CPL 3 with a null SS');
    return;
  }
  const stack = readSystem(core, descriptorAt(core, ss, 8));
  const writable = (field(stack, 'TYPE') & 0b1010n) === 0b0010n;
  if (field(stack, 'S') === 0n || !writable) protectionFault('SS is no writable data', stackError);
  if ((ss & SELECTOR.RPL) !== rpl || Number(field(stack, 'DPL')) !== rpl) {
    protectionFault('privilege of SS', stackError);
  }
  if (field(stack, 'P') === 0n) raise(EXCEPTION.SS, 'stack segment not present', stackError);
}

/**
 * After a return to a less privileged level: data segments that it may not use become null (APM vol. 3, IRET). Our choice:
 * their descriptors are read again, in place of hidden DPLs; one that is not in the table any more counts as DPL 0.
 */
export function dropSegments(core: Core): void {
  for (const segment of [SEGMENT.es, SEGMENT.ds, SEGMENT.fs, SEGMENT.gs]) {
    const selector = core.selectors[segment] ?? 0;
    if ((selector & ~SELECTOR.RPL) === 0) continue;
    const descriptor = descriptorIfThere(core, selector);
    if (!isConforming(descriptor) && Number(field(descriptor, 'DPL')) < core.cpl)
      core.selectors[segment] = 0;
  }
}

/** 0: the descriptor is beyond the table, or not mapped. */
function descriptorIfThere(core: Core, selector: number): bigint {
  try {
    return readSystem(core, descriptorAt(core, selector, 8));
  } catch (error) {
    if (error instanceof FaultSignal) return 0n;
    throw error;
  }
}

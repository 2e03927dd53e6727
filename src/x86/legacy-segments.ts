/**
 * Segments outside 64-bit mode: real mode, protected and compatibility mode at CPL 0 (APM vol. 2, 1.2, 4.5 to 4.8). The hidden
 * parts of DS, ES, FS, GS and SS are the core's; the base of CS is the machine's.
 */
import { va } from '../machine/address.js';
import { CODE_SEGMENT } from '../machine/cpu/cpu-modes.js';
import { supervisor } from '../machine/cpu/idt.js';
import type { Core } from './core.js';
import { SEGMENT } from './decode/instruction.js';
import { EXCEPTION, NotModelledSignal, protectionFault, raise } from './faults.js';
import {
  baseOf,
  descriptorAt,
  field,
  limitOf,
  readSystem,
  SEGMENT_LIMIT,
  setBase,
  setSelector,
} from './segments.js';

const NULL_SELECTOR = 0xfffc;
const RPL = 3;
const TWO_32 = 2 ** 32;

function setSegment(core: Core, segment: number, selector: number, base: number): void {
  core.segmentLow[segment] = base;
  core.segmentHigh[segment] = 0;
  // The MSRs are the hidden bases of FS and GS (APM vol. 2, 4.5.3).
  if (segment === SEGMENT.fs || segment === SEGMENT.gs) setBase(core, segment, BigInt(base >>> 0));
  setSelector(core, segment, selector);
}

/**
 * MOV to or POP of a segment register outside 64-bit mode. In real mode the base is the selector times 16, and the limit stays
 * (APM vol. 2, 1.2.5, 4.5.2; vol. 3, MOV).
 */
export function loadLegacySegment(core: Core, segment: number, selector: number): void {
  if (segment === SEGMENT.cs) raise(EXCEPTION.UD, 'MOV to CS');
  if (core.cpu.mode === 'real') {
    setSegment(core, segment, selector, selector * CODE_SEGMENT.PARAGRAPH);
    return;
  }
  const error = selector & ~RPL;
  const stack = segment === SEGMENT.ss;
  if ((selector & NULL_SELECTOR) === 0) {
    if (stack) protectionFault('null selector in SS');
    // APM vol. 2, 4.5.2: a null selector may be loaded; an access through it is a #GP.
    core.segmentLimit[segment] = SEGMENT_LIMIT.NULL;
    setSegment(core, segment, selector, 0);
    return;
  }
  const descriptor = readSystem(core, descriptorAt(core, selector, 8));
  if (field(descriptor, 'S') === 0n) protectionFault('a system descriptor', error);
  const type = field(descriptor, 'TYPE');
  if ((type & 8n) !== 0n || (type & 2n) === 0n) {
    if (stack) protectionFault('SS is no writable data', error);
    throw new NotModelledSignal('a data segment that cannot be written, outside 64-bit mode');
  }
  if ((type & 4n) !== 0n) throw new NotModelledSignal('an expand-down segment');
  if (field(descriptor, 'P') === 0n) {
    raise(stack ? EXCEPTION.SS : EXCEPTION.NP, 'segment not present', error);
  }
  core.segmentLimit[segment] = limitOf(descriptor);
  if (stack) core.stackSize = field(descriptor, 'D') === 0n ? 2 : 4;
  if (stack) core.selectors[segment] = selector;
  setSegment(core, segment, selector, Number(BigInt.asIntN(32, baseOf(descriptor))));
}

/** The linear address of an offset: beyond the limit a #GP, in SS a #SS (APM vol. 2, 4.12.1). `core.high` is 0. */
export function segmented(core: Core, segment: number, offset: number, size: number): number {
  const end = offset + Math.max(size, 1) - 1;
  const limit = core.segmentLimit[segment] ?? 0;
  if (end > limit) {
    if (limit === SEGMENT_LIMIT.UNKNOWN) {
      throw new NotModelledSignal('a segment of 64-bit mode whose limit is not known');
    }
    raise(segment === SEGMENT.ss ? EXCEPTION.SS : EXCEPTION.GP, 'beyond the segment');
  }
  const base = segment === SEGMENT.cs ? core.cpu.csBase | 0 : (core.segmentLow[segment] ?? 0);
  core.high = 0;
  return (base + offset) | 0;
}

/** A near branch to an offset in CS (APM vol. 3, JMP Near): beyond its limit a #GP. */
export function branchTo(core: Core, offset: number): void {
  if (offset > (core.segmentLimit[SEGMENT.cs] ?? 0)) protectionFault('a branch beyond CS');
  core.rip = va((core.cpu.csBase + offset) % TWO_32);
}

/** JMP Far and RET Far (APM vol. 3): CS with its base, and outside real mode its limit and default size; then RIP. */
export function farTo(core: Core, selector: number, offset: number): void {
  const { cpu } = core;
  const real = cpu.mode === 'real';
  if (real && offset > (core.segmentLimit[SEGMENT.cs] ?? 0)) {
    protectionFault('a far branch beyond CS');
  }
  const descriptor = real ? 0n : checkFarTarget(core, selector);
  core.toCpu();
  core.check(supervisor(cpu, () => cpu.farJump(selector, offset)));
  if (!real) {
    const limit = limitOf(descriptor);
    core.segmentLimit[SEGMENT.cs] = limit;
    core.codeDefault = field(descriptor, 'D') === 0n ? 16 : 32;
  }
  core.modeChanged();
  core.fromCpu();
  core.stop = true;
}

/**
 * The descriptor of a far transfer's target, whose privilege is checked here, and the rest by the machine's CPU (APM vol. 2,
 * 4.9.1, 4.11; vol. 3, JMP Far, RET Far). Throws #GP; ends the run by name where the privilege level would change.
 */
export function checkFarTarget(core: Core, selector: number, returns = false): bigint {
  if ((selector & NULL_SELECTOR) === 0) protectionFault('a far transfer to a null selector');
  const descriptor = readSystem(core, descriptorAt(core, selector, 8));
  const error = selector & ~RPL;
  const type = field(descriptor, 'TYPE');
  // Gates are not code, which the machine's CPU refuses.
  if (field(descriptor, 'S') === 0n) return descriptor;
  const dpl = Number(field(descriptor, 'DPL'));
  const rpl = selector & RPL;
  const { cpl } = core;
  if (returns && rpl < cpl) protectionFault('a return to a more privileged level', error);
  if (returns && rpl > cpl) throw new NotModelledSignal('RETF to another privilege level');
  const conforming = (type & 4n) !== 0n;
  const allowed = conforming ? dpl <= cpl : dpl === cpl && rpl <= cpl;
  if (!allowed) protectionFault('privilege of a far transfer', error);
  if (rpl !== cpl) throw new NotModelledSignal('a far transfer with another RPL than CPL');
  return descriptor;
}

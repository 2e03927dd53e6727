/** Operands as functions: effective addresses, reads and writes of registers, memory and immediates. */
import type { Va } from '../machine/address.js';
import { ZERO, type Core } from './core.js';
import {
  BASE_RIP,
  NO_REGISTER,
  SEGMENT,
  type Instruction,
  type MemoryOperand,
  type Operand,
  type RegisterOperand,
} from './decode/instruction.js';
import { NotModelledSignal } from './faults.js';
import { segmented } from './legacy-segments.js';

/** Executes one instruction. A branch sets RIP; for the others the block does. */
export type Op = () => void;

/** Where an instruction is: what its operation is made from. */
export interface Site {
  readonly core: Core;
  readonly instruction: Instruction;
  readonly at: Va;
  /** The address of the next instruction. */
  readonly next: Va;
  /** Instructions before it in its block. */
  readonly index: number;
}

/** The low half of a value; for 64 bits `core.high` is the high half. Narrower ones are zero-extended to 32 bits. */
export type Read = () => number;
export type Write = (low: number, high: number) => void;

const TWO_32 = 2 ** 32;

/** The effective address of a memory operand, without the segment's base: the low half; `core.high` is the high one. */
export function effectiveAddress(core: Core, operand: MemoryOperand, next: Va): Read {
  const { r } = core;
  const { base, index, scale, displacement: d, displacementHigh: dHigh, addressSize } = operand;
  const ripRelative = base === BASE_RIP;
  const b = 2 * (base === NO_REGISTER || ripRelative ? ZERO : base);
  const shift = 31 - Math.clz32(scale);
  const low0 = ripRelative ? (next + d) | 0 : d;
  const high0 = ripRelative ? Math.floor((next + d) / TWO_32) | 0 : dHigh;
  if (addressSize === 2) {
    const x = 2 * (index === NO_REGISTER ? ZERO : index);
    return () => {
      core.high = 0;
      return ((r[b] ?? 0) + (r[x] ?? 0) + d) & 0xffff;
    };
  }
  if (addressSize === 4) {
    const x = 2 * (index === NO_REGISTER ? ZERO : index);
    return () => {
      core.high = 0;
      return ((r[b] ?? 0) + ((r[x] ?? 0) << shift) + low0) | 0;
    };
  }
  if (index === NO_REGISTER) {
    if (b === 2 * ZERO) {
      return () => {
        core.high = high0;
        return low0;
      };
    }
    const unsigned = low0 >>> 0;
    return () => {
      const sum = ((r[b] ?? 0) >>> 0) + unsigned;
      core.high = ((r[b + 1] ?? 0) + high0 + (sum >= TWO_32 ? 1 : 0)) | 0;
      return sum | 0;
    };
  }
  const x = 2 * index;
  const unsigned = low0 >>> 0;
  return () => {
    const xLow = r[x] ?? 0;
    const scaled = (xLow << shift) >>> 0;
    const xHigh = ((r[x + 1] ?? 0) << shift) | (shift === 0 ? 0 : xLow >>> (32 - shift));
    const sum = ((r[b] ?? 0) >>> 0) + scaled + unsigned;
    core.high = ((r[b + 1] ?? 0) + xHigh + high0 + Math.floor(sum / TWO_32)) | 0;
    return sum | 0;
  };
}

/**
 * The linear address of a memory operand, which may not be canonical: the low half; `core.high` is the high one. In 64-bit
 * mode only FS and GS have a base (APM vol. 2, 4.5.3).
 */
function addressHalves(core: Core, operand: MemoryOperand, next: Va): Read {
  const { segment, size } = operand;
  const address = effectiveAddress(core, operand, next);
  if (core.width !== 64) return () => segmented(core, segment, address() >>> 0, size);
  if (segment !== SEGMENT.fs && segment !== SEGMENT.gs) return address;
  const { segmentLow, segmentHigh } = core;
  return () => {
    const low = address();
    const base = segmentLow[segment] ?? 0;
    const sum = (low + base) | 0;
    core.high = (core.high + (segmentHigh[segment] ?? 0) + (sum >>> 0 < base >>> 0 ? 1 : 0)) | 0;
    return sum;
  };
}

/** The linear address of a memory operand. */
export function linearAddress(core: Core, operand: MemoryOperand, next: Va): () => Va {
  const address = addressHalves(core, operand, next);
  const stack = operand.segment === SEGMENT.ss;
  return () => {
    const low = address();
    return core.linear(low, core.high, stack);
  };
}

/** A load of 1, 2, 4 or 8 bytes from an address. */
export function loader(core: Core, size: number): (at: Va) => number {
  const { memory } = core;
  if (size === 8) {
    return (at) => {
      const low = memory.load64(at);
      core.high = memory.high;
      return low;
    };
  }
  if (size === 4) return (at) => memory.load32(at);
  return size === 2 ? (at) => memory.load16(at) : (at) => memory.load8(at);
}

/** A store of 1, 2, 4 or 8 bytes at an address. */
export function storer(core: Core, size: number): (at: Va, low: number, high: number) => void {
  const { memory } = core;
  if (size === 8) return (at, low, high) => memory.store64(at, low, high);
  if (size === 4) return (at, low) => memory.store32(at, low);
  return size === 2 ? (at, low) => memory.store16(at, low) : (at, low) => memory.store8(at, low);
}

/** The same from and at an address of two halves. */
function halvesLoader(core: Core, operand: MemoryOperand): (at: number, atHigh: number) => number {
  const { memory } = core;
  const { size } = operand;
  const stack = operand.segment === SEGMENT.ss;
  if (size === 8) {
    return (at, atHigh) => {
      const low = memory.get64(at, atHigh, stack);
      core.high = memory.high;
      return low;
    };
  }
  if (size === 4) return (at, atHigh) => memory.get32(at, atHigh, stack);
  return size === 2
    ? (at, atHigh) => memory.get16(at, atHigh, stack)
    : (at, atHigh) => memory.get8(at, atHigh, stack);
}

function halvesStorer(
  core: Core,
  operand: MemoryOperand,
): (at: number, atHigh: number, low: number, high: number) => void {
  const { memory } = core;
  const { size } = operand;
  const stack = operand.segment === SEGMENT.ss;
  if (size === 8) return (at, atHigh, low, high) => memory.set64(at, atHigh, low, high, stack);
  if (size === 4) return (at, atHigh, low) => memory.set32(at, atHigh, low, stack);
  return size === 2
    ? (at, atHigh, low) => memory.set16(at, atHigh, low, stack)
    : (at, atHigh, low) => memory.set8(at, atHigh, low, stack);
}

/** The offset of a byte register in the registers' bytes: AH to BH are bits 15:8. */
const byteOffset = ({ number, high }: RegisterOperand): number => 8 * number + (high ? 1 : 0);

function registerReader(core: Core, operand: RegisterOperand): Read {
  const { r, words, bytes, selectors } = core;
  const { number, size, file } = operand;
  if (file === 'segment') {
    if (number === SEGMENT.cs) return () => core.cpu.cs;
    return number === SEGMENT.ss ? () => core.cpu.ss : () => selectors[number] ?? 0;
  }
  if (file !== 'gpr') throw new NotModelledSignal(`a read of a register of ${file}`);
  const low = 2 * number;
  if (size === 8) {
    return () => {
      core.high = r[low + 1] ?? 0;
      return r[low] ?? 0;
    };
  }
  if (size === 4) return () => r[low] ?? 0;
  if (size === 2) return () => words[4 * number] ?? 0;
  const at = byteOffset(operand);
  return () => bytes[at] ?? 0;
}

function registerWriter(core: Core, operand: RegisterOperand): Write {
  const { r, words, bytes } = core;
  const { number, size, file } = operand;
  if (file !== 'gpr') throw new NotModelledSignal(`a write of a register of ${file}`);
  const at = 2 * number;
  if (size === 8) {
    return (low, high) => {
      r[at] = low;
      r[at + 1] = high;
    };
  }
  if (size === 4) {
    // APM vol. 1, 3.1.2.3: a 32-bit result is zero-extended.
    return (low) => {
      r[at] = low;
      r[at + 1] = 0;
    };
  }
  if (size === 2) {
    return (low) => {
      words[4 * number] = low;
    };
  }
  const offset = byteOffset(operand);
  return (low) => {
    bytes[offset] = low;
  };
}

/** Reads an operand. */
export function reader({ core, next }: Site, operand: Operand): Read {
  switch (operand.kind) {
    case 'register':
      return registerReader(core, operand);
    case 'immediate': {
      const { low, high } = operand;
      return () => {
        core.high = high;
        return low;
      };
    }
    case 'memory': {
      const address = addressHalves(core, operand, next);
      const load = halvesLoader(core, operand);
      return () => load(address(), core.high);
    }
    default:
      throw new NotModelledSignal(`a read of a ${operand.kind} operand`);
  }
}

/** Writes an operand. */
export function writer({ core, next }: Site, operand: Operand): Write {
  if (operand.kind === 'register') return registerWriter(core, operand);
  if (operand.kind !== 'memory') throw new NotModelledSignal(`a write of an ${operand.kind}`);
  const address = addressHalves(core, operand, next);
  const store = halvesStorer(core, operand);
  return (low, high) => store(address(), core.high, low, high);
}

/** A destination that is read and then written: its address is computed once. */
export interface Destination {
  readonly read: Read;
  readonly write: Write;
}

export function destination(site: Site, operand: Operand): Destination {
  if (operand.kind !== 'memory') {
    return { read: reader(site, operand), write: writer(site, operand) };
  }
  const { core, next } = site;
  const address = addressHalves(core, operand, next);
  const load = halvesLoader(core, operand);
  const store = halvesStorer(core, operand);
  let at = 0;
  let atHigh = 0;
  return {
    read: () => {
      at = address();
      atHigh = core.high;
      return load(at, atHigh);
    },
    write: (low, high) => store(at, atHigh, low, high),
  };
}

/** An operand of an instruction; the tables give each form its number of them. */
export function operandOf({ instruction }: Site, index: number): Operand {
  const operand = instruction.operands[index];
  if (operand === undefined) throw new NotModelledSignal(`operand ${String(index)}`);
  return operand;
}

/** Bytes of an operand. */
export function sizeOf(operand: Operand): number {
  return operand.size;
}

/** 32 minus the operand size in bits, at least 0: shifts a narrow value's sign to bit 31. */
export function narrowShift(size: number): number {
  return size >= 4 ? 0 : 32 - 8 * size;
}

/** The bits of a value of 1, 2 or 4 bytes. */
export function narrowMask(size: number): number {
  return size >= 4 ? -1 : (1 << (8 * size)) - 1;
}

/** XADD, XCHG, CMPXCHG and CMPXCHG8B/16B (APM vol. 3). One CPU runs at a time: LOCK changes nothing. */
import { difference64, sum64 } from './alu.js';
import { RAX, RBX, RCX, RDX } from './core.js';
import { NotModelledSignal, protectionFault } from './faults.js';
import { FLAG } from './flags.js';
import {
  destination,
  linearAddress,
  narrowMask,
  narrowShift,
  operandOf,
  reader,
  writer,
  type Op,
  type Site,
} from './operands.js';

/** XADD: the sum to the destination, its old value to the source, which is a register (APM vol. 3, XADD). */
function exchangeAdd(site: Site): Op {
  const { core } = site;
  const { flags } = core;
  const target = operandOf(site, 0);
  const { read, write } = destination(site, target);
  const other = operandOf(site, 1);
  const source = reader(site, other);
  const writeSource = writer(site, other);
  const wide = target.size === 8;
  const shift = narrowShift(target.size);
  const mask = narrowMask(target.size);
  return () => {
    const b = source();
    const bHigh = core.high;
    const a = read();
    const aHigh = core.high;
    const sum = wide ? sum64(core, a, aHigh, b, bHigh, 0) : (a + b) & mask;
    const { high } = core;
    if (target.kind === 'memory') write(sum, high);
    writeSource(a, aHigh);
    // With a register for both, the sum is what stays.
    if (target.kind !== 'memory') write(sum, high);
    if (wide) flags.add64(a, aHigh, b, bHigh, sum, high);
    else flags.add(a, b, sum, shift);
  };
}

/** XCHG (APM vol. 3, XCHG). */
function exchange(site: Site): Op {
  const { core } = site;
  const { read, write } = destination(site, operandOf(site, 0));
  const other = operandOf(site, 1);
  const source = reader(site, other);
  const writeSource = writer(site, other);
  return () => {
    const b = source();
    const bHigh = core.high;
    const a = read();
    const aHigh = core.high;
    write(b, bHigh);
    writeSource(a, aHigh);
  };
}

/**
 * CMPXCHG: compares with rAX; memory is written in both cases (APM vol. 3, CMPXCHG). Of registers of 32 bits only the one
 * that gets a value is zero-extended (measured on an EPYC).
 */
function compareExchange(site: Site): Op {
  const { core } = site;
  const { flags, r } = core;
  const target = operandOf(site, 0);
  const { size } = target;
  const { read, write } = destination(site, target);
  const source = reader(site, operandOf(site, 1));
  const accumulator = {
    kind: 'register',
    file: 'gpr',
    size,
    number: RAX,
    high: false,
  } as const;
  const readAccumulator = reader(site, accumulator);
  const writeAccumulator = writer(site, accumulator);
  const wide = size === 8;
  const shift = narrowShift(size);
  const mask = narrowMask(size);
  return () => {
    const b = read();
    const bHigh = wide ? core.high : 0;
    const a = readAccumulator();
    const aHigh = wide ? (r[1] ?? 0) : 0;
    if (a === b && aHigh === bHigh) {
      const value = source();
      write(value, core.high);
    } else {
      if (target.kind === 'memory') write(b, bHigh);
      writeAccumulator(b, bHigh);
    }
    if (wide) {
      const low = difference64(core, a, aHigh, b, bHigh, 0);
      flags.subtract64(a, aHigh, b, bHigh, low, core.high);
    } else flags.subtract(a, b, (a - b) & mask, shift);
  };
}

/** Registers of CMPXCHG8B and CMPXCHG16B: what is compared, and what is stored (APM vol. 3, CMPXCHG8B). */
const COMPARED = [RAX, RDX] as const;
const STORED = [RBX, RCX] as const;

/** CMPXCHG8B and CMPXCHG16B: rDX:rAX with memory, rCX:rBX stored; only ZF changes. @param size bytes of each half. */
function compareExchangePair(size: 4 | 8): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { r, memory, flags } = core;
    const operand = operandOf(site, 0);
    if (operand.kind !== 'memory') throw new NotModelledSignal('CMPXCHG8B of a register');
    const address = linearAddress(core, operand, site.next);
    const words = size / 2;
    /** The 32-bit word `index` of a pair of registers. */
    const half = (pair: readonly [number, number], index: number): number =>
      size === 8 ? 2 * pair[index >> 1 === 0 ? 0 : 1] + (index & 1) : 2 * pair[index === 0 ? 0 : 1];
    return () => {
      const at = address();
      // APM vol. 3, CMPXCHG16B: memory that is not aligned to 16 bytes is a #GP.
      if (size === 8 && at % 16 !== 0) protectionFault('CMPXCHG16B of unaligned memory');
      memory.loadBytes(at, 2 * size);
      const old = memory.words.slice(0, words);
      const equal = old.every((word, index) => word === r[half(COMPARED, index)]);
      for (let i = 0; i < words; i++) {
        memory.words[i] = (equal ? r[half(STORED, i)] : old[i]) ?? 0;
      }
      memory.storeBytes(at, 2 * size);
      if (!equal) {
        for (const [index, word] of old.entries()) {
          r[half(COMPARED, index)] = word;
          if (size === 4) r[half(COMPARED, index) + 1] = 0;
        }
      }
      flags.set(FLAG.ZF, equal ? FLAG.ZF : 0);
    };
  };
}

export const EXCHANGE: Readonly<Record<string, (site: Site) => Op>> = {
  xadd: exchangeAdd,
  xchg: exchange,
  cmpxchg: compareExchange,
  cmpxchg8b: compareExchangePair(4),
  cmpxchg16b: compareExchangePair(8),
};

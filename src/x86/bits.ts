/** Bit tests and scans: BT, BTS, BTR, BTC, BSF, BSR, POPCNT (APM vol. 3). */
import { va } from '../machine/address.js';
import { ARITHMETIC, FLAG } from './flags.js';
import {
  destination,
  linearAddress,
  loader,
  operandOf,
  reader,
  storer,
  writer,
  type Op,
  type Site,
} from './operands.js';
import { bitOf } from './shifts.js';

/** What BTS, BTR and BTC do with the bit. */
type BitChange = ((word: number, bit: number) => number) | null;
const BIT_CHANGES = {
  bt: null,
  bts: (word, bit) => word | bit,
  btr: (word, bit) => word & ~bit,
  btc: (word, bit) => word ^ bit,
} satisfies Record<string, BitChange>;

/**
 * BT, BTS, BTR, BTC: CF is the bit. With a register as offset, a memory operand is a string of bits, which the offset
 * addresses beyond the operand; an immediate offset and a register operand are modulo the size (APM vol. 3, BT).
 */
function bitTest(change: BitChange): (site: Site) => Op {
  return (site) => {
    const { core, next } = site;
    const { flags } = core;
    const target = operandOf(site, 0);
    const offset = operandOf(site, 1);
    const { size } = target;
    const readOffset = reader(site, offset);
    const inString = target.kind === 'memory' && offset.kind === 'register';
    if (inString) {
      const address = linearAddress(core, target, next);
      const load = loader(core, 4);
      const store = storer(core, 4);
      const load16 = loader(core, 2);
      const store16 = storer(core, 2);
      return () => {
        const low = readOffset();
        const signed =
          size === 8 ? core.high * 2 ** 32 + (low >>> 0) : size === 4 ? low : (low << 16) >> 16;
        const unit = size === 2 ? 16 : 32;
        // An access of 32 bits where the operand has 64: the same bit, in the same operand.
        const at = va(address() + Math.floor(signed / unit) * (unit / 8));
        const word = size === 2 ? load16(at) : load(at);
        const n = low & (unit - 1);
        if (change !== null) (size === 2 ? store16 : store)(at, change(word, 1 << n), 0);
        flags.set(FLAG.CF, (word >>> n) & 1);
      };
    }
    const { read, write } = destination(site, target);
    const mask = 8 * size - 1;
    return () => {
      const n = readOffset() & mask;
      const low = read();
      const high = size === 8 ? core.high : 0;
      if (change !== null) {
        if (n < 32) write(change(low, 1 << n), high);
        else write(low, change(high, 1 << (n - 32)));
      }
      flags.set(FLAG.CF, bitOf(low, high, n));
    };
  };
}

const trailing = (word: number): number => 31 - Math.clz32(word & -word);

/** BSF and BSR: a source of 0 sets ZF and leaves the destination (APM vol. 3, BSF); the other flags are undefined. */
function bitScan(forward: boolean): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const to = operandOf(site, 0);
    const read = reader(site, operandOf(site, 1));
    const write = writer(site, to);
    const { size } = to;
    return () => {
      const low = read();
      const high = size === 8 ? core.high : 0;
      if ((low | high) === 0) {
        flags.set(FLAG.ZF, FLAG.ZF);
        return;
      }
      write(position(low, high, forward), 0);
      flags.set(FLAG.ZF, 0);
    };
  };
}

function position(low: number, high: number, forward: boolean): number {
  if (forward) return low !== 0 ? trailing(low) : 32 + trailing(high);
  return high !== 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(low);
}

/** POPCNT (APM vol. 3): all flags but ZF are cleared. */
function populationCount(site: Site): Op {
  const { core } = site;
  const { flags } = core;
  const to = operandOf(site, 0);
  const read = reader(site, operandOf(site, 1));
  const write = writer(site, to);
  const ones = (word: number): number => {
    let count = 0;
    for (let rest = word; rest !== 0; rest &= rest - 1) count++;
    return count;
  };
  return () => {
    const low = read();
    const high = to.size === 8 ? core.high : 0;
    const count = ones(low) + ones(high);
    write(count, 0);
    flags.set(ARITHMETIC, count === 0 ? FLAG.ZF : 0);
  };
}

export const BITS: Readonly<Record<string, (site: Site) => Op>> = {
  ...Object.fromEntries(
    Object.entries(BIT_CHANGES).map(([name, change]) => [name, bitTest(change)]),
  ),
  bsf: bitScan(true),
  bsr: bitScan(false),
  // Without BMI and LZCNT in CPUID, F3 0F BC and BD are BSF and BSR with an ignored prefix (APM vol. 3, TZCNT, LZCNT).
  tzcnt: bitScan(true),
  lzcnt: bitScan(false),
  popcnt: populationCount,
};

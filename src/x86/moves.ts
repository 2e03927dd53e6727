/** MOV and its kin: data moves, extensions, conditional moves, LEA, BSWAP (APM vol. 3). */
import { RAX, RDX, type Core } from './core.js';
import { loadLegacySegment } from './legacy-segments.js';
import { loadSegment } from './segments.js';
import { conditionOf, FLAG } from './flags.js';
import { NotModelledSignal } from './faults.js';
import { CONDITIONS } from './decode/map-one-byte.js';
import {
  effectiveAddress,
  operandOf,
  reader,
  writer,
  type Op,
  type Read,
  type Site,
} from './operands.js';

/** MOV, also of segment, control and debug registers. */
function move(site: Site): Op {
  const { core } = site;
  const to = operandOf(site, 0);
  const from = operandOf(site, 1);
  if (to.kind === 'register' && to.file === 'segment') {
    const read = reader(site, from);
    const { number } = to;
    const load = core.width === 64 ? loadSegment : loadLegacySegment;
    return () => load(core, number, read() & 0xffff);
  }
  const write = writer(site, to);
  if (from.kind === 'immediate') {
    const { low, high } = from;
    return () => write(low, high);
  }
  const read = reader(site, from);
  // A segment register has 16 bits; a wider destination gets zeros above them.
  if (from.kind === 'register' && from.file === 'segment') return () => write(read(), 0);
  if (to.kind === 'register' && from.kind === 'register' && to.size === 8) {
    const { r } = core;
    const a = 2 * to.number;
    const b = 2 * from.number;
    return () => {
      r[a] = r[b] ?? 0;
      r[a + 1] = r[b + 1] ?? 0;
    };
  }
  return () => {
    const low = read();
    write(low, core.high);
  };
}

/** A value sign-extended from `size` bytes: the low half, `core.high` the high half. */
function signExtended(core: Core, read: Read, size: number): Read {
  const shift = size >= 4 ? 0 : 32 - 8 * size;
  return () => {
    const low = (read() << shift) >> shift;
    core.high = low >> 31;
    return low;
  };
}

function extend(signed: boolean): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const from = operandOf(site, 1);
    const write = writer(site, operandOf(site, 0));
    const read = signed ? signExtended(core, reader(site, from), from.size) : reader(site, from);
    return () => {
      const low = read();
      write(low, signed ? core.high : 0);
    };
  };
}

/** CMOVcc: the source is read in both cases, and a 32-bit destination is zero-extended in both (APM vol. 3, CMOVcc). */
function conditionalMove(condition: string): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const to = operandOf(site, 0);
    const read = reader(site, operandOf(site, 1));
    const keep = reader(site, to);
    const write = writer(site, to);
    const holds = conditionOf(core.flags, condition);
    if (holds === undefined) throw new NotModelledSignal(condition);
    return () => {
      const low = read();
      if (holds()) write(low, core.high);
      else if (to.size === 4) write(keep(), 0);
    };
  };
}

function set(condition: string): (site: Site) => Op {
  return (site) => {
    const write = writer(site, operandOf(site, 0));
    const holds = conditionOf(site.core.flags, condition);
    if (holds === undefined) throw new NotModelledSignal(condition);
    return () => write(holds() ? 1 : 0, 0);
  };
}

function lea(site: Site): Op {
  const { core, next } = site;
  const from = operandOf(site, 1);
  if (from.kind !== 'memory') throw new NotModelledSignal('LEA of a register');
  const address = effectiveAddress(core, from, next);
  const write = writer(site, operandOf(site, 0));
  return () => {
    const low = address();
    write(low, core.high);
  };
}

/** CBW, CWDE, CDQE and CWD, CDQ, CQO (APM vol. 3). */
const CONVERSIONS: Readonly<Record<string, (site: Site) => Op>> = {
  cbw:
    ({ core: { words, bytes } }) =>
    () => {
      words[0] = ((bytes[0] ?? 0) << 24) >> 24;
    },
  cwde:
    ({ core: { r, words } }) =>
    () => {
      r[0] = ((words[0] ?? 0) << 16) >> 16;
      r[1] = 0;
    },
  cdqe:
    ({ core: { r } }) =>
    () => {
      r[2 * RAX + 1] = (r[2 * RAX] ?? 0) >> 31;
    },
  cwd:
    ({ core: { words } }) =>
    () => {
      words[4 * RDX] = ((words[0] ?? 0) << 16) >> 31;
    },
  cdq:
    ({ core: { r } }) =>
    () => {
      r[2 * RDX] = (r[0] ?? 0) >> 31;
      r[2 * RDX + 1] = 0;
    },
  cqo:
    ({ core: { r } }) =>
    () => {
      const sign = (r[1] ?? 0) >> 31;
      r[2 * RDX] = sign;
      r[2 * RDX + 1] = sign;
    },
};

const swapped = (x: number): number =>
  (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);

/** BSWAP; of 16 bits the result is undefined (APM vol. 3): our choice, 0. */
function swapBytes(site: Site): Op {
  const { core } = site;
  const to = operandOf(site, 0);
  const read = reader(site, to);
  const write = writer(site, to);
  if (to.size === 8) {
    return () => {
      const low = read();
      write(swapped(core.high), swapped(low));
    };
  }
  return to.size === 4 ? () => write(swapped(read()), 0) : () => write(0, 0);
}

/** MOVBE: a load or store with its bytes swapped (APM vol. 3). */
function moveSwapped(site: Site): Op {
  const { core } = site;
  const to = operandOf(site, 0);
  const read = reader(site, operandOf(site, 1));
  const write = writer(site, to);
  return () => {
    const low = read();
    if (to.size === 8) write(swapped(core.high), swapped(low));
    else write(to.size === 4 ? swapped(low) : swapped(low) >>> 16, 0);
  };
}

/** SAHF and LAHF: SF, ZF, AF, PF and CF in AH (APM vol. 3). */
const AH_FLAGS = FLAG.SF | FLAG.ZF | FLAG.AF | FLAG.PF | FLAG.CF;
const saveAh =
  ({ core: { flags, bytes } }: Site): Op =>
  () => {
    flags.set(AH_FLAGS, bytes[1] ?? 0);
  };
const loadAh =
  ({ core: { flags, bytes } }: Site): Op =>
  () => {
    bytes[1] = (flags.arithmetic() & AH_FLAGS) | FLAG.ONE;
  };

export const MOVES: Readonly<Record<string, (site: Site) => Op>> = {
  mov: move,
  movzx: extend(false),
  movsx: extend(true),
  movsxd: extend(true),
  movnti: move,
  movbe: moveSwapped,
  lea,
  bswap: swapBytes,
  sahf: saveAh,
  lahf: loadAh,
  ...CONVERSIONS,
  ...Object.fromEntries(CONDITIONS.map((name) => [`cmov${name}`, conditionalMove(name)])),
  ...Object.fromEntries(CONDITIONS.map((name) => [`set${name}`, set(name)])),
};

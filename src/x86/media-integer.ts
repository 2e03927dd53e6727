/** Packed integers of 128 bits: arithmetic, comparisons, packs, shifts and shuffles of SSE2 (APM vol. 4). */
import { NotModelledSignal } from './faults.js';
import { mediaReader, mediaUsable, source, xmmNumber } from './media.js';
import { operandOf, type Op, type Site } from './operands.js';

const sourceBytes = new Uint8Array(source.buffer);
const BYTES = 16;

type Lanes =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor;

/** An operation lane by lane, from destination and source; a result is cut to the lane. */
function lanes(view: Lanes, operate: (a: number, b: number) => number): (site: Site) => Op {
  const other = new view(source.buffer);
  return (site) => {
    const { core } = site;
    const own = new view(core.xmm.buffer, BYTES * xmmNumber(site, 0), other.length);
    const read = mediaReader(site, operandOf(site, 1), true);
    return () => {
      mediaUsable(core);
      read();
      for (let i = 0; i < own.length; i++) own[i] = operate(own[i] ?? 0, other[i] ?? 0);
    };
  };
}

/** The same for lanes of 64 bits. */
function quads(operate: (a: bigint, b: bigint) => bigint): (site: Site) => Op {
  const other = new BigUint64Array(source.buffer);
  return (site) => {
    const { core } = site;
    const own = new BigUint64Array(core.xmm.buffer, BYTES * xmmNumber(site, 0), 2);
    const read = mediaReader(site, operandOf(site, 1), true);
    return () => {
      mediaUsable(core);
      read();
      for (let i = 0; i < 2; i++) own[i] = operate(own[i] ?? 0n, other[i] ?? 0n);
    };
  };
}

/** An operation on bytes: from the destination's old bytes and the source's. `imm` is an immediate of the last operand. */
function bytewise(
  result: (own: Uint8Array, other: Uint8Array, immediate: number) => ArrayLike<number>,
): (site: Site) => Op {
  return (site) => {
    const { core, instruction } = site;
    const own = new Uint8Array(core.xmm.buffer, BYTES * xmmNumber(site, 0), BYTES);
    const read = mediaReader(site, operandOf(site, 1), true);
    const last = instruction.operands.at(-1);
    const immediate = last?.kind === 'immediate' ? last.low & 0xff : 0;
    return () => {
      mediaUsable(core);
      read();
      own.set(result(own.slice(), sourceBytes, immediate));
    };
  };
}

const clamp = (low: number, high: number) => (value: number) =>
  value < low ? low : value > high ? high : value;
const signed8 = clamp(-0x80, 0x7f);
const unsigned8 = clamp(0, 0xff);
const signed16 = clamp(-0x8000, 0x7fff);
const unsigned16 = clamp(0, 0xffff);

/** Packs both operands' lanes, the destination's first, into lanes of half the size with saturation. */
function pack(
  from: Int16ArrayConstructor | Int32ArrayConstructor,
  to: Int8ArrayConstructor | Uint8ArrayConstructor | Int16ArrayConstructor,
  saturate: (value: number) => number,
): (site: Site) => Op {
  return bytewise((own, other) => {
    const lanesOf = ({ buffer }: Uint8Array): number[] => [...new from(buffer as ArrayBuffer)];
    return new Uint8Array(to.from([...lanesOf(own), ...lanesOf(other)].map(saturate)).buffer);
  });
}

/** Interleaves the low or high halves, in pieces of `size` bytes, the destination's first. */
function interleave(size: number, high: boolean): (site: Site) => Op {
  const start = high ? BYTES / 2 : 0;
  return bytewise((own, other) =>
    Uint8Array.from({ length: BYTES }, (_, i) => {
      const piece = Math.floor(i / size);
      const at = start + Math.floor(piece / 2) * size + (i % size);
      return (piece % 2 === 0 ? own : other)[at] ?? 0;
    }),
  );
}

/** Selects pieces of `size` bytes of the source by two bits each of the immediate, from byte `first`; the rest is copied. */
function select(size: number, first: number): (site: Site) => Op {
  return bytewise((_own, other, immediate) =>
    Uint8Array.from({ length: BYTES }, (_, i) => {
      const piece = Math.floor((i - first) / size);
      if (piece < 0 || piece > 3) return other[i] ?? 0;
      return other[first + ((immediate >> (2 * piece)) & 3) * size + (i % size)] ?? 0;
    }),
  );
}

/** PSLLDQ and PSRLDQ: by bytes. @param direction −1: left. */
function shiftBytes(direction: 1 | -1): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const own = new Uint8Array(core.xmm.buffer, BYTES * xmmNumber(site, 0), BYTES);
    const count = immediateOf(site, 1) * direction;
    return () => {
      mediaUsable(core);
      const old = own.slice();
      for (let i = 0; i < BYTES; i++) own[i] = old[i + count] ?? 0;
    };
  };
}

function immediateOf(site: Site, index: number): number {
  const operand = operandOf(site, index);
  if (operand.kind !== 'immediate') throw new NotModelledSignal('a media shift without a count');
  return operand.low & 0xff;
}

/**
 * Shifts of lanes by an immediate or by the low 64 bits of the source. A count of the lane's bits or more gives 0, of an
 * arithmetic shift all sign bits (APM vol. 4, PSRAW, PSRLW).
 */
function shiftLanes(
  bits: 16 | 32 | 64,
  shift: (value: bigint, count: bigint) => bigint,
): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { xmm } = core;
    const base = BYTES * xmmNumber(site, 0);
    const own = new DataView(xmm.buffer, base, BYTES);
    const last = operandOf(site, 1);
    const read = last.kind === 'immediate' ? () => undefined : mediaReader(site, last, true);
    const fixed = last.kind === 'immediate' ? BigInt(last.low & 0xff) : undefined;
    const most = BigInt(bits);
    const words = new BigUint64Array(source.buffer);
    return () => {
      mediaUsable(core);
      read();
      const wanted = fixed ?? words[0] ?? 0n;
      const count = wanted > most ? most : wanted;
      for (let at = 0; at < BYTES; at += bits / 8) {
        if (bits === 64)
          own.setBigUint64(at, BigInt.asUintN(64, shift(own.getBigInt64(at, true), count)), true);
        else if (bits === 32)
          own.setInt32(
            at,
            Number(BigInt.asIntN(32, shift(BigInt(own.getInt32(at, true)), count))),
            true,
          );
        else
          own.setInt16(
            at,
            Number(BigInt.asIntN(16, shift(BigInt(own.getInt16(at, true)), count))),
            true,
          );
      }
    };
  };
}
const left = (value: bigint, count: bigint): bigint => value << count;
const arithmetic = (value: bigint, count: bigint): bigint => value >> count;
const logical =
  (bits: number) =>
  (value: bigint, count: bigint): bigint =>
    BigInt.asUintN(bits, value) >> count;

/** PMADDWD: sums of neighbouring products. */
const multiplyAdd = bytewise((own, other) => {
  const a = new Int16Array(own.buffer);
  const b = new Int16Array(other.buffer);
  const product = (i: number): number => (a[i] ?? 0) * (b[i] ?? 0);
  return new Uint8Array(Int32Array.from([0, 2, 4, 6], (i) => product(i) + product(i + 1)).buffer);
});

/** PSADBW: the sum of the differences of each half's bytes. */
const differences = bytewise((own, other) => {
  const sums = [0, 8].map((start) => {
    let sum = 0;
    for (let i = start; i < start + 8; i++) sum += Math.abs((own[i] ?? 0) - (other[i] ?? 0));
    return BigInt(sum);
  });
  return new Uint8Array(BigUint64Array.from(sums).buffer);
});

const equal = (a: number, b: number): number => (a === b ? -1 : 0);
const greater = (a: number, b: number): number => (a > b ? -1 : 0);
const add = (a: number, b: number): number => a + b;
const subtract = (a: number, b: number): number => a - b;
const average = (a: number, b: number): number => (a + b + 1) >> 1;
const high16 = (a: number, b: number): number => Math.floor((a * b) / 0x1_0000);

export const MEDIA_INTEGER: Readonly<Record<string, (site: Site) => Op>> = {
  paddb: lanes(Uint8Array, add),
  paddw: lanes(Uint16Array, add),
  paddd: lanes(Int32Array, add),
  paddq: quads((a, b) => BigInt.asUintN(64, a + b)),
  psubb: lanes(Uint8Array, subtract),
  psubw: lanes(Uint16Array, subtract),
  psubd: lanes(Int32Array, subtract),
  psubq: quads((a, b) => BigInt.asUintN(64, a - b)),
  paddsb: lanes(Int8Array, (a, b) => signed8(a + b)),
  paddsw: lanes(Int16Array, (a, b) => signed16(a + b)),
  paddusb: lanes(Uint8Array, (a, b) => unsigned8(a + b)),
  paddusw: lanes(Uint16Array, (a, b) => unsigned16(a + b)),
  psubsb: lanes(Int8Array, (a, b) => signed8(a - b)),
  psubsw: lanes(Int16Array, (a, b) => signed16(a - b)),
  psubusb: lanes(Uint8Array, (a, b) => unsigned8(a - b)),
  psubusw: lanes(Uint16Array, (a, b) => unsigned16(a - b)),
  pcmpeqb: lanes(Uint8Array, equal),
  pcmpeqw: lanes(Uint16Array, equal),
  pcmpeqd: lanes(Int32Array, equal),
  pcmpgtb: lanes(Int8Array, greater),
  pcmpgtw: lanes(Int16Array, greater),
  pcmpgtd: lanes(Int32Array, greater),
  pminub: lanes(Uint8Array, Math.min),
  pmaxub: lanes(Uint8Array, Math.max),
  pminsw: lanes(Int16Array, Math.min),
  pmaxsw: lanes(Int16Array, Math.max),
  pavgb: lanes(Uint8Array, average),
  pavgw: lanes(Uint16Array, average),
  pmullw: lanes(Int16Array, (a, b) => a * b),
  pmulhw: lanes(Int16Array, high16),
  pmulhuw: lanes(Uint16Array, high16),
  pmuludq: quads((a, b) => BigInt.asUintN(32, a) * BigInt.asUintN(32, b)),
  pmaddwd: multiplyAdd,
  psadbw: differences,
  packsswb: pack(Int16Array, Int8Array, signed8),
  packuswb: pack(Int16Array, Uint8Array, unsigned8),
  packssdw: pack(Int32Array, Int16Array, signed16),
  punpcklbw: interleave(1, false),
  punpcklwd: interleave(2, false),
  punpckldq: interleave(4, false),
  punpcklqdq: interleave(8, false),
  punpckhbw: interleave(1, true),
  punpckhwd: interleave(2, true),
  punpckhdq: interleave(4, true),
  punpckhqdq: interleave(8, true),
  unpcklps: interleave(4, false),
  unpcklpd: interleave(8, false),
  unpckhps: interleave(4, true),
  unpckhpd: interleave(8, true),
  pshufd: select(4, 0),
  pshuflw: select(2, 0),
  pshufhw: select(2, 8),
  psllw: shiftLanes(16, left),
  pslld: shiftLanes(32, left),
  psllq: shiftLanes(64, left),
  psrlw: shiftLanes(16, logical(16)),
  psrld: shiftLanes(32, logical(32)),
  psrlq: shiftLanes(64, logical(64)),
  psraw: shiftLanes(16, arithmetic),
  psrad: shiftLanes(32, arithmetic),
  pslldq: shiftBytes(-1),
  psrldq: shiftBytes(1),
};

/** Moves of parts of media registers: halves, words, sign bits, shuffles of two operands (APM vol. 4). */
import { mediaReader, mediaUsable, source, xmmNumber } from './media.js';
import { linearAddress, operandOf, reader, writer, type Op, type Site } from './operands.js';
import { NotModelledSignal } from './faults.js';

/** A half of a register from or to 64 bits of memory; the other half stays. @param half 0: the low one. */
function moveHalf(half: 0 | 1): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { xmm, memory } = core;
    const toMemory = operandOf(site, 0).kind === 'memory';
    const operand = operandOf(site, toMemory ? 0 : 1);
    if (operand.kind !== 'memory') throw new NotModelledSignal('a half of a register');
    const address = linearAddress(core, operand, site.next);
    const at = 4 * xmmNumber(site, toMemory ? 1 : 0) + 2 * half;
    if (toMemory) {
      return () => {
        mediaUsable(core);
        memory.store64(address(), xmm[at] ?? 0, xmm[at + 1] ?? 0);
      };
    }
    return () => {
      mediaUsable(core);
      xmm[at] = memory.load64(address());
      xmm[at + 1] = memory.high;
    };
  };
}

/** A half of a register to a half of another. */
function moveBetween(from: 0 | 1, to: 0 | 1): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { xmm } = core;
    const target = 4 * xmmNumber(site, 0) + 2 * to;
    const start = 4 * xmmNumber(site, 1) + 2 * from;
    return () => {
      mediaUsable(core);
      xmm[target] = xmm[start] ?? 0;
      xmm[target + 1] = xmm[start + 1] ?? 0;
    };
  };
}

/** MOVSD: a load clears bits 127:64, between registers they stay (APM vol. 4, MOVSD). */
function moveDouble(site: Site): Op {
  const [to, from] = [operandOf(site, 0), operandOf(site, 1)];
  if (to.kind === 'memory') return moveHalf(0)(site);
  if (from.kind !== 'memory') return moveBetween(0, 0)(site);
  const { core } = site;
  const load = moveHalf(0)(site);
  const at = 4 * xmmNumber(site, 0);
  return () => {
    load();
    core.xmm.fill(0, at + 2, at + 4);
  };
}

/** The sign bits of a register's lanes, the first in bit 0 (APM vol. 4, PMOVMSKB). @param size bytes of a lane. */
function signs(size: number): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const bytes = new Uint8Array(core.xmm.buffer, 16 * xmmNumber(site, 1), 16);
    const write = writer(site, operandOf(site, 0));
    return () => {
      mediaUsable(core);
      let mask = 0;
      for (let i = 0; i < 16 / size; i++) mask |= ((bytes[i * size + size - 1] ?? 0) >> 7) << i;
      write(mask, 0);
    };
  };
}

function immediate(site: Site): number {
  const operand = operandOf(site, 2);
  return operand.kind === 'immediate' ? operand.low & 0xff : 0;
}

/** PINSRW and PEXTRW: a word by its number (APM vol. 4). */
function insertWord(site: Site): Op {
  const { core } = site;
  const words = new Uint16Array(core.xmm.buffer, 16 * xmmNumber(site, 0), 8);
  const read = reader(site, operandOf(site, 1));
  const index = immediate(site) & 7;
  return () => {
    mediaUsable(core);
    words[index] = read();
  };
}
function extractWord(site: Site): Op {
  const { core } = site;
  const words = new Uint16Array(core.xmm.buffer, 16 * xmmNumber(site, 1), 8);
  const write = writer(site, operandOf(site, 0));
  const index = immediate(site) & 7;
  return () => {
    mediaUsable(core);
    write(words[index] ?? 0, 0);
  };
}

/** SHUFPS and SHUFPD: the low half from the destination, the high one from the source (APM vol. 4). @param words of a lane. */
function shuffle(words: 1 | 2): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { xmm } = core;
    const at = 4 * xmmNumber(site, 0);
    const read = mediaReader(site, operandOf(site, 1), true);
    const selected = immediate(site);
    const lanes = 4 / words;
    return () => {
      mediaUsable(core);
      read();
      const old = xmm.slice(at, at + 4);
      for (let i = 0; i < 4; i++) {
        const lane = Math.floor(i / words);
        const bits = lanes / 2;
        const from = ((selected >> (lane * bits)) & (lanes - 1)) * words + (i % words);
        xmm[at + i] = (lane < lanes / 2 ? old : source)[from] ?? 0;
      }
    };
  };
}

/** MOVSD of media registers has the mnemonic of a string instruction. */
export const MEDIA_MOVSD = moveDouble;

export const MEDIA_PARTS: Readonly<Record<string, (site: Site) => Op>> = {
  movlps: moveHalf(0),
  movlpd: moveHalf(0),
  movhps: moveHalf(1),
  movhpd: moveHalf(1),
  movhlps: moveBetween(1, 0),
  movlhps: moveBetween(0, 1),
  movmskps: signs(4),
  movmskpd: signs(8),
  pmovmskb: signs(1),
  pinsrw: insertWord,
  pextrw: extractWord,
  shufps: shuffle(1),
  shufpd: shuffle(2),
};

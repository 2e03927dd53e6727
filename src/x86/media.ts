/** Media instructions of 128 bits that kernels use (APM vol. 4). */
import type { Core } from './core.js';
import { EXCEPTION, NotModelledSignal, protectionFault, raise } from './faults.js';
import type { Operand } from './decode/instruction.js';
import { linearAddress, operandOf, reader, writer, type Op, type Site } from './operands.js';
import { CR0, CR4, has } from '../machine/cpu/registers.js';

/** The words of a source of 128 bits, or of its low part. Reused: valid until the next instruction. */
export const source = new Int32Array(4);

/** APM vol. 4, 1.9: #UD with CR0.EM or without CR4.OSFXSR, #NM with CR0.TS. */
export function mediaUsable(core: Core): void {
  if (has(core.cpu.cr0, CR0.EM) || !has(core.cpu.cr4, CR4.OSFXSR)) {
    raise(EXCEPTION.UD, 'SSE is not enabled');
  }
  if (has(core.cpu.cr0, CR0.TS)) raise(EXCEPTION.NM, 'CR0.TS');
}

/** Reads a media register or memory into `source`; less than 16 bytes are zero-extended. */
export function mediaReader(site: Site, operand: Operand, aligned: boolean): () => void {
  const { core } = site;
  const { xmm, memory } = core;
  const { size } = operand;
  if (operand.kind === 'register') {
    if (operand.file !== 'xmm') throw new NotModelledSignal(`a register of ${operand.file}`);
    const at = 4 * operand.number;
    return () => {
      for (let i = 0; i < 4; i++) source[i] = xmm[at + i] ?? 0;
    };
  }
  if (operand.kind !== 'memory') throw new NotModelledSignal('a media operand');
  const address = linearAddress(core, operand, site.next);
  return () => {
    const at = address();
    if (aligned && at % 16 !== 0) protectionFault('a media operand that is not aligned');
    memory.loadBytes(at, size);
    for (let i = 0; i < 4; i++) source[i] = 4 * i < size ? (memory.words[i] ?? 0) : 0;
  };
}

/** Writes `source`. @param keep whether a register keeps the words that the value does not have. */
function mediaWriter(
  site: Site,
  operand: Operand,
  aligned: boolean,
  words: number,
): (keep: boolean) => void {
  const { core } = site;
  const { xmm, memory } = core;
  if (operand.kind === 'register') {
    if (operand.file !== 'xmm') throw new NotModelledSignal(`a register of ${operand.file}`);
    const at = 4 * operand.number;
    return (keep) => {
      for (let i = 0; i < (keep ? words : 4); i++) xmm[at + i] = source[i] ?? 0;
    };
  }
  if (operand.kind !== 'memory') throw new NotModelledSignal('a media operand');
  const address = linearAddress(core, operand, site.next);
  return () => {
    const at = address();
    if (aligned && at % 16 !== 0) protectionFault('a media operand that is not aligned');
    for (let i = 0; i < words; i++) memory.words[i] = source[i] ?? 0;
    memory.storeBytes(at, 4 * words);
  };
}

/** A move. @param bytes bytes that move; a load from memory clears the rest, between registers it stays. */
function move(bytes: number, aligned: boolean): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const [to, from] = [operandOf(site, 0), operandOf(site, 1)];
    const read = mediaReader(site, from, aligned);
    const write = mediaWriter(site, to, aligned, bytes / 4);
    const keep = from.kind === 'register' && to.kind === 'register' && bytes < 16;
    return () => {
      mediaUsable(core);
      read();
      write(keep);
    };
  };
}

/** MOVD and MOVQ between general and media registers or memory (APM vol. 4, MOVD, MOVQ). */
function moveGeneral(site: Site): Op {
  const { core } = site;
  const [to, from] = [operandOf(site, 0), operandOf(site, 1)];
  const isMedia = (operand: Operand): boolean =>
    operand.kind === 'register' && operand.file === 'xmm';
  if (isMedia(to) && isMedia(from)) return moveQuad(site);
  if (isMedia(to)) {
    const read = reader(site, from);
    const write = mediaWriter(site, to, false, 4);
    return () => {
      mediaUsable(core);
      source[0] = read();
      source[1] = from.size === 8 ? core.high : 0;
      source[2] = 0;
      source[3] = 0;
      write(false);
    };
  }
  if (from.kind !== 'register' || from.file !== 'xmm') throw new NotModelledSignal('MOVD of MMX');
  const write = writer(site, to);
  const at = 4 * from.number;
  const { xmm } = core;
  return () => {
    mediaUsable(core);
    write(xmm[at] ?? 0, xmm[at + 1] ?? 0);
  };
}

/** MOVQ of media registers: bits 127:64 become 0. */
function moveQuad(site: Site): Op {
  const { core } = site;
  const read = mediaReader(site, operandOf(site, 1), false);
  const write = mediaWriter(site, operandOf(site, 0), false, 4);
  return () => {
    mediaUsable(core);
    read();
    source[2] = 0;
    source[3] = 0;
    write(false);
  };
}

/** The number of the XMM register of an operand; an MMX register is not modelled. */
export function xmmNumber(site: Site, index: number): number {
  const operand = operandOf(site, index);
  if (operand.kind !== 'register' || operand.file !== 'xmm') {
    throw new NotModelledSignal(`${site.instruction.mnemonic.toUpperCase()} of MMX registers`);
  }
  return operand.number;
}

/** An operation of an XMM register with a source: `change` gets the registers' words and the index of its first. */
function intoXmm(change: (xmm: Int32Array, at: number) => void): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { xmm } = core;
    const at = 4 * xmmNumber(site, 0);
    const read = mediaReader(site, operandOf(site, 1), true);
    return () => {
      mediaUsable(core);
      read();
      change(xmm, at);
    };
  };
}

/** An operation word by word, from destination and source. */
const bitwise = (operate: (a: number, b: number) => number): ((site: Site) => Op) =>
  intoXmm((xmm, at) => {
    for (let i = 0; i < 4; i++) xmm[at + i] = operate(xmm[at + i] ?? 0, source[i] ?? 0);
  });

export const MEDIA: Readonly<Record<string, (site: Site) => Op>> = {
  movaps: move(16, true),
  movapd: move(16, true),
  movdqa: move(16, true),
  movntdq: move(16, true),
  movntps: move(16, true),
  movups: move(16, false),
  movupd: move(16, false),
  movdqu: move(16, false),
  movss: move(4, false),
  movd: moveGeneral,
  movq: (site) => {
    const [to, from] = [operandOf(site, 0), operandOf(site, 1)];
    const general = [to, from].some((each) => each.kind === 'register' && each.file === 'gpr');
    if (general) return moveGeneral(site);
    return to.kind === 'memory' ? move(8, false)(site) : moveQuad(site);
  },
  xorps: bitwise((a, b) => a ^ b),
  xorpd: bitwise((a, b) => a ^ b),
  pxor: bitwise((a, b) => a ^ b),
  andps: bitwise((a, b) => a & b),
  pand: bitwise((a, b) => a & b),
  orps: bitwise((a, b) => a | b),
  por: bitwise((a, b) => a | b),
  pandn: bitwise((a, b) => ~a & b),
  andnps: bitwise((a, b) => ~a & b),
  andnpd: bitwise((a, b) => ~a & b),
  andpd: bitwise((a, b) => a & b),
  orpd: bitwise((a, b) => a | b),
  lddqu: move(16, false),
  movntpd: move(16, true),
};

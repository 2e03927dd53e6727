/** PUSH, POP, PUSHF, POPF and LEAVE with operands of 16 bits in 64-bit mode: RSP has 64 bits, and moves by 2 (APM vol. 3). */
import { RBP, RSP, type Core } from './core.js';
import { operandOf, reader, writer, type Op, type Site } from './operands.js';
import { checkFlags, loadable } from './privilege.js';
import { loadSegment } from './segments.js';
import { FLAG } from './flags.js';

const BYTES = 2;
const WORD = 0xffff;

/** RSP is moved; a sum of two halves. */
function moveStack({ r }: Core, by: number): void {
  const low = (r[2 * RSP] ?? 0) >>> 0;
  const sum = low + by;
  r[2 * RSP] = sum | 0;
  r[2 * RSP + 1] = ((r[2 * RSP + 1] ?? 0) + Math.floor(sum / 2 ** 32)) | 0;
}

function pushWord(core: Core, value: number): void {
  const { r, memory } = core;
  const low = (r[2 * RSP] ?? 0) >>> 0;
  const high = ((r[2 * RSP + 1] ?? 0) - (low < BYTES ? 1 : 0)) | 0;
  memory.set16((low - BYTES) | 0, high, value & WORD, true);
  moveStack(core, -BYTES);
}

/** The word on the stack. RSP does not change. */
function topWord({ r, memory }: Core): number {
  return memory.get16(r[2 * RSP] ?? 0, r[2 * RSP + 1] ?? 0, true);
}

export function push16(site: Site): Op {
  const { core } = site;
  const read = reader(site, operandOf(site, 0));
  return () => pushWord(core, read());
}

export function pop16(site: Site): Op {
  const { core } = site;
  const to = operandOf(site, 0);
  if (to.kind === 'register' && to.file === 'segment') {
    const { number } = to;
    return () => {
      loadSegment(core, number, topWord(core));
      moveStack(core, BYTES);
    };
  }
  const write = writer(site, to);
  return () => {
    const value = topWord(core);
    // An address with RSP as base uses the RSP after the increment; a fault leaves it as it was.
    moveStack(core, BYTES);
    try {
      write(value, 0);
    } catch (error) {
      moveStack(core, -BYTES);
      throw error;
    }
  };
}

export function pushFlags16({ core }: Site): Op {
  return () => pushWord(core, core.flags.value);
}

/** Bits 63:16 of RFLAGS do not change. */
export function popFlags16({ core }: Site): Op {
  const { flags } = core;
  return () => {
    const value = topWord(core);
    checkFlags(core, value, core.cpl);
    const old = flags.value;
    const mask = loadable(core) & WORD;
    moveStack(core, BYTES);
    flags.value = (value & mask) | (old & ~mask);
    if ((flags.system & ~old & FLAG.IF) !== 0) core.checkInterrupts();
  };
}

export function leave16({ core }: Site): Op {
  const { r, memory, words } = core;
  return () => {
    const [low, high] = [r[2 * RBP] ?? 0, r[2 * RBP + 1] ?? 0];
    const value = memory.get16(low, high, true);
    r[2 * RSP] = low;
    r[2 * RSP + 1] = high;
    moveStack(core, BYTES);
    words[4 * RBP] = value;
  };
}

/** The state of the media and x87 units as a whole: FXSAVE, FXRSTOR, MXCSR (APM vol. 2, 11.4.4; vol. 5). */
import { NotModelledSignal, protectionFault } from './faults.js';
import { mediaUsable } from './media.js';
import { linearAddress, operandOf, reader, writer, type Op, type Site } from './operands.js';
import { physical, x87Usable } from './x87.js';

const MXCSR_MASK = 0xffff;

function loadMxcsr(site: Site): Op {
  const { core } = site;
  const read = reader(site, operandOf(site, 0));
  return () => {
    mediaUsable(core);
    const value = read();
    // APM vol. 4, LDMXCSR: a reserved bit is a #GP.
    if ((value & ~MXCSR_MASK) !== 0) protectionFault('reserved bit of MXCSR');
    core.mxcsr = value;
  };
}

function storeMxcsr(site: Site): Op {
  const { core } = site;
  const write = writer(site, operandOf(site, 0));
  return () => {
    mediaUsable(core);
    write(core.mxcsr, 0);
  };
}

/** Offsets in the area of FXSAVE (APM vol. 2, 11.4.4, figure 11-8), in words of 32 bits. */
const FXSAVE = {
  CONTROL: 0,
  TAG: 1,
  MXCSR: 6,
  MXCSR_MASK: 7,
  X87: 8,
  XMM: 40,
  WORDS: 104,
} as const;

/**
 * FXSAVE: ST(0) to ST(7), then the XMM registers; the bytes above them stay. The addresses and opcode of the last x87
 * instruction are zeros, as AMD's processors have no reason to store them without a pending exception (APM vol. 2, 11.4.4).
 */
function save(site: Site): Op {
  const { core } = site;
  const { xmm } = core;
  const address = area(site);
  return () => {
    x87Usable(core);
    const words = new Int32Array(FXSAVE.WORDS);
    words[FXSAVE.CONTROL] = (core.fcw & 0xffff) | (core.fsw << 16);
    words[FXSAVE.TAG] = core.x87InUse;
    for (let i = 0; i < 8; i++) {
      const from = 4 * physical(core, i);
      words.set(core.x87.subarray(from, from + 4), FXSAVE.X87 + 4 * i);
    }
    words[FXSAVE.MXCSR] = core.mxcsr;
    words[FXSAVE.MXCSR_MASK] = MXCSR_MASK;
    words.set(xmm, FXSAVE.XMM);
    const at = address();
    if (at % 16 !== 0) protectionFault('FXSAVE to unaligned memory');
    core.storeArea(at, new Uint8Array(words.buffer));
  };
}

function area(site: Site): ReturnType<typeof linearAddress> {
  const operand = operandOf(site, 0);
  if (operand.kind !== 'memory') throw new NotModelledSignal('FXSAVE to a register');
  return linearAddress(site.core, operand, site.next);
}

/** FXRSTOR (APM vol. 5). */
function restore(site: Site): Op {
  const { core } = site;
  const address = area(site);
  return () => {
    x87Usable(core);
    const at = address();
    if (at % 16 !== 0) protectionFault('FXRSTOR from unaligned memory');
    const bytes = core.loadArea(at, 4 * FXSAVE.WORDS);
    const words = new Int32Array(bytes.buffer);
    const mxcsr = words[FXSAVE.MXCSR] ?? 0;
    if ((mxcsr & ~MXCSR_MASK) !== 0) protectionFault('reserved bit of MXCSR');
    core.fcw = (words[FXSAVE.CONTROL] ?? 0) & 0xffff;
    core.fsw = (words[FXSAVE.CONTROL] ?? 0) >>> 16;
    core.x87InUse = (words[FXSAVE.TAG] ?? 0) & 0xff;
    for (let i = 0; i < 8; i++) {
      const from = FXSAVE.X87 + 4 * i;
      const [low = 0, high = 0, last = 0] = words.subarray(from, from + 3);
      core.x87.set([low, high, last & 0xffff], 4 * physical(core, i));
    }
    core.mxcsr = mxcsr;
    core.xmm.set(words.subarray(FXSAVE.XMM, FXSAVE.XMM + 64));
  };
}

export const FP_STATE: Readonly<Record<string, (site: Site) => Op>> = {
  ldmxcsr: loadMxcsr,
  stmxcsr: storeMxcsr,
  fxsave: save,
  fxsave64: save,
  fxrstor: restore,
  fxrstor64: restore,
};

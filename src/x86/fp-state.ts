/** The state of media and x87 units without their arithmetic: FXSAVE, FXRSTOR, MXCSR, control words (APM vol. 5). */
import { CR0, has } from '../machine/cpu/registers.js';
import type { Core } from './core.js';
import { EXCEPTION, NotModelledSignal, protectionFault, raise } from './faults.js';
import { mediaUsable } from './media.js';
import { linearAddress, operandOf, reader, writer, type Op, type Site } from './operands.js';

/** APM vol. 2, 8.2.8: #NM with CR0.EM or CR0.TS. */
function x87Usable(core: Core): void {
  if (has(core.cpu.cr0, CR0.EM) || has(core.cpu.cr0, CR0.TS)) raise(EXCEPTION.NM, 'CR0.EM or TS');
}

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
const FXSAVE = { CONTROL: 0, TAG: 1, MXCSR: 6, MXCSR_MASK: 7, XMM: 40, WORDS: 104 } as const;

/** FXSAVE: the x87 registers are empty, as no instruction here fills one. Bytes above the XMM registers stay. */
function save(site: Site): Op {
  const { core } = site;
  const { xmm } = core;
  const address = area(site);
  return () => {
    x87Usable(core);
    const words = new Int32Array(FXSAVE.WORDS);
    words[FXSAVE.CONTROL] = (core.fcw & 0xffff) | (core.fsw << 16);
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

/** FXRSTOR (APM vol. 5). x87 registers that are not empty are not modelled. */
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
    if (((words[FXSAVE.TAG] ?? 0) & 0xff) !== 0)
      throw new NotModelledSignal('x87 registers that are in use');
    core.fcw = (words[FXSAVE.CONTROL] ?? 0) & 0xffff;
    core.fsw = (words[FXSAVE.CONTROL] ?? 0) >>> 16;
    core.mxcsr = mxcsr;
    core.xmm.set(words.subarray(FXSAVE.XMM, FXSAVE.XMM + 64));
  };
}

const FCW_INIT = 0x37f;
const EXCEPTION_FLAGS = 0x80ff;

const x87 = (operate: (core: Core) => void): ((site: Site) => Op) => {
  return ({ core }) =>
    () => {
      x87Usable(core);
      operate(core);
    };
};

const stores = (value: (core: Core) => number): ((site: Site) => Op) => {
  return (site) => {
    const { core } = site;
    const write = writer(site, operandOf(site, 0));
    return () => {
      x87Usable(core);
      write(value(core) & 0xffff, 0);
    };
  };
};

export const FP_STATE: Readonly<Record<string, (site: Site) => Op>> = {
  ldmxcsr: loadMxcsr,
  stmxcsr: storeMxcsr,
  fxsave: save,
  fxsave64: save,
  fxrstor: restore,
  fxrstor64: restore,
  fninit: x87((core) => {
    core.fcw = FCW_INIT;
    core.fsw = 0;
  }),
  fnclex: x87((core) => {
    core.fsw &= ~EXCEPTION_FLAGS;
  }),
  emms: x87(() => undefined),
  fnstcw: stores((core) => core.fcw),
  fnstsw: stores((core) => core.fsw),
  fldcw: (site) => {
    const { core } = site;
    const read = reader(site, operandOf(site, 0));
    return () => {
      x87Usable(core);
      core.fcw = read();
    };
  },
};

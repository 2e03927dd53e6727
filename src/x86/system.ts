/** System instructions: MSRs, tables, ports, caches, CPUID, time (APM vol. 3, chapter 4). */
import type { Va } from '../machine/address.js';
import { isFault } from '../machine/cpu/fault.js';
import { MSR } from '../machine/cpu/msr.js';
import { CR0, CR4, has } from '../machine/cpu/registers.js';
import { RAX, RBX, RCX, RDX, type Core } from './core.js';
import { FLAG } from './flags.js';
import { EXCEPTION, FaultSignal, NotModelledSignal, protectionFault, raise } from './faults.js';
import { linearAddress, operandOf, reader, writer, type Op, type Site } from './operands.js';
import { checkPort, ioAllowed } from './privilege.js';
import { loadLdt, loadTaskRegister, swapGs } from './segments.js';

/** The time-stamp counter's increment for a unit of virtual time, 10 ns, which an instruction takes: 2 GHz (our choice). */
export const TSC_PER_INSTRUCTION = 20;
const TSC_MSR = 0x10;

/** MSRs whose write changes translations or memory types. */
const TRANSLATING: ReadonlySet<number> = new Set([MSR.EFER, MSR.SYSCFG, MSR.PAT, MSR.MTRRdefType]);
const BASES: ReadonlySet<number> = new Set([MSR.FS_BASE, MSR.GS_BASE]);

/** A #GP at CPL above 0 (APM vol. 3, chapter 4). */
function privileged(make: (site: Site) => Op): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const op = make(site);
    return () => {
      if (core.cpl !== 0) protectionFault('a privileged instruction');
      op();
    };
  };
}

const nothing = (): Op => () => undefined;

// --- MSRs, CPUID, time ---------------------------------------------------------------------------------------------

function setPair(core: Core, value: bigint): void {
  core.set64(RAX, BigInt.asUintN(32, value));
  core.set64(RDX, BigInt.asUintN(32, value >> 32n));
}

const timeStamp = (core: Core, index: number): bigint =>
  BigInt(core.retired + core.skipped + index) * BigInt(TSC_PER_INSTRUCTION) + core.tscOffset;

function readMsr({ core, index }: Site): Op {
  const { r, cpu } = core;
  return () => {
    const number = (r[2 * RCX] ?? 0) >>> 0;
    const value = number === TSC_MSR ? timeStamp(core, index) : cpu.rdmsr(number);
    if (isFault(value)) throw new FaultSignal(value);
    setPair(core, value);
  };
}

function writeMsr({ core, index }: Site): Op {
  const { r, cpu } = core;
  return () => {
    const number = (r[2 * RCX] ?? 0) >>> 0;
    const low = BigInt((r[2 * RAX] ?? 0) >>> 0);
    const value = (BigInt((r[2 * RDX] ?? 0) >>> 0) << 32n) | low;
    if (number === TSC_MSR) {
      core.tscOffset += value - timeStamp(core, index);
      return;
    }
    core.check(cpu.wrmsr(number, value));
    if (BASES.has(number)) core.reloadBases();
    if (TRANSLATING.has(number)) core.translationsChanged();
  };
}

/** RDTSC: a #GP above CPL 0 with CR4.TSD (APM vol. 3, RDTSC). */
function readTimeStamp({ core, index }: Site): Op {
  return () => {
    if (core.cpl !== 0 && has(core.cpu.cr4, CR4.TSD)) protectionFault('RDTSC with CR4.TSD');
    setPair(core, timeStamp(core, index));
  };
}

function identify({ core }: Site): Op {
  const { r, cpu } = core;
  return () => {
    const [leaf, sub] = [(r[2 * RAX] ?? 0) >>> 0, (r[2 * RCX] ?? 0) >>> 0];
    const result = cpu.cpuid(leaf, sub);
    const { identified } = cpu.behind.probes;
    if (identified.active) identified.notify(cpu.id, leaf, sub, result);
    const registers = [
      [RAX, result.eax],
      [RBX, result.ebx],
      [RCX, result.ecx],
      [RDX, result.edx],
    ] as const;
    for (const [register, value] of registers) {
      r[2 * register] = value | 0;
      r[2 * register + 1] = 0;
    }
    // CPUID serializes: bytes that were stored are fetched again (APM vol. 2, 7.6.4).
    core.stop = true;
  };
}

// --- Tables --------------------------------------------------------------------------------------------------------

function memoryAddress(site: Site): () => Va {
  const operand = operandOf(site, 0);
  if (operand.kind !== 'memory') throw new NotModelledSignal('a register operand');
  return linearAddress(site.core, operand, site.next);
}

/** LGDT and LIDT: a limit of 16 bits, then a base of 64 (APM vol. 3, LGDT). */
function loadTable(which: 'lgdt' | 'lidt'): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { memory, cpu } = core;
    const address = memoryAddress(site);
    return () => {
      memory.loadBytes(address(), 10);
      const { view } = memory;
      const base = core.linear(view.getInt32(2, true), view.getInt32(6, true));
      cpu[which](base, view.getUint16(0, true));
    };
  };
}

function storeTable(which: 'gdtr' | 'idtr'): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { memory, cpu } = core;
    const address = memoryAddress(site);
    return () => {
      const at = address();
      const { base, limit } = cpu[which];
      const { view } = memory;
      view.setUint16(0, limit, true);
      view.setBigInt64(2, BigInt(base), true);
      memory.storeBytes(at, 10);
    };
  };
}

function loadSelector(load: (core: Core, selector: number) => void): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const read = reader(site, operandOf(site, 0));
    return () => load(core, read() & 0xffff);
  };
}

function storeSelector(value: (core: Core) => number): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const write = writer(site, operandOf(site, 0));
    return () => write(value(core), 0);
  };
}

// --- Caches and translations ---------------------------------------------------------------------------------------

function invalidatePage(site: Site): Op {
  const { core } = site;
  const address = memoryAddress(site);
  return () => {
    core.cpu.invlpg(address());
    core.translationsChanged();
  };
}

function flushLine(site: Site): Op {
  const { core } = site;
  const address = memoryAddress(site);
  return () => core.check(core.cpu.clflush(address()));
}

function writeBack({ core }: Site): Op {
  return () => core.cpu.wbinvd();
}

// --- Ports, interrupts, halt ---------------------------------------------------------------------------------------

function portNumber(site: Site, index: number): () => number {
  const read = reader(site, operandOf(site, index));
  return () => read() & 0xffff;
}

function input(site: Site): Op {
  const { core, index } = site;
  const to = operandOf(site, 0);
  const write = writer(site, to);
  const port = portNumber(site, 1);
  return () => {
    const number = port();
    checkPort(core, number, to.size);
    write(core.portIn(number, to.size, index), 0);
  };
}

function output(site: Site): Op {
  const { core, index } = site;
  const from = operandOf(site, 1);
  const read = reader(site, from);
  const port = portNumber(site, 0);
  return () => {
    const number = port();
    checkPort(core, number, from.size);
    core.portOut(number, read() >>> 0, from.size, index);
  };
}

function setFlag(flag: number, on: boolean): (site: Site) => Op {
  return ({ core: { flags } }) =>
    () => {
      flags.system = on ? flags.system | flag : flags.system & ~flag;
    };
}

function mayChangeIf(core: Core): void {
  if (!ioAllowed(core)) protectionFault('CLI or STI where CPL is above IOPL');
}

function disableInterrupts({ core }: Site): Op {
  return () => {
    mayChangeIf(core);
    core.flags.system &= ~FLAG.IF;
  };
}

/** STI: if IF was clear, no interrupt is taken before the next instruction has run (APM vol. 3, STI). */
function enableInterrupts({ core }: Site): Op {
  const { flags } = core;
  return () => {
    mayChangeIf(core);
    if (flags.interruptsEnabled) return;
    flags.system |= FLAG.IF;
    core.shadow = true;
    core.checkInterrupts();
  };
}

function halt({ core }: Site): Op {
  return () => {
    core.halted = true;
    core.checkInterrupts();
  };
}

/** WAIT: a #NM while CR0.TS and CR0.MP are set; x87 exceptions are masked (APM vol. 3, FWAIT). */
function wait({ core }: Site): Op {
  const both = CR0.TS | CR0.MP;
  return () => {
    if ((core.cpu.cr0 & both) === both) raise(EXCEPTION.NM, 'WAIT with CR0.TS and CR0.MP');
  };
}

const carry = (change: (cf: number) => number): ((site: Site) => Op) => {
  return ({ core: { flags } }) =>
    () =>
      flags.set(FLAG.CF, change(flags.cf()));
};

const nopNames = [
  ...['nop', 'lfence', 'mfence', 'sfence', 'endbr64', 'endbr32'],
  ...[
    'prefetch',
    'prefetchw',
    'prefetchwt1',
    'prefetchnta',
    'prefetcht0',
    'prefetcht1',
    'prefetcht2',
  ],
];

export const SYSTEM: Readonly<Record<string, (site: Site) => Op>> = {
  ...Object.fromEntries(nopNames.map((name) => [name, nothing])),
  wait,
  pause:
    ({ core }) =>
    () =>
      core.pause(),
  rdmsr: privileged(readMsr),
  wrmsr: privileged(writeMsr),
  rdtsc: readTimeStamp,
  cpuid: identify,
  lgdt: privileged(loadTable('lgdt')),
  lidt: privileged(loadTable('lidt')),
  sgdt: storeTable('gdtr'),
  sidt: storeTable('idtr'),
  ltr: privileged(loadSelector(loadTaskRegister)),
  lldt: privileged(loadSelector(loadLdt)),
  str: storeSelector((core) => core.cpu.tr.selector),
  sldt: storeSelector((core) => core.ldtr),
  // APM vol. 3, SMSW: a register of 32 or 64 bits gets all of CR0.
  smsw: storeSelector((core) => core.cpu.cr0),
  clts: privileged(
    ({ core }) =>
      () =>
        core.check(core.cpu.writeCr0((core.cpu.cr0 & ~8) >>> 0)),
  ),
  invlpg: privileged(invalidatePage),
  clflush: flushLine,
  wbinvd: privileged(writeBack),
  invd: privileged(() => {
    throw new NotModelledSignal('INVD: caches are dropped without a write-back');
  }),
  in: input,
  out: output,
  cli: disableInterrupts,
  sti: enableInterrupts,
  cld: setFlag(FLAG.DF, false),
  std: setFlag(FLAG.DF, true),
  clc: carry(() => 0),
  stc: carry(() => 1),
  cmc: carry((cf) => cf ^ 1),
  hlt: privileged(halt),
  swapgs: privileged(
    ({ core }) =>
      () =>
        swapGs(core),
  ),
  rdpmc: () => () => raise(EXCEPTION.GP, 'RDPMC of a counter that is not there'),
};

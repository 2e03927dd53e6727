/**
 * String instructions and their REP forms (APM vol. 3, MOVS, STOS, LODS, SCAS, CMPS). REP MOVS and STOS go through the
 * machine's copies and fills; a fault leaves rCX, rSI and rDI at the element that faulted, so that they continue there.
 */
import { RAX, RCX, RDI, RSI, type Core } from './core.js';
import { FaultSignal, NotModelledSignal } from './faults.js';
import {
  linearAddress,
  loader,
  narrowMask,
  narrowShift,
  operandOf,
  storer,
  type Op,
  type Site,
} from './operands.js';
import { checkPort } from './privilege.js';
import { PAGE_SIZE, type Va } from '../machine/address.js';

const REPNE = 0xf2;
/** The largest number of bytes of one bulk operation: further ones follow. */
const MOST = 2 ** 32;

/** Adds to rSI, rDI or rCX. */
type Advance = (core: Core, register: number, bytes: number) => void;

const advance: Advance = ({ r }, register, bytes) => {
  const sum = ((r[2 * register] ?? 0) >>> 0) + bytes;
  r[2 * register] = sum | 0;
  r[2 * register + 1] = ((r[2 * register + 1] ?? 0) + Math.floor(sum / 2 ** 32)) | 0;
};
/** ESI, EDI or ECX: a 32-bit result is zero-extended (APM vol. 1, 3.1.2.3). */
const advance32: Advance = ({ r }, register, bytes) => {
  r[2 * register] = ((r[2 * register] ?? 0) + bytes) | 0;
  r[2 * register + 1] = 0;
};
const advance16: Advance = ({ words }, register, bytes) => {
  words[4 * register] = (words[4 * register] ?? 0) + bytes;
};

/** The address size says which part of rSI, rDI and rCX is used (APM vol. 3, 1.2.6, and the instructions). */
const advanceOf = ({ instruction: { addressSize } }: Site): Advance =>
  addressSize === 8 ? advance : addressSize === 4 ? advance32 : advance16;
/** Whether elements may be copied or filled in bulk: outside 64-bit addresses pointers wrap and segments have limits. */
const inBulk = ({ core, instruction }: Site): boolean =>
  core.width === 64 && instruction.addressSize === 8;

function pointer(site: Site, index: number): () => Va {
  const operand = operandOf(site, index);
  if (operand.kind !== 'memory') throw new NotModelledSignal('a register operand');
  return linearAddress(site.core, operand, site.next);
}

const stepOf = (core: Core, size: number): number => (core.flags.down ? -size : size);
const remaining = (core: Core): boolean =>
  ((core.r[2 * RCX] ?? 0) | (core.r[2 * RCX + 1] ?? 0)) !== 0;

function remainingOf({ core, instruction: { addressSize } }: Site): () => boolean {
  if (addressSize === 8) return () => remaining(core);
  const { r, words } = core;
  return addressSize === 4 ? () => r[2 * RCX] !== 0 : () => words[4 * RCX] !== 0;
}

/** Repeats an element; where it faults, the registers say how far it came. @param goes whether to go on after it. */
function repeated(site: Site, element: () => void, goes: () => boolean): Op {
  const { core } = site;
  const left = remainingOf(site);
  const add = advanceOf(site);
  return () => {
    while (left()) {
      element();
      add(core, RCX, -1);
      if (!goes()) return;
    }
  };
}
const always = (): boolean => true;

/** The number of elements left, cut so that their bytes are at most MOST. */
const countLeft = (core: Core, size: number): number => Math.min(core.unsigned(RCX), MOST / size);

const inPage = (at: Va): number => PAGE_SIZE - (((at % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE);

/** Bytes of whole elements up to the page's end, since one that crosses it is stored whole or not at all; Infinity: none does. */
function wholeInPage(at: Va, size: number): number {
  if (at % size === 0) return Infinity;
  const left = inPage(at);
  return left - (left % size);
}

function moves(size: number): (site: Site) => Op {
  return (site) => {
    const { core, instruction } = site;
    const { cpu, memory } = core;
    const to = pointer(site, 0);
    const from = pointer(site, 1);
    const load = loader(core, size);
    const store = storer(core, size);
    const add = advanceOf(site);
    const element = (): void => {
      const low = load(from());
      const { high } = core;
      store(to(), low, high);
      const step = stepOf(core, size);
      add(core, RSI, step);
      add(core, RDI, step);
    };
    if (instruction.repeat === 0) return element;
    const slow = repeated(site, element, always);
    if (!inBulk(site)) return slow;
    return () => {
      while (remaining(core)) {
        const source = from();
        const target = to();
        const distance = target - source;
        // Upwards, elements overlap only where the target follows the source: runs of that distance then.
        if (core.flags.down || (distance > 0 && distance < size)) {
          slow();
          return;
        }
        const total = countLeft(core, size) * size;
        const overlaps = distance > 0 && distance < Math.min(total, PAGE_SIZE);
        const length = overlaps ? distance - (distance % size) : total;
        const whole = Math.min(wholeInPage(source, size), wholeInPage(target, size));
        if (whole === 0) {
          element();
          advance(core, RCX, -1);
          continue;
        }
        const fault = cpu.copy(target, source, Math.min(length, total, whole));
        const elements = Math.floor(cpu.progress / size);
        memory.wroteRange(target, cpu.progress);
        advance(core, RSI, elements * size);
        advance(core, RDI, elements * size);
        advance(core, RCX, -elements);
        if (fault !== null) throw new FaultSignal(fault);
      }
    };
  };
}

/** A page of a value's bytes, for fills whose bytes differ. */
function pattern(size: number, low: number, high: number): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  for (let at = 0; at < PAGE_SIZE; at += size) {
    if (size === 8) {
      view.setInt32(at, low, true);
      view.setInt32(at + 4, high, true);
    } else if (size === 4) view.setInt32(at, low, true);
    else view.setInt16(at, low, true);
  }
  return page;
}

function stores(size: number): (site: Site) => Op {
  return (site) => {
    const { core, instruction } = site;
    const { cpu, memory, r } = core;
    const to = pointer(site, 0);
    const store = storer(core, size);
    const add = advanceOf(site);
    const element = (): void => {
      store(to(), r[0] ?? 0, r[1] ?? 0);
      add(core, RDI, stepOf(core, size));
    };
    if (instruction.repeat === 0) return element;
    const slow = repeated(site, element, always);
    if (!inBulk(site)) return slow;
    return () => {
      while (remaining(core)) {
        if (core.flags.down) {
          slow();
          return;
        }
        const low = r[0] ?? 0;
        const high = r[1] ?? 0;
        const byte = low & 0xff;
        const same = Math.imul(byte, 0x0101_0101) | 0;
        const mask = narrowMask(size);
        const uniform = ((low ^ same) & mask) === 0 && (size < 8 || high === same);
        const target = to();
        const total = countLeft(core, size) * size;
        const whole = wholeInPage(target, size);
        if (whole === 0) {
          element();
          advance(core, RCX, -1);
          continue;
        }
        const length = Math.min(total, whole);
        const fault = uniform
          ? cpu.fill(target, byte, length)
          : cpu.write(target, pattern(size, low, high), 0, Math.min(length, inPage(target)));
        const elements = Math.floor(cpu.progress / size);
        memory.wroteRange(target, cpu.progress);
        advance(core, RDI, elements * size);
        advance(core, RCX, -elements);
        if (fault !== null) throw new FaultSignal(fault);
      }
    };
  };
}

function loads(size: number): (site: Site) => Op {
  return (site) => {
    const { core, instruction } = site;
    const { r, words, bytes } = core;
    const from = pointer(site, 1);
    const load = loader(core, size);
    const add = advanceOf(site);
    const element = (): void => {
      const low = load(from());
      if (size === 8) {
        r[0] = low;
        r[1] = core.high;
      } else if (size === 4) {
        r[0] = low;
        r[1] = 0;
      } else if (size === 2) words[0] = low;
      else bytes[0] = low;
      add(core, RSI, stepOf(core, size));
    };
    return instruction.repeat === 0 ? element : repeated(site, element, always);
  };
}

/** Flags of a − b as CMP sets them. */
function comparison(
  core: Core,
  size: number,
): (a: number, aHigh: number, b: number, bHigh: number) => void {
  const shift = narrowShift(size);
  const mask = narrowMask(size);
  const { flags } = core;
  if (size < 8) return (a, _aHigh, b) => flags.subtract(a, b, (a - b) & mask, shift);
  return (a, aHigh, b, bHigh) => {
    const low = ((a >>> 0) - (b >>> 0)) | 0;
    const high = (aHigh - bHigh - (a >>> 0 < b >>> 0 ? 1 : 0)) | 0;
    flags.subtract64(a, aHigh, b, bHigh, low, high);
  };
}

/** REPE goes on while ZF is 1, REPNE while it is 0 (APM vol. 3, 1.2.6). */
const whileEqual = ({ core, instruction }: Site): (() => boolean) =>
  instruction.repeat === REPNE ? () => !core.flags.zf() : () => core.flags.zf();

function scans(size: number): (site: Site) => Op {
  return (site) => {
    const { core, instruction } = site;
    const { r } = core;
    const to = pointer(site, 1);
    const load = loader(core, size);
    const compare = comparison(core, size);
    const mask = narrowMask(size);
    const add = advanceOf(site);
    const element = (): void => {
      const b = load(to());
      const bHigh = core.high;
      compare((r[2 * RAX] ?? 0) & mask, r[1] ?? 0, b, bHigh);
      add(core, RDI, stepOf(core, size));
    };
    return instruction.repeat === 0 ? element : repeated(site, element, whileEqual(site));
  };
}

function compares(size: number): (site: Site) => Op {
  return (site) => {
    const { core, instruction } = site;
    const from = pointer(site, 0);
    const to = pointer(site, 1);
    const load = loader(core, size);
    const compare = comparison(core, size);
    const add = advanceOf(site);
    const element = (): void => {
      const a = load(from());
      const aHigh = core.high;
      const b = load(to());
      compare(a, aHigh, b, core.high);
      const step = stepOf(core, size);
      add(core, RSI, step);
      add(core, RDI, step);
    };
    return instruction.repeat === 0 ? element : repeated(site, element, whileEqual(site));
  };
}

/** INS and OUTS: ports and memory, element by element (APM vol. 3). */
function ports(size: number, input: boolean): (site: Site) => Op {
  return (site) => {
    const { core, instruction, index } = site;
    const memory = pointer(site, input ? 0 : 1);
    const load = loader(core, size);
    const store = storer(core, size);
    const add = advanceOf(site);
    const element = (): void => {
      const port = core.words[4 * 2] ?? 0;
      checkPort(core, port, size);
      const at = memory();
      if (input) store(at, core.portIn(port, size, index), 0);
      else core.portOut(port, load(at) >>> 0, size, index);
      add(core, input ? RDI : RSI, stepOf(core, size));
    };
    return instruction.repeat === 0 ? element : repeated(site, element, always);
  };
}

const SIZES = { b: 1, w: 2, d: 4, q: 8 } as const;
const each = (
  name: string,
  make: (size: number) => (site: Site) => Op,
): [string, (site: Site) => Op][] =>
  Object.entries(SIZES).map(([suffix, size]) => [`${name}${suffix}`, make(size)]);

export const STRINGS: Readonly<Record<string, (site: Site) => Op>> = Object.fromEntries([
  ...each('movs', moves),
  ...each('stos', stores),
  ...each('lods', loads),
  ...each('scas', scans),
  ...each('cmps', compares),
  ...each('ins', (size) => ports(size, true)),
  ...each('outs', (size) => ports(size, false)),
]);

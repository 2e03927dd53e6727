/** Interrupt gates of long mode, delivery of faults, and faults during delivery (APM 4.8.4, 8.2.9, 8.9). */
import { va, vaAdd, vaOfU64, type Va } from '../address.js';
import { isFault } from './fault.js';
import { RFLAGS } from './registers.js';
import { UnmodelledError } from '../unmodelled.js';
import { VECTOR, type Fault } from '../types.js';

/** A gate descriptor of 16 bytes (APM 4.8.4): bits of its first quadword. */
export const GATE = {
  SIZE: 16,
  OFFSET_LOW: { shift: 0n, mask: 0xffffn },
  SELECTOR: { shift: 16n, mask: 0xffffn },
  IST: { shift: 32n, mask: 0x7n },
  TYPE: { shift: 40n, mask: 0xfn },
  DPL: { shift: 45n, mask: 0x3n },
  P: { shift: 47n, mask: 0x1n },
  OFFSET_MIDDLE: { shift: 48n, mask: 0xffffn },
} as const;
/** Gate types in long mode (APM table 4-6). */
export const GATE_TYPE = { INTERRUPT: 0xen, TRAP: 0xfn } as const;
/** Bit of a selector error code: the selector indexes the IDT (APM 8.4.1). */
const ERROR_IDT = 2;
/** EXT: the event came from outside the processor. */
const ERROR_EXT = 1;
const ERROR_INDEX_SHIFT = 3;
const NP = 11;
const STACK_ALIGN = 16;
const LINEAR_BITS = 48;
const SLOT = 8;

type GateField = Exclude<keyof typeof GATE, 'SIZE'>;

const OFFSET_MIDDLE_FROM = 16n;
const OFFSET_HIGH_FROM = 32n;

/** Makes the two quadwords of a present gate. */
export function makeGate(
  handler: Va,
  selector: number,
  type: bigint = GATE_TYPE.INTERRUPT,
  dpl = 0n,
): [bigint, bigint] {
  const offset = BigInt.asUintN(64, BigInt(handler));
  const put = (field: GateField, value: bigint): bigint =>
    (value & GATE[field].mask) << GATE[field].shift;
  const low =
    put('OFFSET_LOW', offset) |
    put('SELECTOR', BigInt(selector)) |
    put('TYPE', type) |
    put('DPL', dpl) |
    put('P', 1n) |
    put('OFFSET_MIDDLE', offset >> OFFSET_MIDDLE_FROM);
  return [low, offset >> OFFSET_HIGH_FROM];
}

/** The part of a CPU that delivery uses. */
export interface InterruptTarget {
  rip: Va;
  rsp: Va;
  rflags: number;
  cs: number;
  ss: number;
  cr2: bigint;
  cpl: number;
  readonly longMode: boolean;
  readonly idtr: { readonly base: Va; readonly limit: number };
  /** The TSS that LTR has loaded; limit 0: none. */
  readonly tr: { readonly base: Va; readonly limit: number };
  /** RSP0 where no TSS was loaded: the CPL 0 stack that an interrupt at CPL 3 switches to (APM 8.9.3). */
  readonly rsp0: Va;
  loadU64(address: Va): bigint | Fault;
  storeU64(address: Va, value: bigint): Fault | null;
}

/** The outcome of a delivery: a handler, or a shutdown. */
export type Delivery =
  | { readonly handler: Va; readonly fault: Fault }
  | { readonly tripleFault: true; readonly first: Fault; readonly second?: Fault };

/** Vectors that push an error code (APM table 8-1). */
const WITH_ERROR_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
/** Vectors of faults; the others are traps, aborts, or for both (APM table 8-1). */
const FAULTS: ReadonlySet<number> = new Set([0, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 19, 21]);
/** Whether the frame of an event has an error code. */
export const hasErrorCode = ({ vector, source }: Fault): boolean =>
  source === undefined && WITH_ERROR_CODE.has(vector);
/** A frame: its most bytes, and the place of RSP in one without an error code, which is below the rest (APM 8.9.3). */
export const FRAME = { BYTES: 48, RSP: 24, ERROR_CODE: 8 } as const;
/** Contributory exceptions (APM table 8-5): #DE, #TS, #NP, #SS, #GP. */
const CONTRIBUTORY: ReadonlySet<number> = new Set([0, 10, 11, 12, 13]);

/** Whether a second fault while delivering the first makes a #DF (APM 8.2.9, table 8-5). */
export function makesDoubleFault(first: number, second: number): boolean {
  if (CONTRIBUTORY.has(first)) return CONTRIBUTORY.has(second);
  return first === VECTOR.PF && (second === VECTOR.PF || CONTRIBUTORY.has(second));
}

/** The largest number of serial faults: each is caused by another access of the delivery, which makes few. */
const MAX_SERIAL = 16;

/**
 * Delivers a fault: reads the gate, switches the stack if CPL changes, pushes the frame, enters the handler. Faults
 * during delivery are delivered instead, become a #DF, or shut the CPU down (APM 8.2.9).
 */
export function deliver(cpu: InterruptTarget, fault: Fault): Delivery {
  let current = fault;
  for (let serial = 0; serial < MAX_SERIAL; serial++) {
    const result = attempt(cpu, current);
    if (!isFault(result)) return { handler: result, fault: current };
    const exception = current.source === undefined;
    if (exception && current.vector === VECTOR.DF) {
      return { tripleFault: true, first: fault, second: result };
    }
    // APM 8.2.15: a #PF during a delivery sets CR2, also where it makes a #DF.
    if (result.vector === VECTOR.PF) setCr2(cpu, result);
    // Interrupts are benign (APM table 8-5), whatever their vector.
    current =
      exception && makesDoubleFault(current.vector, result.vector)
        ? { vector: VECTOR.DF, error: 0, why: `${current.why}, then ${result.why}` }
        : result;
  }
  return { tripleFault: true, first: fault, second: current };
}

function gateError({ vector, source }: Fault, why: string, by: number = VECTOR.GP): Fault {
  // APM 8.4.1: the selector error code names the gate; EXT is set where the event came from outside.
  const external = source === 'external' ? ERROR_EXT : 0;
  return { vector: by, error: vector * 2 ** ERROR_INDEX_SHIFT + ERROR_IDT + external, why };
}

/** Enters the handler of one fault, or returns the fault that prevented it; then only memory and CR2 have changed. */
function attempt(cpu: InterruptTarget, fault: Fault): Va | Fault {
  // APM 8.2.15: CR2 holds the address of a #PF; it is set before the gate is read.
  if (fault.vector === VECTOR.PF && fault.source === undefined) setCr2(cpu, fault);
  const offset = fault.vector * GATE.SIZE;
  const { base, limit } = cpu.idtr;
  // APM 8.9.1: a gate beyond the limit is a #GP. Gates are shorter outside long mode; none fits within a limit of 0.
  if (offset + GATE.SIZE - 1 > limit) return gateError(fault, 'beyond the IDT');
  if (!cpu.longMode) throw new UnmodelledError('an interrupt through a gate outside long mode');
  const gate = gateAt(cpu, vaAdd(base, offset), fault);
  return isFault(gate) ? gate : enter(cpu, gate, fault);
}

function setCr2(cpu: InterruptTarget, { address = 0 }: Fault): void {
  cpu.cr2 = BigInt.asUintN(64, BigInt(address));
}

interface Gate {
  readonly handler: Va;
  /** The stack of the interrupt-stack table, 1 to 7; 0: none. */
  readonly ist: number;
  readonly selector: number;
  readonly trap: boolean;
}

function gateAt(cpu: InterruptTarget, at: Va, fault: Fault): Gate | Fault {
  // Reads of system structures are supervisor accesses at any CPL (APM 5.6.1).
  const low = supervisor(cpu, () => cpu.loadU64(at));
  if (isFault(low)) return low;
  const high = supervisor(cpu, () => cpu.loadU64(vaAdd(at, SLOT)));
  if (isFault(high)) return high;
  const field = (name: GateField): bigint => (low >> GATE[name].shift) & GATE[name].mask;
  const type = field('TYPE');
  if (type !== GATE_TYPE.INTERRUPT && type !== GATE_TYPE.TRAP) return gateError(fault, 'no gate');
  // APM vol. 3, INT: a gate that is more privileged than the instruction is a #GP.
  if (fault.source === 'software' && field('DPL') < BigInt(cpu.cpl)) {
    return gateError(fault, 'gate of another privilege level');
  }
  if (field('P') === 0n) return gateError(fault, 'gate not present', NP);
  const offset =
    field('OFFSET_LOW') |
    (field('OFFSET_MIDDLE') << OFFSET_MIDDLE_FROM) |
    ((high & OFFSET_HIGH_MASK) << OFFSET_HIGH_FROM);
  const handler = vaOfU64(offset);
  // APM 8.9.1: a non-canonical target is a #GP(0).
  if (handler === undefined) return { vector: VECTOR.GP, error: 0, why: 'handler not canonical' };
  return {
    handler,
    ist: Number(field('IST')),
    selector: Number(field('SELECTOR')),
    trap: type === GATE_TYPE.TRAP,
  };
}

const OFFSET_HIGH_MASK = 0xffff_ffffn;
const RPL = 3;

/** An access to a system structure, which is the supervisor's at any CPL (APM 5.6.1). */
export function supervisor<T>(cpu: { cpl: number }, access: () => T): T {
  const { cpl } = cpu;
  cpu.cpl = 0;
  const result = access();
  cpu.cpl = cpl;
  return result;
}

/** Offsets in a TSS of 64-bit mode (APM 12.2.5): RSP0, and the entry before the first of the interrupt-stack table. */
const TSS = { RSP0: 0x4, IST: 0x1c } as const;
const TS = 10;
const SS = 12;

/** The top of a handler's stack: of the interrupt-stack table, else RSP0 if CPL changes, else RSP (APM 8.9.3, 8.9.4). */
function stackOf(cpu: InterruptTarget, ist: number, fromUser: boolean): Va | Fault {
  if (ist === 0 && !fromUser) return cpu.rsp;
  const { base, limit } = cpu.tr;
  if (limit === 0) {
    if (ist !== 0) throw new UnmodelledError('the interrupt-stack table of a gate');
    return cpu.rsp0;
  }
  const offset = ist === 0 ? TSS.RSP0 : TSS.IST + ist * SLOT;
  // APM 8.2.11: a stack pointer beyond the TSS's limit is a #TS.
  if (offset + SLOT - 1 > limit) return { vector: TS, error: 0, why: 'beyond the TSS' };
  const value = supervisor(cpu, () => cpu.loadU64(vaAdd(base, offset)));
  if (isFault(value)) return value;
  return vaOfU64(value) ?? { vector: SS, error: 0, why: 'stack not canonical' };
}

/** Pushes SS, RSP, RFLAGS, CS, RIP and the error code on an aligned stack (APM 8.9.3), then enters the handler. */
function enter(cpu: InterruptTarget, gate: Gate, fault: Fault): Va | Fault {
  const fromUser = cpu.cpl !== 0;
  const top = stackOf(cpu, gate.ist, fromUser);
  if (isFault(top)) return top;
  let rsp = Math.floor(top / STACK_ALIGN) * STACK_ALIGN;
  // APM 3.1.6: the image of a fault has RF set, so that the instruction runs again in spite of an instruction breakpoint.
  const resumes = fault.source === undefined && FAULTS.has(fault.vector);
  const frame = [
    BigInt(cpu.ss),
    BigInt.asUintN(64, BigInt(cpu.rsp)),
    BigInt((cpu.rflags | (resumes ? RFLAGS.RF : 0)) >>> 0),
    BigInt(cpu.cs),
    BigInt.asUintN(64, BigInt(fault.returnTo ?? cpu.rip)),
  ];
  if (hasErrorCode(fault)) frame.push(BigInt(fault.error));
  for (const value of frame) {
    rsp -= SLOT;
    const refused = supervisor(cpu, () => cpu.storeU64(va(rsp), value));
    if (refused !== null) return refused;
  }
  cpu.rsp = va(rsp);
  // Our choice: the selector is loaded without reading its descriptor; segments are flat in long mode.
  cpu.cs = gate.selector - (gate.selector & RPL);
  if (fromUser) cpu.ss = 0;
  cpu.cpl = 0;
  cpu.rip = gate.handler;
  // APM 8.9.5: an interrupt gate clears IF, both kinds clear TF, NT, RF and VM.
  const cleared = RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM | (gate.trap ? 0 : RFLAGS.IF);
  cpu.rflags = (cpu.rflags & ~cleared) >>> 0;
  return gate.handler;
}

/**
 * IRETQ: pops RIP, CS, RFLAGS, RSP and SS; on a fault nothing has changed (APM 8.9.6; vol. 3, IRET: RIP has to be canonical,
 * RSP not). Of a RSP that is not, the CPU here has the low 48 bits.
 */
export function iret(cpu: InterruptTarget): Fault | null {
  const frame: bigint[] = [];
  for (let i = 0; i < 5; i++) {
    const value = cpu.loadU64(vaAdd(cpu.rsp, i * SLOT));
    if (isFault(value)) return value;
    frame.push(value);
  }
  const [rip = 0n, cs = 0n, rflags = 0n, rsp = 0n, ss = 0n] = frame;
  const to = vaOfU64(rip);
  if (to === undefined) {
    return { vector: VECTOR.GP, error: 0, address: rip, why: 'return not canonical' };
  }
  cpu.rip = to;
  cpu.cs = Number(cs & GATE.SELECTOR.mask);
  cpu.rflags = Number(rflags & OFFSET_HIGH_MASK);
  cpu.rsp = vaOfU64(rsp) ?? va(Number(BigInt.asUintN(LINEAR_BITS, rsp)));
  cpu.ss = Number(ss & GATE.SELECTOR.mask);
  cpu.cpl = cpu.cs & RPL;
  return null;
}

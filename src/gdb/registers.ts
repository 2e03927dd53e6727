/**
 * The registers that gdb sees, in the order of its numbers: those of its standard features for x86-64 (Debugging with GDB,
 * G.5.7), then a feature of our own with the system registers.
 */
import { vaOfU64, u64 } from '../machine/address.js';
import { GENERAL_REGISTERS, type GeneralRegister } from '../machine/cpu/registers.js';
import type { MsrName } from '../machine/cpu/msr.js';
import type { Core } from '../x86/core.js';
import { SEGMENT } from '../x86/decode/instruction.js';
import { FLAG } from '../x86/flags.js';
import { physical } from '../x86/x87.js';

/** A register as gdb knows it. */
export interface GdbRegister {
  readonly name: string;
  readonly bits: number;
  /** A type of gdb's, or one that the feature defines. */
  readonly type: string;
  /** Its value; null: not modelled. */
  readonly read: (core: Core) => bigint | null;
  /** Sets it; false: refused. Absent: read-only. */
  readonly write?: (core: Core, value: bigint) => boolean;
}

export interface Feature {
  readonly name: string;
  readonly registers: readonly GdbRegister[];
}

const HALF_BITS = 32n;

function general(name: GeneralRegister): GdbRegister {
  const number = GENERAL_REGISTERS.indexOf(name);
  return {
    name,
    bits: 64,
    type: name === 'rsp' || name === 'rbp' ? 'data_ptr' : 'int64',
    read: (core) => core.get64(number),
    write: (core, value) => {
      core.set64(number, value);
      return true;
    },
  };
}

const rip: GdbRegister = {
  name: 'rip',
  bits: 64,
  type: 'code_ptr',
  read: (core) => u64(core.rip),
  write: (core, value) => {
    const at = vaOfU64(value);
    if (at === undefined) return false;
    core.rip = at;
    return true;
  },
};

/** Flags that may be set. TF, VM, VIF and VIP have an effect that is not modelled. */
const WRITABLE_FLAGS =
  FLAG.CF |
  FLAG.ONE |
  FLAG.PF |
  FLAG.AF |
  FLAG.ZF |
  FLAG.SF |
  FLAG.IF |
  FLAG.DF |
  FLAG.OF |
  FLAG.IOPL |
  FLAG.NT |
  FLAG.RF |
  FLAG.AC |
  FLAG.ID;

const eflags: GdbRegister = {
  name: 'eflags',
  bits: 32,
  type: 'i386_eflags',
  read: (core) => BigInt(core.flags.value >>> 0),
  write: (core, value) => {
    if ((Number(value) & ~WRITABLE_FLAGS) !== 0) return false;
    core.flags.value = Number(value) | FLAG.ONE;
    return true;
  },
};

const readOnly = (
  name: string,
  bits: number,
  type: string,
  read: (core: Core) => bigint | null,
): GdbRegister => ({ name, bits, type, read });

const selector = (name: string, read: (core: Core) => number): GdbRegister =>
  readOnly(name, 32, 'int32', (core) => BigInt(read(core)));

const unmodelled = (name: string, bits: number, type: string): GdbRegister =>
  readOnly(name, bits, type, () => null);

/** Words of 32 bits, the lowest first, as a number. */
function wordsOf(array: Int32Array, first: number, count: number): bigint {
  let value = 0n;
  for (let word = count - 1; word >= 0; word--) {
    value = (value << HALF_BITS) | BigInt((array[first + word] ?? 0) >>> 0);
  }
  return value;
}

const X87_BITS = 80;
/** The integer bit of an 80-bit value (APM vol. 1, 6.3.2), and its exponent without the sign. */
const INTEGER_BIT = 1n << 63n;
const EXPONENT = { shift: 64n, mask: 0x7fffn } as const;
/** Tags of the x87 tag word (APM vol. 1, 6.2.4). */
const TAG = { VALID: 0, ZERO: 1, SPECIAL: 2, EMPTY: 3 } as const;

const x87Value = (core: Core, register: number): bigint =>
  BigInt.asUintN(X87_BITS, wordsOf(core.x87, 4 * register, 4));

function tagOf(core: Core, register: number): number {
  if (((core.x87InUse >> register) & 1) === 0) return TAG.EMPTY;
  const value = x87Value(core, register);
  const exponent = (value >> EXPONENT.shift) & EXPONENT.mask;
  if (exponent === 0n && BigInt.asUintN(64, value) === 0n) return TAG.ZERO;
  return exponent === EXPONENT.mask || (value & INTEGER_BIT) === 0n ? TAG.SPECIAL : TAG.VALID;
}

/** The x87 state. Addresses and opcode of the last instruction are not modelled. */
const X87: readonly GdbRegister[] = [
  ...Array.from({ length: 8 }, (_, i) =>
    readOnly(`st${String(i)}`, X87_BITS, 'i387_ext', (core) => x87Value(core, physical(core, i))),
  ),
  readOnly('fctrl', 32, 'int', (core) => BigInt(core.fcw & 0xffff)),
  readOnly('fstat', 32, 'int', (core) => BigInt(core.fsw & 0xffff)),
  readOnly('ftag', 32, 'int', (core) => {
    let tags = 0;
    for (let register = 0; register < 8; register++)
      tags |= tagOf(core, register) << (2 * register);
    return BigInt(tags);
  }),
  ...['fiseg', 'fioff', 'foseg', 'fooff', 'fop'].map((name) => unmodelled(name, 32, 'int')),
];

function xmm(index: number): GdbRegister {
  const first = 4 * index;
  return {
    name: `xmm${String(index)}`,
    bits: 128,
    type: 'vec128',
    read: (core) => wordsOf(core.xmm, first, 4),
    write: (core, value) => {
      for (let word = 0; word < 4; word++) {
        core.xmm[first + word] = Number(BigInt.asIntN(32, value >> (BigInt(word) * HALF_BITS)));
      }
      return true;
    },
  };
}

const MXCSR_MASK = 0xffff;
const mxcsr: GdbRegister = {
  name: 'mxcsr',
  bits: 32,
  type: 'int',
  read: (core) => BigInt(core.mxcsr >>> 0),
  write: (core, value) => {
    // APM vol. 4, LDMXCSR: the upper bits are reserved.
    if (value > BigInt(MXCSR_MASK)) return false;
    core.mxcsr = Number(value);
    return true;
  },
};

/** A segment base, which is in an MSR; the CPU's own copy of FS and GS follows it. */
function base(name: string, msr: MsrName): GdbRegister {
  return {
    name,
    bits: 64,
    type: 'int64',
    read: (core) => core.cpu.msrs.get(msr),
    write: (core, value) => {
      // APM vol. 2, 4.5.3: the base is canonical.
      if (vaOfU64(value) === undefined) return false;
      core.cpu.msrs.set(msr, value);
      core.reloadBases();
      return true;
    },
  };
}

const control = (name: string, read: (core: Core) => bigint): GdbRegister =>
  readOnly(name, 64, 'uint64', read);

const GDB_ORDER: readonly GeneralRegister[] = [
  ...(['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp'] as const),
  ...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const),
];

export const FEATURES: readonly Feature[] = [
  {
    name: 'org.gnu.gdb.i386.core',
    registers: [
      ...GDB_ORDER.map(general),
      rip,
      eflags,
      selector('cs', (core) => core.cpu.cs),
      selector('ss', (core) => core.cpu.ss),
      selector('ds', (core) => core.selectors[SEGMENT.ds] ?? 0),
      selector('es', (core) => core.selectors[SEGMENT.es] ?? 0),
      selector('fs', (core) => core.selectors[SEGMENT.fs] ?? 0),
      selector('gs', (core) => core.selectors[SEGMENT.gs] ?? 0),
      ...X87,
    ],
  },
  {
    name: 'org.gnu.gdb.i386.sse',
    registers: [...Array.from({ length: 16 }, (_, i) => xmm(i)), mxcsr],
  },
  {
    name: 'org.gnu.gdb.i386.segments',
    registers: [base('fs_base', 'FS_BASE'), base('gs_base', 'GS_BASE')],
  },
  {
    name: 'org.sme-boot.system',
    registers: [
      base('k_gs_base', 'KERNEL_GS_BASE'),
      control('cr0', ({ cpu }) => BigInt(cpu.cr0)),
      control('cr2', ({ cpu }) => cpu.cr2),
      control('cr3', ({ cpu }) => cpu.cr3),
      control('cr4', ({ cpu }) => BigInt(cpu.cr4)),
      control('cr8', (core) => BigInt(core.taskPriority)),
      control('efer', ({ cpu }) => cpu.msrs.get('EFER')),
      control('pat', ({ cpu }) => cpu.msrs.get('PAT')),
      control('syscfg', ({ cpu }) => cpu.msrs.get('SYSCFG')),
    ],
  },
];

/** All registers by gdb's number. */
export const REGISTERS: readonly GdbRegister[] = FEATURES.flatMap(({ registers }) => registers);

/** A register in the target's byte order: pairs of digits, or `x` where it has no value (E.2, `g`). */
export function registerHex(core: Core, register: GdbRegister): string {
  const digits = register.bits / 4;
  const value = register.read(core);
  if (value === null) return 'x'.repeat(digits);
  const text = BigInt.asUintN(register.bits, value).toString(16).padStart(digits, '0');
  return (text.match(/../g) ?? []).reverse().join('');
}

/**
 * Sets a register from the form of {@link registerHex}. Returns false if the text is malformed or the register refuses
 * the value; a read-only one takes the value that it has.
 */
export function setRegister(core: Core, register: GdbRegister, text: string): boolean {
  if (text === registerHex(core, register)) return true;
  if (text.length !== register.bits / 4 || !/^[0-9a-f]+$/i.test(text)) return false;
  const digits = (text.match(/../g) ?? []).reverse().join('');
  return register.write?.(core, BigInt(`0x${digits}`)) ?? false;
}

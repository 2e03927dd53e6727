/** A machine with 16 MiB and a small program of bytes, for tests of instructions. */
import { pa, va } from '../../src/machine/address.js';
import { ZEN1 } from '../../src/machine/cpu/cpu-models.js';
import { Machine } from '../../src/machine/machine.js';
import { GENERAL_REGISTERS, type GeneralRegister } from '../../src/machine/cpu/registers.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { Executor, type ExecutorOptions } from '../../src/x86/executor.js';
import { makeGate } from '../../src/machine/cpu/idt.js';

const MIB = 2 ** 20;
const PGD = 0x1_0000;
const TABLE = 0x63n;
const LARGE = 0xe3n;
const SMALL = 0x63n;

/** Where a program begins, its stack ends, and its data are. */
export const CODE = 0x10_0000;
export const STACK = 0x18_0000;
export const DATA = 0x20_0000;
/** The pages at 4 MiB: the first is present, the second is not, the third is read-only. */
export const PAGES = 0x40_0000;
/** Handlers of the exceptions: vector v at HANDLERS + 16 v, each a HLT. */
export const HANDLERS = 0x11_0000;
const IDT = 0x12_0000;
const HLT = 0xf4;
/** The bits of CF, PF, AF, ZF, SF and OF. */
const BITS = [0, 2, 4, 6, 7, 11];

export type Registers = Partial<Record<GeneralRegister, bigint>>;

/** The machine: linear addresses 0 to 4 MiB are the same physical ones, then three pages; every exception ends in a HLT. */
export function machine(): Machine {
  const m = new Machine({
    model: ZEN1,
    cpus: 1,
    ram: [{ base: 0, size: 16 * MIB }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 32 * 1024, ways: 8 },
    engine: { mode: 'XEX', seed: 'x86', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
  const words = new BigUint64Array(4 * 512);
  words[0] = BigInt(PGD + 0x1000) | TABLE;
  words[512] = BigInt(PGD + 0x2000) | TABLE;
  words[1024] = LARGE;
  words[1025] = BigInt(2 * MIB) | LARGE;
  words[1026] = BigInt(PGD + 0x3000) | TABLE;
  words[1536] = BigInt(PAGES) | SMALL;
  words[1538] = BigInt(PAGES + 0x2000) | (SMALL & ~2n);
  m.dmaWrite(pa(PGD), new Uint8Array(words.buffer));
  const cpu = m.cpus[0];
  cpu.enterLongMode(BigInt(PGD));
  cpu.writeCr4(cpu.cr4 | 0x600);
  const gates = new BigUint64Array(2 * 32);
  for (let vector = 0; vector < 32; vector++) {
    gates.set(makeGate(va(HANDLERS + 16 * vector), 0x10), 2 * vector);
    m.dmaWrite(pa(HANDLERS + 16 * vector), Uint8Array.of(HLT));
  }
  m.dmaWrite(pa(IDT), new Uint8Array(gates.buffer));
  cpu.lidt(va(IDT), 32 * 16 - 1);
  return m;
}

const number = (name: GeneralRegister): number => GENERAL_REGISTERS.indexOf(name);

/** A program that can be run and asked. */
export class Program {
  readonly executor: Executor;

  /** @param code hexadecimal bytes; a HLT follows them. @param flags the arithmetic flags before it, as RFLAGS. */
  constructor(
    code: string,
    registers: Registers = {},
    flags = 0,
    readonly machine_: Machine = machine(),
    options: ExecutorOptions = {},
  ) {
    const bytes = [...Buffer.from(code.replaceAll(' ', ''), 'hex'), HLT];
    machine_.dmaWrite(pa(CODE), Uint8Array.from(bytes));
    const cpu = machine_.cpus[0];
    cpu.rip = va(CODE);
    cpu.rsp = va(STACK);
    this.executor = new Executor(machine_, machine_.cpus[0], options);
    for (const [name, value] of Object.entries(registers)) {
      this.executor.core.set64(number(name as GeneralRegister), value);
    }
    this.executor.core.flags.value = flags | 2;
  }

  /** Runs to the end and returns the end's kind. */
  run(): string {
    return this.executor.run({ maxInstructions: 100_000 }).kind;
  }

  reg(name: GeneralRegister): bigint {
    return this.executor.core.get64(number(name));
  }

  /** The arithmetic flags that are set, of CPAZSO. */
  get flags(): string {
    const value = this.executor.core.flags.arithmetic();
    return [...'CPAZSO'].filter((_, i) => (value & (1 << (BITS[i] ?? 0))) !== 0).join('');
  }

  /** The exception whose handler the program ended in; undefined if it ended at its own HLT. */
  get exception(): number | undefined {
    const at = this.executor.core.rip - HANDLERS;
    return at >= 0 && at < 32 * 16 ? Math.floor(at / 16) : undefined;
  }

  /** Words of 64 bits from a linear address on, as the CPU reads them. */
  memory(at: number, count = 1): bigint[] {
    const words = new BigUint64Array(count);
    const bytes = new Uint8Array(words.buffer);
    const fault = this.machine_.cpus[0].read(va(at), bytes);
    if (fault !== null) throw new Error(fault.why);
    return [...words];
  }

  write(at: number, bytes: Uint8Array): void {
    this.machine_.dmaWrite(pa(at), bytes);
  }
}

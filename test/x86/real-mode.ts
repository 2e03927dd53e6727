/** Code in real mode and in 32-bit protected mode, for tests: a few bytes that end in a HLT. */
import { expect } from '@jest/globals';
import { pa, va } from '../../src/machine/address.js';
import { GENERAL_REGISTERS } from '../../src/machine/cpu/registers.js';
import { Executor, type RunEnd } from '../../src/x86/executor.js';
import { machine } from './program.js';

/** CS is 0x2000, the code begins at offset 0x100; the handler of vector v is at 0x600 + v. */
export const BASE = 0x2_0000;
export const START = 0x100;
export const HANDLERS = 0x600;

export const hex = (code: string): Uint8Array =>
  Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex'));

export class RealMode {
  readonly machine = machine();
  readonly executor: Executor;

  /** @param code hexadecimal bytes; a HLT follows them. */
  constructor(code: string) {
    const [cpu] = this.machine.cpus;
    cpu.init();
    for (let vector = 0; vector < 32; vector++) {
      const entry = new Uint8Array(4);
      new DataView(entry.buffer).setUint16(0, HANDLERS + vector, true);
      this.machine.dmaWrite(pa(4 * vector), entry);
      this.machine.dmaWrite(pa(HANDLERS + vector), Uint8Array.of(0xf4));
    }
    this.machine.dmaWrite(pa(BASE + START), hex(`${code} f4`));
    cpu.farJump(BASE / 16, START);
    cpu.rsp = va(0x8000);
    this.executor = new Executor(this.machine, cpu);
  }
  run(): RunEnd {
    return this.executor.run({ maxInstructions: 1000 });
  }
  reg(name: (typeof GENERAL_REGISTERS)[number]): number {
    return this.executor.core.unsigned(GENERAL_REGISTERS.indexOf(name)) % 2 ** 32;
  }
  write(at: number, code: string): void {
    this.machine.dmaWrite(pa(at), hex(code));
  }
  word(at: number): number {
    return new DataView(this.machine.dmaRead(pa(at), 2).buffer).getUint16(0, true);
  }
}

export function ran(code: string): RealMode {
  const program = new RealMode(code);
  const end = program.run();
  expect(end).toEqual({ kind: 'halt', at: BASE + START + hex(code).length + 1 });
  return program;
}

export const GDT = BASE + 0x88;
const DESCRIPTORS = [
  0n,
  0x00cf_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  // Data at 0x50000, 4 KiB; read-only data; expand-down data.
  0x0040_9305_0000_0fffn,
  0x00cf_9100_0000_ffffn,
  0x00cf_9700_0000_ffffn,
  // An available 32-bit TSS at 0x60000, and a 16-bit one.
  0x0000_8906_0000_0067n,
  0x0000_8106_0000_002bn,
];
/**
 * lgdtl %cs:0x80; mov %cr0,%eax; or $1,%al; mov %eax,%cr0; ljmpl $8,$0x20117; .code32; mov $0x10,%eax; mov %eax,%ds;
 * mov %eax,%ss; mov $0x40000,%esp
 */
const ENTER = '2e660f01168000 0f20c0 0c01 0f22c0 66ea170102000800 b810000000 8ed8 8ed0 bc00000400';

/** Code after the entry to protected mode, with flat segments and the stack at 0x40000. */
export function protectedMode(code: string): RealMode {
  const program = new RealMode(`${ENTER} ${code}`);
  const pointer = new Uint8Array(6);
  new DataView(pointer.buffer).setUint16(0, DESCRIPTORS.length * 8 - 1, true);
  new DataView(pointer.buffer).setUint32(2, GDT, true);
  program.machine.dmaWrite(pa(BASE + 0x80), pointer);
  program.machine.dmaWrite(pa(GDT), new Uint8Array(BigUint64Array.from(DESCRIPTORS).buffer));
  return program;
}

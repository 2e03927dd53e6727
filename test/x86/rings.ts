/** A machine with rings 0 and 3, a TSS, gates for interrupts and the devices of a PC/AT, and a small program of bytes. */
import { pa, va } from '../../src/machine/address.js';
import { makeGate } from '../../src/machine/cpu/idt.js';
import { PcAt } from '../../src/machine/devices/pc-at.js';
import type { Machine } from '../../src/machine/machine.js';
import { Executor, type RunEnd } from '../../src/x86/executor.js';
import { CODE, HANDLERS, machine, STACK } from './program.js';

export const IDT = 0x12_0000;
const GDT = 0x13_0000;
export const TSS = 0x13_1000;
export const KERNEL_STACK = 0x17_0000;
/** A routine that ends in IRETQ, and the vector of its gate. */
export const ROUTINE = 0x11_1000;
const TIMER = 0x30;
/** Selectors: kernel code and data, user data and code, user code without L, a TSS. */
export const [KERNEL_CS, KERNEL_SS, USER_SS, USER_CS, USER_32] = [0x10, 0x18, 0x2b, 0x33, 0x3b];
const DESCRIPTORS = [
  0n,
  0n,
  0x00af_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  0n,
  0x00cf_f300_0000_ffffn,
  0x00af_fb00_0000_ffffn,
  0x00cf_fb00_0000_ffffn,
];
const STAR = (0x23n << 48n) | (BigInt(KERNEL_CS) << 32n);
export const IF = 0x200;

const hex = (code: string): Uint8Array =>
  Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex'));
export const words = (...values: bigint[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values, (each) => BigInt.asUintN(64, each)).buffer);

/** A machine whose pages rings 0 and 3 may use, with GDT, TSS, gates up to vector 0x3f, and the devices of a PC/AT. */
export class Rings {
  readonly machine: Machine = machine();
  readonly devices = new PcAt(this.machine);
  readonly executor: Executor;

  constructor(code: string, routine = '48 cf', dpl = 0n) {
    const { machine: m } = this;
    // US in every entry of the page tables that test/x86/program.ts has made.
    for (const [at, value] of [
      [0x1_0000, 0x1_1067n],
      [0x1_1000, 0x1_2067n],
      [0x1_2000, 0xe7n],
    ] as const) {
      m.dmaWrite(pa(at), words(value));
    }
    m.dmaWrite(pa(GDT), words(...DESCRIPTORS));
    m.dmaWrite(pa(TSS), hex(`00000000 ${'0000170000000000'}`));
    for (let vector = 0x20; vector < 0x40; vector++) {
      const gate = makeGate(va(ROUTINE), KERNEL_CS, undefined, dpl);
      m.dmaWrite(pa(IDT + 16 * vector), words(...gate));
    }
    m.dmaWrite(pa(ROUTINE), hex(routine));
    m.dmaWrite(pa(CODE), hex(`${code} f4`));
    const cpu = m.cpus[0];
    cpu.lidt(va(IDT), 0x40 * 16 - 1);
    cpu.lgdt(va(GDT), DESCRIPTORS.length * 8 - 1);
    cpu.tr = { selector: 0x40, base: va(TSS), limit: 0x67 };
    cpu.cs = KERNEL_CS;
    cpu.ss = KERNEL_SS;
    cpu.rip = va(CODE);
    cpu.rsp = va(STACK);
    cpu.wrmsr(0xc000_0080, 0xd01n);
    cpu.wrmsr(0xc000_0081, STAR);
    cpu.wrmsr(0xc000_0082, BigInt(ROUTINE));
    cpu.wrmsr(0xc000_0084, BigInt(IF | 0x400));
    this.executor = new Executor(m, cpu, { platform: this.devices });
    for (const [port, byte] of [
      [0x20, 0x11],
      [0x21, TIMER],
      [0x21, 4],
      [0x21, 1],
    ] as const) {
      this.out(port, byte);
    }
  }
  out(port: number, byte: number): void {
    this.machine.bus.portOut(port, byte, 1);
  }
  /** Counter 0 in mode 2. */
  periodic(count: number): void {
    this.out(0x43, 0x34);
    this.out(0x40, count & 0xff);
    this.out(0x40, count >> 8);
  }
  run(maxInstructions = 100_000): RunEnd {
    return this.executor.run({ maxInstructions });
  }
  reg(number: number): bigint {
    return this.executor.core.get64(number);
  }
  /** The vector of the exception whose handler the program ended in. */
  get exception(): number {
    return Math.floor((this.executor.core.rip - HANDLERS) / 16);
  }
  /** 64-bit words from an address. */
  memory(at: number, count: number): bigint[] {
    return [...new BigUint64Array(this.machine.dmaRead(pa(at), 8 * count).buffer)];
  }
  /** Puts a frame for IRETQ on the stack. */
  frame(rip: bigint, cs: number, rflags: number, ss: number, rsp = STACK - 0x100): void {
    const at = STACK - 40;
    this.machine.dmaWrite(pa(at), words(rip, BigInt(cs), BigInt(rflags), BigInt(rsp), BigInt(ss)));
    this.executor.core.setNumber(4, at);
  }
}

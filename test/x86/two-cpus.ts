/**
 * A machine with two CPUs, local APICs and the devices of a PC/AT. The second CPU begins by INIT and STARTUP in real mode at
 * TRAMPOLINE, which takes it to 64-bit mode and to the address at ENTRY.
 */
import { pa, va } from '../../src/machine/address.js';
import { ZEN1 } from '../../src/machine/cpu/cpu-models.js';
import { makeGate } from '../../src/machine/cpu/idt.js';
import { LocalApic } from '../../src/machine/devices/local-apic.js';
import { PcAt } from '../../src/machine/devices/pc-at.js';
import { Machine } from '../../src/machine/machine.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { Executor, type ExecutorOptions } from '../../src/x86/executor.js';

const MIB = 2 ** 20;
const PGD = 0x1_0000;
const IDT = 0x1_8000;
export const BOOT_CODE = 0x10_0000;
export const SECOND_CODE = 0x11_0000;
/** Handlers: vector v at HANDLERS + 64 v. */
export const HANDLERS = 0x12_0000;
const TRAMPOLINE = 0x8000;
/** The trampoline's: 32-bit code, 64-bit code, data. */
const GDT = 0x8098;
/** What the trampoline leaves: 0x1234 in real mode, 0x5678 in protected mode, 0xabcd in 64-bit mode. */
export const MARKS = { real: 0x8f00, protected: 0x8f04, long: 0x8f08 } as const;
const ENTRY = 0x8f10;

/**
 * The trampoline, by `as --64` and `objcopy -O binary`:
 * .code16; cli; mov %cs,%ax; mov %ax,%ds; mov %ax,%ss; mov $0xe00,%esp; callw sub; lgdtl gdtr-start; mov %cr0,%eax; or $1,%al;
 * mov %eax,%cr0; ljmpl $8,$0x8000+prot-start; sub: movw $0x1234,0xf00; retw; .code32; prot: mov $0x18,%eax; mov %eax,%ds;
 * mov %eax,%ss; mov $0x8e00,%esp; push $0x5678; pop %ebx; mov %ebx,0x8f04; mov %cr4,%eax; or $0x20,%eax; mov %eax,%cr4;
 * mov $0x10000,%eax; mov %eax,%cr3; mov $0xc0000080,%ecx; rdmsr; or $0x100,%eax; wrmsr; mov %cr0,%eax; or $0x80010000,%eax;
 * mov %eax,%cr0; ljmpl $0x10,$0x8000+long-start; .code64; long: movl $0xabcd,0x8f08; mov 0x8f10,%rax; jmp *%rax; .balign 8;
 * gdtr: .word 31; .long 0x8000+gdt-start; .balign 8; gdt: .quad 0, 0x00cf9b000000ffff, 0x00af9b000000ffff, 0x00cf93000000ffff
 */
const CODE =
  'fa8cc88ed88ed066bc000e0000e81600660f011690000f20c00c010f22c066ea2d8000000800c706000f3412c3' +
  'b8180000008ed88ed0bc008e000068785600005b891d048f00000f20e083c8200f22e0b8000001000f22d8' +
  'b9800000c00f320d000100000f300f20c00d000001800f22c0ea7880000010' +
  '00c70425088f0000cdab0000488b0425108f0000ffe00f1f001f009880000066900000000000000000' +
  'ffff0000009bcf00ffff0000009baf00ffff00000093cf00';

const hex = (code: string): Uint8Array =>
  Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex'));
const words = (...values: bigint[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values).buffer);

/** INIT and STARTUP to CPU 1: mov $0xfee00000,%ebx; movl $0x01000000,0x310(%rbx); movl $0xc500 and $0x608,0x300(%rbx). */
export const START_SECOND =
  'bb0000e0fe c78310030000 00000001 c78300030000 00c50000 c78300030000 08060000';

export class TwoCpus {
  readonly machine: Machine;
  readonly devices: PcAt;
  readonly executor: Executor;

  /** @param boot code of the boot processor. @param second of the other one, once it is in 64-bit mode. */
  constructor(boot: string, second = 'f4', options: ExecutorOptions = {}) {
    this.machine = new Machine({
      model: ZEN1,
      cpus: 2,
      ram: [{ base: 0, size: 16 * MIB }],
      mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
      cache: { size: 64 * 1024, ways: 8 },
      engine: { mode: 'XEX', seed: 'two', cipher: nodeCipher, lazy: true },
      syscfgMemEncrypt: false,
    });
    const { machine } = this;
    machine.attach(new LocalApic(machine.cpus));
    this.devices = new PcAt(machine, { base: 0xfec0_0000, id: 2 });
    // The first 2 MiB, and the gigabyte of the APICs uncached (PCD, PWT).
    machine.dmaWrite(pa(PGD), words(0x1_1063n));
    machine.dmaWrite(pa(PGD + 0x1000), words(0x1_2063n, 0n, 0n, 0xc000_00fbn));
    machine.dmaWrite(pa(PGD + 0x2000), words(0xe3n));
    const gates = new BigUint64Array(2 * 64);
    for (let vector = 0; vector < 64; vector++) {
      gates.set(makeGate(va(HANDLERS + 64 * vector), 0x10), 2 * vector);
      this.write(HANDLERS + 64 * vector, 'f4');
    }
    machine.dmaWrite(pa(IDT), new Uint8Array(gates.buffer));
    this.write(TRAMPOLINE, CODE);
    machine.dmaWrite(pa(MARKS.real), new Uint8Array(0x100));
    machine.dmaWrite(pa(ENTRY), words(BigInt(SECOND_CODE)));
    this.write(BOOT_CODE, `${boot} f4`);
    this.write(SECOND_CODE, `${second} f4`);
    const [cpu, ...others] = machine.cpus;
    cpu.enterLongMode(BigInt(PGD));
    for (const each of machine.cpus) each.lidt(va(IDT), 64 * 16 - 1);
    cpu.lgdt(va(GDT), 4 * 8 - 1);
    cpu.rip = va(BOOT_CODE);
    cpu.rsp = va(0x18_0000);
    this.executor = new Executor(machine, cpu, { platform: this.devices, others, ...options });
  }

  write(at: number, code: string): void {
    this.machine.dmaWrite(pa(at), hex(code));
  }
  read(at: number): number {
    return new DataView(this.machine.dmaRead(pa(at), 4).buffer).getUint32(0, true);
  }
}

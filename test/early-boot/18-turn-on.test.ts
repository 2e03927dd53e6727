/**
 * The memory contents after the posted assembly, byte for byte: the expected values are from executing the assembled code
 * on two other machines (this project's CPU model, and an emulator with a separate AES).
 */
import { describe, expect, test } from '@jest/globals';
import { pa, va, type Pa } from '../../src/machine/address.js';
import type { Boot } from '../../src/sequencer/boot.js';
import type { TraceEvent } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';

/** The page of stack after the work area's tables, for the built-in image at its preferred address. */
const STACK = 0x200_b000;
const ROUTINE = 0x200_c000;
/** The high half of the PAT after reset. */
const PAT_HIGH = 0x0007_0406n;

function at(label: string, ...settings: string[]): Boot {
  const subject = boot({ scenario: scenario('bios-minimal', ...settings) });
  subject.runTo(label);
  return subject;
}
const quad = (bytes: Uint8Array): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
/** 64 bits at an address, read through a plain mapping and the caches. */
const plain = ({ machine }: Boot, address: number): bigint => {
  const bytes = new Uint8Array(8);
  machine.cpus[0].read(va(address), bytes, 0, 8);
  return quad(bytes);
};
/** 64 bits in DRAM, as seen on the bus. */
const dram = ({ machine }: Boot, address: Pa): bigint => quad(machine.dram.peek(address, 8));
/** The events of a step in a whole boot. */
const events = (label: string): TraceEvent[] =>
  boot()
    .run()
    .steps.filter((step) => step.label === label)
    .flatMap((step) => step.events);

describe('the routine that encrypts the kernel', () => {
  const subject = at('startup_64:phys_base');
  const { program } = subject;

  test('is 135 bytes long, and is copied as a whole after the stack', () => {
    const from = `0x${ROUTINE.toString(16)}..`;
    const copied = events('startup_64:phys_base').find(({ to }) => String(to).startsWith(from));
    expect(copied?.to).toBe('0x200c000..0x200c086');
  });

  test('leaves the old stack pointer, RSI and its return address at the top of its stack', () => {
    expect(plain(subject, STACK + 0xff8)).toBe(BigInt(0x1b0_bff0));
    expect(plain(subject, STACK + 0xff0)).toBe(0x9_0000n);
    const encrypt = program.link('sme_encrypt_kernel') - program.link('_text') + 0x100_0000;
    const back = Number(plain(subject, STACK + 0xfe8)) - encrypt;
    expect(back).toBeGreaterThan(0);
    expect(back).toBeLessThan(program.sizeOf('sme_encrypt_kernel'));
  });

  test('leaves the length and twice the high half of the PAT below, over the first push of RAX', () => {
    expect(plain(subject, STACK + 0xfe0)).toBe(PAT_HIGH);
    expect(plain(subject, STACK + 0xfd8)).toBe(0x100_0000n);
    expect(plain(subject, STACK + 0xfd0)).toBe(PAT_HIGH);
  });

  test('writes the pushed RAX back by its WBINVD: the value that overwrites it stays in the cache', () => {
    expect(dram(subject, pa(STACK + 0xfe0))).toBe(BigInt(ROUTINE));
  });

  test('without a cache leaves the last pushed value in DRAM', () => {
    const uncached = at('startup_64:phys_base', 'machine.cache.size=0');
    expect(dram(uncached, pa(STACK + 0xfe0))).toBe(PAT_HIGH);
  });

  test('faults at offset 3, after MOV CR3 to a map without the kernel above 4 GiB', () => {
    const above = boot({ scenario: scenario('kernel-above-4gib') });
    const { outcome } = above.run();
    expect(outcome.kind).toBe('triple-fault');
    const { cr2 } = above.machine.cpus[0];
    expect(cr2).toBe(0x1_4100_c003n);
  });
});

describe('sme_enable', () => {
  test.each([
    [47, 4],
    [51, 4],
  ])('sets bit %i of sme_me_mask with an access of 4 bytes at +%i', (cBit, offset) => {
    const subject = boot({
      scenario: scenario(
        'bios-minimal',
        `machine.sme.cBit=${String(cBit)}`,
        'machine.sme.reduction=5',
      ),
    });
    const mask = subject.program.link('sme_me_mask') - subject.program.link('_text') + 0x100_0000;
    const written: [number, number][] = [];
    subject.machine.probes.accessed.listen((kind, _cpu, _va, address, _key, _type, length) => {
      if (kind === 'write' && address >= mask && address < mask + 8) {
        written.push([address - mask, length]);
      }
    });
    subject.runTo('startup_64');
    expect(written).toEqual([[offset, 4]]);
    expect(plain(subject, mask)).toBe(1n << BigInt(cBit));
  });
});

describe('startup_64', () => {
  const subject = at('startup_64:switch');
  const { program, machine } = subject;
  const cpu = machine.cpus[0];

  test('leaves the selector and the address of its far return on the stack', () => {
    const top = program.link('init_thread_union');
    const read = (offset: number): bigint => subject.kernel.readU64(va(top + offset));
    expect(read(0x3fe8)).toBe(0x10n);
    expect(BigInt.asIntN(64, read(0x3fe0))).toBe(BigInt(program.link('x86_64_start_kernel')));
    expect(cpu.rsp).toBe(top + 0x3ff0);
    expect(cpu.rip).toBe(program.link('x86_64_start_kernel'));
  });

  test('passes the zero page in RDI', () => {
    expect(cpu.rdi).toBe(0x9_0000);
  });

  test('loads the GDT at gdt_page, whose code segment the far return loads', () => {
    expect(cpu.gdtr).toEqual({ base: program.link('gdt_page'), limit: 127 });
    expect(cpu.cs).toBe(0x10);
    expect(cpu.csLong).toBe(1);
  });
});

test('RSI is the plain view of the kernel at the entry of the routine: a kernel above 4 GiB ends there', () => {
  const subject = boot({ scenario: scenario('kernel-above-4gib') });
  subject.run();
  const { cpus } = subject.machine;
  expect(subject.outcome?.kind).toBe('triple-fault');
  expect([cpus[0].rsi, cpus[0].knows('rsi')]).toEqual([0x81_4000_0000, true]);
});

/** INT n, IRETQ, SYSCALL and SYSRET, interrupts from outside and virtual time (APM vol. 2, 6.1, 8.9; vol. 3). */
import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../src/machine/address.js';
import { TSC_PER_INSTRUCTION } from '../../src/x86/system.js';
import { CODE, STACK } from './program.js';
import {
  IDT,
  IF,
  KERNEL_CS,
  KERNEL_SS,
  KERNEL_STACK,
  Rings,
  ROUTINE,
  USER_32,
  USER_CS,
  USER_SS,
  words,
} from './rings.js';

const GP = 13;

describe('INT n', () => {
  test('enters its gate, which returns to the next instruction', () => {
    const rings = new Rings('cd 30 b0 07', '48 8b 14 24 48 cf');
    expect(rings.run().kind).toBe('halt');
    expect([rings.reg(2), rings.reg(0)]).toEqual([BigInt(CODE + 2), 7n]);
  });

  test('pushes no error code, even with a vector whose exception has one', () => {
    const rings = new Rings('cd 0d');
    rings.run();
    expect(rings.memory(STACK - 40, 1)).toEqual([BigInt(CODE + 2)]);
    expect(rings.exception).toBe(GP);
  });

  test('from CPL 3 to a gate of DPL 0 is a #GP of the gate that returns to the INT', () => {
    const rings = new Rings('cd 30');
    rings.machine.cpus[0].cpl = 3;
    rings.run();
    expect(rings.exception).toBe(GP);
    expect(rings.memory(KERNEL_STACK - 48, 2)).toEqual([BigInt(0x30 * 8 + 2), BigInt(CODE)]);
  });

  test('from CPL 3 to a gate of DPL 3 is on the stack of the TSS', () => {
    const rings = new Rings('cd 30', 'f4', 3n);
    rings.machine.cpus[0].cpl = 3;
    rings.machine.cpus[0].ss = USER_SS;
    rings.run();
    expect(rings.memory(KERNEL_STACK - 16, 2)).toEqual([BigInt(STACK), BigInt(USER_SS)]);
    expect(rings.machine.cpus[0]).toMatchObject({ cpl: 0, cs: KERNEL_CS, ss: 0 });
  });
});

describe('IRETQ', () => {
  test('goes to CPL 3, where HLT is a #GP', () => {
    const rings = new Rings('48 cf', 'f4');
    rings.frame(BigInt(ROUTINE), USER_CS, IF | 2, USER_SS);
    rings.run();
    expect(rings.exception).toBe(GP);
    const [error, rip, cs, rflags, rsp, ss] = rings.memory(KERNEL_STACK - 48, 6);
    expect([error, rip, cs, rsp, ss]).toEqual([
      0n,
      BigInt(ROUTINE),
      BigInt(USER_CS),
      BigInt(STACK - 0x100),
      BigInt(USER_SS),
    ]);
    expect((rflags ?? 0n) & BigInt(IF)).toBe(BigInt(IF));
  });

  test('at CPL 3 changes neither IF nor IOPL', () => {
    const rings = new Rings('48 cf', 'f4');
    rings.machine.cpus[0].cpl = 3;
    rings.frame(BigInt(ROUTINE), USER_CS, IF | 0x3000 | 1, USER_SS);
    rings.run();
    const rflags = rings.memory(KERNEL_STACK - 24, 1)[0] ?? 0n;
    expect(rflags & 0x3201n).toBe(1n);
  });

  test('makes the data segments null that CPL 3 may not use', () => {
    const rings = new Rings('48 cf', 'f4');
    const { selectors } = rings.executor.core;
    selectors.set([USER_SS, 0, 0, KERNEL_SS, KERNEL_SS, USER_CS]);
    rings.frame(BigInt(ROUTINE), USER_CS, 2, USER_SS);
    rings.run();
    expect([...selectors]).toEqual([USER_SS, 0, 0, 0, 0, USER_CS]);
  });

  test.each([
    ['a null CS', 0, KERNEL_SS, 0],
    ['a CS beyond the GDT', 0x70, KERNEL_SS, 0x70],
    ['a CS that is data', KERNEL_SS, KERNEL_SS, KERNEL_SS],
    ['a CS whose DPL is not its RPL', KERNEL_CS | 3, USER_SS, KERNEL_CS],
    ['a null SS for CPL 3', USER_CS, 0, 0],
    ['an SS that is code', USER_CS, USER_CS, USER_CS & ~3],
    ['an SS whose RPL is not that of CS', USER_CS, USER_SS & ~3, USER_SS & ~3],
  ])('to %s is a #GP, and nothing has changed', (_name, cs, ss, error) => {
    const rings = new Rings('48 cf');
    rings.frame(BigInt(ROUTINE), cs, 2, ss);
    rings.run();
    expect(rings.exception).toBe(GP);
    const at = STACK - 48;
    expect(rings.memory(at - (at % 16) - 48, 3)).toEqual([
      BigInt(error),
      BigInt(CODE),
      BigInt(KERNEL_CS),
    ]);
  });

  test('to a more privileged level is a #GP', () => {
    const rings = new Rings('48 cf');
    rings.machine.cpus[0].cpl = 3;
    rings.frame(BigInt(ROUTINE), KERNEL_CS, 2, KERNEL_SS);
    rings.run();
    expect(rings.exception).toBe(GP);
  });

  test('with NT is a #GP', () => {
    const rings = new Rings('48 cf');
    rings.frame(BigInt(ROUTINE), KERNEL_CS, 2, KERNEL_SS);
    rings.executor.core.flags.value = 0x4002;
    rings.run();
    expect(rings.exception).toBe(GP);
  });

  test('to compatibility mode is not modelled', () => {
    const rings = new Rings('48 cf');
    rings.frame(BigInt(ROUTINE), USER_32, 2, USER_SS);
    expect(rings.run()).toMatchObject({ kind: 'not-modelled', at: CODE });
  });
});

describe('SYSCALL', () => {
  test('goes to LSTAR at CPL 0 with RIP in RCX and RFLAGS in R11, masked by SFMASK', () => {
    const rings = new Rings('0f 05', 'f4');
    const cpu = rings.machine.cpus[0];
    cpu.cpl = 3;
    cpu.cs = USER_CS;
    rings.executor.core.flags.value = IF | 0x400 | 0x41;
    expect(rings.run()).toEqual({ kind: 'halt', at: ROUTINE + 1 });
    expect([rings.reg(1), rings.reg(11)]).toEqual([BigInt(CODE + 2), BigInt(IF | 0x400 | 0x43)]);
    expect(rings.executor.core.flags.value).toBe(0x43);
    expect(cpu).toMatchObject({ cpl: 0, cs: KERNEL_CS, ss: KERNEL_SS });
    expect(rings.reg(4)).toBe(BigInt(STACK));
  });

  test('without EFER.SCE is a #UD', () => {
    const rings = new Rings('0f 05');
    rings.machine.cpus[0].wrmsr(0xc000_0080, 0xd00n);
    rings.run();
    expect(rings.exception).toBe(6);
  });
});

describe('SYSRET', () => {
  test('goes to RCX at CPL 3 with RFLAGS of R11, without RF and VM', () => {
    const rings = new Rings('48 0f 07', 'f4');
    const { core } = rings.executor;
    core.set64(1, BigInt(ROUTINE));
    core.set64(11, BigInt(IF | 0x3_0000 | 0x43));
    rings.run();
    expect(rings.exception).toBe(GP);
    const [, rip, cs, rflags, rsp, ss] = rings.memory(KERNEL_STACK - 48, 6);
    expect([rip, cs, rflags, rsp, ss]).toEqual([
      BigInt(ROUTINE),
      BigInt(USER_CS),
      // The frame of the fault has RF.
      BigInt(IF | 0x43 | 0x1_0000),
      BigInt(STACK),
      BigInt(USER_SS),
    ]);
  });

  test('at CPL 3 is a #GP', () => {
    const rings = new Rings('48 0f 07');
    rings.machine.cpus[0].cpl = 3;
    rings.run();
    expect(rings.exception).toBe(GP);
  });

  test('to compatibility mode is not modelled', () => {
    expect(new Rings('0f 07').run()).toMatchObject({ what: 'SYSRET to compatibility mode' });
  });
});

describe('an interrupt from outside', () => {
  /** INC EBX, IRETQ. */
  const COUNT = 'ff c3 48 cf';

  test('is delivered between two instructions while IF is set, and returns there', () => {
    const rings = new Rings('90 90 90', COUNT);
    rings.executor.core.flags.value = IF | 2;
    rings.executor.step(1);
    rings.devices.pic.request(0);
    rings.executor.step(1);
    expect(rings.memory(STACK - 40, 2)).toEqual([BigInt(CODE + 1), BigInt(KERNEL_CS)]);
    expect(rings.executor.core.flags.interruptsEnabled).toBe(false);
    expect(rings.reg(3)).toBe(1n);
  });

  test('waits while IF is clear, and comes after the instruction that follows STI', () => {
    const rings = new Rings('90 fb ff c0 ff c0', 'f4');
    rings.devices.pic.request(0);
    rings.run();
    expect(rings.memory(STACK - 40, 1)).toEqual([BigInt(CODE + 4)]);
    expect(rings.reg(0)).toBe(1n);
  });

  test('comes directly after POPFQ that sets IF', () => {
    const rings = new Rings('9d ff c0', 'f4');
    rings.machine.dmaWrite(pa(STACK), words(BigInt(IF | 2)));
    rings.devices.pic.request(0);
    rings.run();
    expect([rings.memory(STACK - 40, 1)[0], rings.reg(0)]).toEqual([BigInt(CODE + 1), 0n]);
  });

  test.each([
    ['SS waits for the instruction after it', '8e d0', 2],
    ['DS does not wait', '8e d8', 0],
  ])('that comes due at a load of %s', (_name, load, further) => {
    const due = Math.ceil((2 * 1e8) / 1_193_182);
    const rings = new Rings(`${'90 '.repeat(due - 1)} ${load} ff c3 ff c3`, 'f4');
    // Mode 0 with a count of 1: OUT rises at the second pulse.
    rings.out(0x43, 0x30);
    rings.out(0x40, 1);
    rings.out(0x40, 0);
    const { core } = rings.executor;
    core.setNumber(0, KERNEL_SS);
    core.flags.value = IF | 2;
    rings.run();
    expect(rings.memory(STACK - 40, 1)).toEqual([BigInt(CODE + due + 1 + further)]);
  });

  test('comes at an exact count of instructions, wherever blocks end', () => {
    const at = (loop: string): [number, bigint] => {
      const rings = new Rings(loop, 'f4');
      rings.periodic(1000);
      rings.executor.core.flags.value = IF | 2;
      rings.run();
      // Without the HLT of the routine.
      return [rings.executor.instructions - 1, rings.memory(STACK - 40, 1)[0] ?? 0n];
    };
    const due = Math.ceil((1001 * 1e8) / 1_193_182);
    expect(at('eb fe')).toEqual([due, BigInt(CODE)]);
    const [count, rip] = at('90 90 90 90 90 eb f9');
    expect([count, rip]).toEqual([due, BigInt(CODE + (due % 6))]);
  });

  test('through a gate beyond the IDT is a #GP with EXT', () => {
    const rings = new Rings('90');
    rings.machine.cpus[0].lidt(va(IDT), 0x30 * 16 - 1);
    rings.executor.core.flags.value = IF | 2;
    rings.devices.pic.request(0);
    rings.run();
    expect([rings.exception, rings.memory(STACK - 48, 1)[0]]).toEqual([GP, BigInt(0x30 * 8 + 3)]);
  });
});

describe('HLT', () => {
  test('with IF skips virtual time to the next event, and the TSC has it', () => {
    // HLT, RDTSC, CLI
    const rings = new Rings('f4 0f 31 fa');
    rings.periodic(10_000);
    rings.executor.core.flags.value = IF | 2;
    expect(rings.run().kind).toBe('halt');
    const due = Math.ceil((10_001 * 1e8) / 1_193_182);
    // IRETQ is one instruction, before RDTSC.
    expect(rings.reg(0)).toBe(BigInt((due + 1) * TSC_PER_INSTRUCTION));
    expect(rings.executor.core.skipped).toBe(due - 1);
  });

  test('with IF ends at a request that was there before', () => {
    const rings = new Rings('fb f4 fa ff c0', '48 cf');
    rings.devices.pic.request(0);
    expect(rings.run()).toEqual({ kind: 'halt', at: CODE + 6 });
    expect([rings.reg(0), rings.executor.core.skipped]).toEqual([1n, 0]);
  });

  test('without IF ends the run', () => {
    const rings = new Rings('90');
    rings.periodic(1000);
    expect(rings.run()).toEqual({ kind: 'halt', at: CODE + 2 });
  });

  test('with IF and no event ever ends the run', () => {
    const rings = new Rings('90');
    rings.executor.core.flags.value = IF | 2;
    expect(rings.run()).toEqual({ kind: 'halt', at: CODE + 2 });
  });

  test('with IF and the timer masked ends the run', () => {
    const rings = new Rings('90');
    rings.periodic(1000);
    rings.out(0x21, 0xff);
    rings.executor.core.flags.value = IF | 2;
    expect(rings.run().kind).toBe('halt');
  });
});

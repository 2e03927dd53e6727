/** Loads of the task register, and code of 64-bit mode that goes to compatibility mode and back (APM vol. 2, 4.8, 14.8). */
import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../src/machine/address.js';
import { CODE, DATA, machine, Program, STACK, type Registers } from './program.js';
import { GDT, protectedMode, RealMode } from './real-mode.js';

describe('LTR and LLDT', () => {
  test('outside long mode a TSS has a descriptor of 8 bytes, which becomes busy', () => {
    // mov $0x30,%eax; ltr %ax
    const program = protectedMode('b830000000 0f00d8');
    expect(program.run().kind).toBe('halt');
    expect(program.machine.cpus[0].tr).toEqual({ selector: 0x30, base: 0x6_0000, limit: 0x67 });
    expect(program.machine.dmaRead(pa(GDT + 0x30 + 5), 1)).toEqual(Uint8Array.of(0x8b));
  });

  test.each([
    ['a 16-bit TSS', 'b838000000 0f00d8', 'a TSS of 16 bits'],
    ['an LDT', 'b808000000 0f00d0', 'LLDT of a table'],
  ])('%s ends the run by name', (_what, code, what) => {
    expect(protectedMode(code).run()).toMatchObject({ kind: 'not-modelled', what });
  });

  test('a null selector empties the LDTR, a data segment in LTR is a #GP', () => {
    // xor %eax,%eax; lldt %ax
    expect(protectedMode('31c0 0f00d0').run().kind).toBe('halt');
    expect(protectedMode('b810000000 0f00d8').run()).toMatchObject({
      what: expect.stringContaining('vector 13, LTR of no available TSS') as unknown,
    });
  });

  test.each([
    ['LTR', '0f00d8'],
    ['LLDT', '0f00d0'],
  ])('%s is a #UD in real mode', (_name, code) => {
    expect(new RealMode(code).run()).toEqual({ kind: 'halt', at: 0x600 + 6 + 1 });
  });
});

describe('from 64-bit mode', () => {
  const TABLE = DATA + 0x1000;
  const CODE_32 = DATA + 0x2000;
  /** 0x08: 32-bit code; 0x10: 64-bit code; 0x18: data; 0x20: 64-bit code with D. */
  const DESCRIPTORS = [
    0n,
    0x00cf_9b00_0000_ffffn,
    0x00af_9b00_0000_ffffn,
    0x00cf_9300_0000_ffffn,
    0x00ef_9b00_0000_ffffn,
  ];

  /** @param code in 64-bit mode. @param code32 at CODE_32, reached through selector 8. */
  function program(code: string, code32: string, registers: Registers = {}): Program {
    const m = machine();
    m.dmaWrite(pa(TABLE), new Uint8Array(BigUint64Array.from(DESCRIPTORS).buffer));
    m.dmaWrite(pa(CODE_32), Buffer.from(`${code32}f4`.replaceAll(' ', ''), 'hex'));
    m.cpus[0].lgdt(va(TABLE), DESCRIPTORS.length * 8 - 1);
    return new Program(code, { rdx: BigInt(CODE_32), ...registers }, 0, m);
  }
  /** mov $0x18,%eax; mov %eax,%ss; mov %eax,%ds; pushq $8; pushq %rdx; lretq */
  const DOWN = 'b818000000 8ed0 8ed8 6a08 52 48cb';
  /** pushl $0x10; pushl $CODE + 0x80; lret */
  const UP = '6a10 6880001000 cb';

  test('RETF to a segment without L runs 32-bit code, and RETF to one with L 64-bit code', () => {
    // 32: dec %eax (a REX prefix in 64-bit code); UP. 64: mov %rax,%rbx
    const made = program(DOWN, `b805000000 48 ${UP}`);
    made.machine_.dmaWrite(pa(CODE + 0x80), Buffer.from('4889c3f4', 'hex'));
    expect(made.run()).toBe('halt');
    expect([made.reg('rbx'), made.reg('rsp')]).toEqual([4n, BigInt(STACK)]);
    expect(made.machine_.cpus[0].mode).toBe('64-bit');
  });

  test('paging is disabled and enabled in compatibility mode only', () => {
    // mov %cr0,%eax; btr $31,%eax; mov %eax,%cr0; rdmsr of EFER to esi; bts $31,%eax; mov %eax,%cr0; UP
    const made = program(
      DOWN,
      `0f20c0 0fbaf01f 0f22c0 b9800000c0 0f32 89c6 0f20c0 0fbae81f 0f22c0 ${UP}`,
    );
    made.machine_.dmaWrite(pa(CODE + 0x80), Buffer.from('f4', 'hex'));
    expect(made.run()).toBe('halt');
    // LME without LMA.
    expect(made.reg('rsi') & 0x500n).toBe(0x100n);
    expect(made.machine_.cpus[0].mode).toBe('64-bit');
    const refused = program('0f20c0 0fbaf01f 0f22c0', '');
    refused.run();
    expect(refused.exception).toBe(13);
  });

  test('the stack of 32-bit code is that of the SS loaded before; a null one is a #SS', () => {
    // xor %eax,%eax; mov %eax,%ss; pushq $8; pushq %rdx; lretq
    const made = program('31c0 8ed0 6a08 52 48cb', '50');
    expect(made.executor.run({ maxInstructions: 100 })).toMatchObject({
      kind: 'not-modelled',
      what: 'an exception or interrupt in compatibility mode: vector 12, beyond the segment',
    });
  });

  test('an SS whose hidden part is not known ends the run by name', () => {
    expect(program('6a08 52 48cb', '50').executor.run({ maxInstructions: 100 })).toMatchObject({
      what: 'a segment of 64-bit mode whose limit is not known',
    });
  });

  test('a code segment with L and D is a #GP', () => {
    const made = program('6a20 52 48cb', '');
    made.run();
    expect(made.exception).toBe(13);
  });
});

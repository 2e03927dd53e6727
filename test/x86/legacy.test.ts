/** Code in real mode and in 32-bit protected mode: segments, 16-bit addresses, the stack, branches (APM vol. 2, 1.2, 4.5; vol. 3). */
import { describe, expect, test } from '@jest/globals';
import { BASE, HANDLERS, protectedMode, ran, RealMode, START } from './real-mode.js';

const GP = 13;

describe('in real mode', () => {
  test('a segment begins at 16 times its selector', () => {
    // mov $0x3000,%ax; mov %ax,%ds; mov %ax,0x10
    expect(ran('b80030 8ed8 a31000').word(0x3_0010)).toBe(0x3000);
  });

  test('a 16-bit address is cut to 16 bits', () => {
    // DS 0x3000; mov $0xffff,%bx; mov $3,%si; movb $0x55,(%bx,%si)
    expect(ran('b80030 8ed8 bbffff be0300 c60055').word(0x3_0002) & 0xff).toBe(0x55);
  });

  test('BP as a base is in SS', () => {
    // mov $0x3000,%ax; mov %ax,%ss; mov $0x20,%bp; mov $4,%di; movw $0x77,1(%bp,%di)
    expect(ran('b80030 8ed0 bd2000 bf0400 c743017700').word(0x3_0025)).toBe(0x77);
  });

  test.each([
    ['a 32-bit address beyond 64 KiB', '66b800000100 67c60001'],
    ['a word at offset 0xffff', 'bbffff 8b07'],
    ['an indirect jump beyond CS', '66bb00000100 66ffe3'],
  ])('%s is a #GP, whose frame has IP, CS and FLAGS', (_what, code) => {
    const program = new RealMode(code);
    expect(program.run()).toEqual({ kind: 'halt', at: HANDLERS + GP + 1 });
    expect(program.reg('rsp')).toBe(0x8000 - 6);
    expect([program.word(0x7ffa), program.word(0x7ffc)]).toEqual([
      START + (code.startsWith('bb') ? 3 : 6),
      BASE / 16,
    ]);
  });

  test('the stack has elements of 16 and 32 bits, and SP has 16', () => {
    // push $0x1234; pushl $0x56789abc; pop %ax; pop %bx; pop %cx
    const program = ran('683412 6668bc9a7856 58 5b 59');
    expect([program.reg('rax'), program.reg('rbx'), program.reg('rcx')]).toEqual([
      0x9abc, 0x5678, 0x1234,
    ]);
    expect([program.reg('rsp'), program.word(0x7ffe)]).toEqual([0x8000, 0x1234]);
  });

  test('CALL pushes IP, RET loads it', () => {
    // call 1f; mov $2,%bx; hlt; 1: mov $1,%cx; ret
    const program = new RealMode('e80400 bb0200 f4 b90100 c3');
    expect(program.run()).toEqual({ kind: 'halt', at: BASE + START + 7 });
    expect([program.reg('rbx'), program.reg('rcx'), program.word(0x7ffe)]).toEqual([
      2,
      1,
      START + 3,
    ]);
  });

  test('LOOP and JCXZ use CX, JECXZ uses ECX', () => {
    // mov $3,%cx; 1: inc %ax; loop 1b; jcxz 2f; hlt; 2: mov $9,%dx
    const loops = ran('b90300 40 e2fd e301 f4 ba0900');
    expect([loops.reg('rax'), loops.reg('rcx'), loops.reg('rdx') & 0xffff]).toEqual([3, 0, 9]);
    // mov $0x10000,%ecx; jcxz 1f; hlt; 1: jecxz 2f; mov $5,%dx; 2: nop
    expect(ran('66b900000100 e301 f4 67e303 ba0500 90').reg('rdx') & 0xffff).toBe(5);
  });

  test('a relative jump wraps at 64 KiB', () => {
    const program = new RealMode('e9e9fe');
    program.write(BASE + 0xffec, 'eb20');
    program.write(BASE + 0x0e, 'f4');
    expect(program.run()).toEqual({ kind: 'halt', at: BASE + 0x0f });
  });

  test('PUSHFD and POPFD change the ID flag', () => {
    // pushfl; popl %eax; mov %eax,%ebx; xor $0x200000,%eax; pushl %eax; popfl; pushfl; popl %eax; xor %ebx,%eax
    const program = ran('669c 6658 6689c3 663500002000 6650 669d 669c 6658 6631d8');
    expect(program.reg('rax')).toBe(0x20_0000);
  });

  test.each([
    ['JMP Far', 'ea20000021', 0x8000],
    ['RETF of 16 bits', '680021 6a20 cb', 0x8000],
    ['RETF of 32 bits', '666800210000 666a20 66cb', 0x8000],
  ])('%s loads CS with its base', (_name, code, rsp) => {
    const program = new RealMode(code);
    program.write(0x2_1020, 'f4');
    expect(program.run()).toEqual({ kind: 'halt', at: 0x2_1021 });
    expect(program.machine.cpus[0]).toMatchObject({ cs: 0x2100, csBase: 0x2_1000, rip: 0x21 });
    expect(program.reg('rsp')).toBe(rsp);
  });

  test.each([
    ['16', '0f011e0000', 0x34_5678],
    ['32', '660f011e0000', 0x1234_5678],
  ])('LIDT of %s bits', (_bits, code, base) => {
    const program = new RealMode(`b80030 8ed8 ${code}`);
    program.write(0x3_0000, 'ff03 78563412');
    program.run();
    expect(program.machine.cpus[0].idtr).toEqual({ base, limit: 0x3ff });
  });

  test('LEA has the address without its segment, of either size', () => {
    // mov $0x12345678,%esi; lea 0x10(,%esi,2),%edi; mov $7,%bx; lea 5(%bx,%si),%cx
    const program = ran('66be78563412 67668d3c7510000000 bb0700 8d4805');
    expect([program.reg('rdi'), program.reg('rcx')]).toEqual([0x2468_ad00, 0x5684]);
  });

  test('an undefined instruction enters its vector of the IVT', () => {
    expect(new RealMode('0f0b').run()).toEqual({ kind: 'halt', at: HANDLERS + 6 + 1 });
  });

  test.each([
    ['c9', 'LEAVE in 16-bit code'],
    ['cd30', 'INT in 16-bit code'],
    ['cf', 'IRET in 16-bit code'],
    ['60', 'PUSHA'],
  ])('%s ends the run as %s', (code, what) => {
    const end = new RealMode(code).run();
    expect(end).toMatchObject({ kind: 'not-modelled', at: BASE + START });
    if (end.kind === 'not-modelled') expect(end.what).toContain(what);
  });
});

describe('in protected mode', () => {
  test('code has 32 bits after the far jump', () => {
    // call 2f; hlt; 2: pushl $7; pop %edx; ret
    const program = protectedMode('e801000000 f4 6a07 5a c3');
    expect(program.run().kind).toBe('halt');
    expect([program.reg('rdx'), program.reg('rsp')]).toEqual([7, 0x4_0000]);
    expect(program.machine.cpus[0]).toMatchObject({ mode: 'protected', cs: 8, ss: 0x10 });
  });

  test('RETF goes to a code segment of the GDT', () => {
    // pushl $8; pushl $0x2012e; lret; hlt; 2: mov $3,%edx
    const program = protectedMode('6a08 682e010200 cb f4 ba03000000');
    program.run();
    expect([program.reg('rdx'), program.reg('rsp')]).toEqual([3, 0x4_0000]);
  });

  test('a segment has its base and limit', () => {
    // mov $0x18,%eax; mov %eax,%es; mov %es:0xfff,%bl; mov %es:0xffc,%ecx; then mov %es:0xffd,%ecx
    const inside = 'b818000000 8ec0 268a1dff0f0000 268b0dfc0f0000';
    const program = protectedMode(inside);
    program.write(0x5_0ffc, '78563412');
    expect(program.run().kind).toBe('halt');
    expect([program.reg('rbx'), program.reg('rcx')]).toEqual([0x12, 0x1234_5678]);
    expect(protectedMode(`${inside} 268b0dfd0f0000`).run()).toMatchObject({
      kind: 'not-modelled',
      what: 'an exception or interrupt in protected mode: vector 13, beyond the segment',
    });
  });

  test('an access through a null selector is a #GP', () => {
    // xor %eax,%eax; mov %eax,%ds; mov 0,%eax
    expect(protectedMode('31c0 8ed8 a100000000').run()).toMatchObject({
      what: expect.stringContaining('vector 13') as unknown,
    });
  });

  test.each([
    ['b820000000 8ed8', 'a data segment that cannot be written, outside 64-bit mode'],
    ['b828000000 8ed8', 'an expand-down segment'],
    ['60', 'PUSHAD'],
  ])('%s ends the run as %s', (code, what) => {
    expect(protectedMode(code).run()).toMatchObject({ kind: 'not-modelled', what });
  });

  test('paging without long mode ends the run by name', () => {
    // mov %cr0,%eax; or $0x80000000,%eax; mov %eax,%cr0
    expect(protectedMode('0f20c0 0d00000080 0f22c0 90').run()).toMatchObject({
      kind: 'not-modelled',
      what: 'legacy paging',
    });
  });
});

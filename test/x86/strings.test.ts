/** String instructions with addresses of 16 and 32 bits: rCX, rSI and rDI by the address size (APM vol. 3, 1.2.6). */
import { describe, expect, test } from '@jest/globals';
import { pa } from '../../src/machine/address.js';
import { HANDLERS, protectedMode, ran, RealMode } from './real-mode.js';
import { DATA, Program } from './program.js';

/** What is around the elements. */
const EDGE = 0xee;

const bytesAt = ({ machine }: RealMode, at: number, length: number): number[] => [
  ...machine.dmaRead(pa(at), length),
];

describe('in 32-bit code', () => {
  test('REP STOSD fills ECX elements at EDI, in ES', () => {
    // mov $0x10,%ax; mov %eax,%es; mov $0x50010,%edi; mov $3,%ecx; mov $0x11223344,%eax; rep stosl
    const program = protectedMode('66b81000 8ec0 bf10000500 b903000000 b844332211 f3ab');
    program.write(0x5_000f, 'ee'.repeat(14));
    expect(program.run().kind).toBe('halt');
    const filled = [0x44, 0x33, 0x22, 0x11];
    const expected = [EDGE, ...filled, ...filled, ...filled, EDGE];
    expect(bytesAt(program, 0x5_000f, expected.length)).toEqual(expected);
    expect([program.reg('rdi'), program.reg('rcx')]).toEqual([0x5_001c, 0]);
  });

  test('REP MOVSB downward copies from the last byte on', () => {
    // std; mov $0x10,%ax; mov %eax,%es; mov $0x50003,%esi; mov $0x50004,%edi; mov $4,%ecx; rep movsb
    const program = protectedMode('fd 66b81000 8ec0 be03000500 bf04000500 b904000000 f3a4');
    program.write(0x5_0000, '01020304eeee');
    expect(program.run().kind).toBe('halt');
    expect(bytesAt(program, 0x5_0000, 6)).toEqual([1, 1, 2, 3, 4, EDGE]);
    expect([program.reg('rsi'), program.reg('rdi')]).toEqual([0x4_ffff, 0x5_0000]);
  });

  test('an element beyond the limit of ES faults, with the elements before it stored', () => {
    // mov $0x18,%eax; mov %eax,%es; mov $0xffe,%edi; mov $9,%ecx; mov $0x77,%al; rep stosb
    const program = protectedMode('b818000000 8ec0 bffe0f0000 b909000000 b077 f3aa');
    program.write(0x5_0ffd, 'ee'.repeat(4));
    expect(program.run()).toMatchObject({
      what: 'an exception or interrupt in protected mode: vector 13, beyond the segment',
    });
    expect(bytesAt(program, 0x5_0ffd, 4)).toEqual([EDGE, 0x77, 0x77, EDGE]);
    expect([program.reg('rdi'), program.reg('rcx')]).toEqual([0x1000, 7]);
  });

  test('REPE CMPSB and REPNE SCASB end by ZF', () => {
    // ES flat; mov $0x50000,%esi; mov $0x50010,%edi; mov $9,%ecx; repe cmpsb; mov %ecx,%edx;
    // mov $0x50000,%edi; mov $3,%al; mov $9,%ecx; repne scasb
    const program = protectedMode(
      '66b81000 8ec0 be00000500 bf10000500 b909000000 f3a6 89ca bf00000500 b003 b909000000 f2ae',
    );
    program.write(0x5_0000, '010203');
    program.write(0x5_0010, '010299');
    program.run();
    expect([program.reg('rdx'), program.reg('rcx'), program.reg('rdi')]).toEqual([6, 6, 0x5_0003]);
  });
});

describe('in 16-bit code', () => {
  test('REP MOVSW uses CX, SI and DI, which wrap at 64 KiB', () => {
    // mov $0x3000,%ax; mov %ax,%ds; mov %ax,%es; mov $0xfffe,%si; mov $0x10,%di; mov $0x50002,%ecx; rep movsw
    const program = new RealMode('b80030 8ed8 8ec0 befeff bf1000 66b902000500 f3a5');
    program.write(0x3_fffe, 'aabb');
    program.write(0x3_0010, 'ee'.repeat(6));
    program.write(0x3_0000, 'ccdd');
    program.run();
    expect(bytesAt(program, 0x3_0010, 6)).toEqual([0xaa, 0xbb, 0xcc, 0xdd, EDGE, EDGE]);
    expect([program.reg('rcx'), program.reg('rsi') & 0xffff, program.reg('rdi') & 0xffff]).toEqual([
      0x5_0000, 2, 0x14,
    ]);
  });

  test('LODSB loads from an overriding segment', () => {
    // mov $0x3000,%ax; mov %ax,%es; mov $4,%si; lodsb %es:(%si),%al
    const program = new RealMode('b80030 8ec0 be0400 26ac');
    program.write(0x3_0004, '5a');
    program.run();
    expect(program.reg('rax') & 0xff).toBe(0x5a);
  });

  test('a word at offset 0xffff is a #GP', () => {
    expect(new RealMode('bfffff ab').run()).toEqual({ kind: 'halt', at: HANDLERS + 14 });
  });

  test('a count of 0 does nothing', () => {
    expect(ran('66b900000100 f3aa').reg('rdi')).toBe(0);
  });
});

test('in 64-bit mode a prefix makes addresses of 32 bits, and the registers are zero-extended', () => {
  const high = 0x55_0000_0000n;
  const program = new Program('67f3ab', {
    rdi: BigInt(DATA) + high,
    rcx: 2n + high,
    rax: 0x0102_0304n,
  });
  expect(program.run()).toBe('halt');
  expect(program.memory(DATA)).toEqual([0x0102_0304_0102_0304n]);
  expect([program.reg('rdi'), program.reg('rcx')]).toEqual([BigInt(DATA + 8), 0n]);
});

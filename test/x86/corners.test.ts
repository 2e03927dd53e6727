/** Corners of the manual that random states do not come to: privilege, frames of exceptions, reserved bits, page ends. */
import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../src/machine/address.js';
import { makeGate } from '../../src/machine/cpu/idt.js';
import { CODE, DATA, HANDLERS, machine, PAGES, Program, STACK } from './program.js';
import {
  IDT,
  KERNEL_CS,
  KERNEL_STACK,
  Rings,
  ROUTINE,
  TSS,
  USER_CS,
  USER_SS,
  words,
} from './rings.js';

const bytes = (code: string): Uint8Array =>
  Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex'));
/** Code of ring 3. */
const UC = CODE + 0x800;
const ABSENT = PAGES + 0x1000;
const RF = 0x1_0000n;
const GP = 13;
/** JMP to itself. */
const LOOP = 'eb fe';

/** A program that ring 3 executes. */
function user(code: string, rsp = STACK - 0x100): Rings {
  const rings = new Rings('48 cf', 'f4', 3n);
  rings.frame(BigInt(UC), USER_CS, 2, USER_SS, rsp);
  rings.machine.dmaWrite(pa(UC), bytes(code));
  return rings;
}
const exceptionOf = (rings: Rings): number => {
  rings.run(1000);
  return rings.exception;
};

describe('far transfers check privilege', () => {
  test('JMP Far of ring 3 to code of ring 0 is a #GP', () => {
    const rings = user(`ff 2b ${LOOP}`);
    rings.executor.core.set64(3, BigInt(UC + 64));
    rings.machine.dmaWrite(pa(UC + 64), bytes('10 08 10 00 10 00'));
    expect(exceptionOf(rings)).toBe(GP);
  });
  test('RETF of ring 3 to code of ring 0 is a #GP', () => {
    const rings = user('48 cb');
    rings.machine.dmaWrite(pa(STACK - 0x100), words(BigInt(UC + 16), BigInt(KERNEL_CS)));
    expect(exceptionOf(rings)).toBe(GP);
  });
  test('RETF of ring 3 to ring 3 goes on there', () => {
    const rings = user('48 cb');
    rings.machine.dmaWrite(pa(STACK - 0x100), words(BigInt(UC + 16), BigInt(USER_CS)));
    rings.machine.dmaWrite(pa(UC + 16), bytes(LOOP));
    rings.run(10);
    expect([rings.executor.core.rip, rings.executor.cpu.cpl]).toEqual([UC + 16, 3]);
  });
  test('RETF to a less privileged level ends the run by name', () => {
    const rings = new Rings('48 cb');
    rings.machine.dmaWrite(pa(STACK - 32), words(BigInt(UC), BigInt(USER_CS)));
    rings.executor.core.setNumber(4, STACK - 32);
    expect(rings.run(10)).toMatchObject({ what: 'RETF to another privilege level' });
  });
});

test.each([
  ['DS of ring 0 at ring 3', () => user(`b8 18 00 00 00 8e d8 ${LOOP}`)],
  ['SS of ring 0 at ring 3', () => user(`b8 18 00 00 00 8e d0 ${LOOP}`)],
  ['code of ring 0 in FS at ring 3', () => user(`b8 10 00 00 00 8e e0 ${LOOP}`)],
  ['SS of ring 3 at ring 0', () => new Rings('b8 2b 00 00 00 8e d0')],
  ['a null SS with RPL 3 at ring 0', () => new Rings('b8 03 00 00 00 8e d0')],
] as const)('MOV to a segment register checks privilege: %s', (_name, rings) => {
  expect(exceptionOf(rings())).toBe(GP);
});

test('an event keeps a RSP that is not canonical, and IRETQ returns to it', () => {
  const rsp = 0x1234_1111_0000_0000n;
  const rings = user(`48 bc 00 00 00 00 11 11 34 12 cd 20 ${LOOP}`);
  rings.machine.dmaWrite(pa(ROUTINE), bytes('48 cf'));
  rings.run(3);
  expect(rings.memory(KERNEL_STACK - 16, 1)).toEqual([rsp]);
  rings.run(10);
  expect([rings.executor.cpu.cpl, rings.reg(4)]).toEqual([3, rsp]);
});

test('IRETQ to ring 3 makes a segment null whose descriptor is gone', () => {
  const rings = new Rings('b8 18 00 00 00 8e d8 48 cf');
  rings.frame(BigInt(UC), USER_CS, 2, USER_SS);
  rings.machine.dmaWrite(pa(UC), bytes(LOOP));
  rings.executor.step(2);
  rings.executor.core.selectors[3] = 0x40;
  rings.run(10);
  expect([rings.executor.cpu.cpl, rings.executor.core.selectors[3]]).toEqual([3, 0]);
});

test('the frame of an exception over decoded code changes what runs', () => {
  // The INT's slot of RSP is where `inc eax; ret` was; the routine is known from the first call.
  const rings = new Rings(
    'cd 20 bb b0 20 10 00 31 c0 ff d3 48 89 e2 bc c3 20 10 00 cd 20 48 89 d4 ff d3',
  );
  rings.machine.dmaWrite(pa(0x10_20b0), bytes('ff c0 c3'));
  rings.run(1000);
  expect(Number(rings.reg(0)) & 0xff).toBe(1);
});

describe('the error code of a #PF', () => {
  test.each([
    ['ADD', '48 01 03', 2n],
    ['XCHG', '48 87 03', 2n],
    ['LOCK XADD', 'f0 48 0f c1 03', 2n],
    ['BTS', '0f ba 2b 01', 2n],
    ['CMPXCHG8B', '0f c7 0b', 2n],
    ['ADD to a register', '48 03 03', 0n],
    ['CMP', '48 39 03', 0n],
    ['BT', '0f ba 23 01', 0n],
  ])('of %s says whether it writes what it reads', (_name, code, error) => {
    for (const options of [{}, { translateAfter: 1 }]) {
      const program = new Program(code, { rbx: BigInt(ABSENT) }, undefined, machine(), options);
      program.run();
      expect([program.exception, program.memory(STACK - 48)]).toEqual([14, [error]]);
    }
  });
});

test('the image of a fault has RF, that of INT has not', () => {
  const fault = new Program('0f 0b');
  fault.run();
  expect((fault.memory(STACK - 24)[0] ?? 0n) & RF).toBe(RF);
  const rings = new Rings('90 90 cd 20', 'f4');
  rings.run(10);
  expect((rings.memory(STACK - 24, 1)[0] ?? 0n) & RF).toBe(0n);
});

test('the second #PF of a #DF sets CR2', () => {
  const rings = new Rings('48 8b 03');
  const [low, high] = makeGate(va(HANDLERS + 16 * 8), KERNEL_CS);
  rings.machine.dmaWrite(pa(IDT + 16 * 8), words(low | (1n << 32n), high));
  rings.machine.dmaWrite(pa(TSS + 0x24), words(0x16_0000n));
  rings.executor.core.set64(3, BigInt(ABSENT + 8));
  rings.executor.core.set64(4, 0x60_0000n);
  expect(exceptionOf(rings)).toBe(8);
  expect(rings.executor.cpu.cr2).toBe(0x5f_fff8n);
});

test('IN of ring 3 reads two bytes of the I/O map', () => {
  const rings = user(`ec ${LOOP}`);
  const base = ABSENT - 0x70;
  rings.machine.dmaWrite(pa(base + 0x66), bytes('6d 00'));
  rings.machine.dmaWrite(pa(base + 0x6d), bytes('00 00 ff'));
  rings.machine.dmaWrite(pa(base + 4), words(BigInt(KERNEL_STACK)));
  rings.executor.cpu.tr = { selector: 0x40, base: va(base), limit: 0x6f };
  rings.run(10);
  expect([rings.executor.core.rip, rings.executor.cpu.cr2.toString(16)]).toEqual([UC + 1, '0']);
});

test.each([0xf00, 0xff8])(
  'an instruction of more than 15 bytes at offset %i of a page is a #GP',
  (offset) => {
    const program = new Program('90');
    program.write(CODE + offset, new Uint8Array(20).fill(0x66));
    program.executor.core.rip = va(CODE + offset);
    program.run();
    expect(program.exception).toBe(GP);
  },
);

describe('debug registers', () => {
  test('DR4 with CR4.DE is a #UD', () => {
    const program = new Program('0f 20 e0 83 c8 08 0f 22 e0 0f 21 e3');
    program.run();
    expect(program.exception).toBe(6);
  });
  test('DR6 and DR7 have bits that are always set', () => {
    const program = new Program('31 c0 0f 23 f0 0f 21 f3 0f 23 f8 0f 21 f9');
    program.run();
    expect([program.reg('rbx'), program.reg('rcx')]).toEqual([0xffff_0ff0n, 0x400n]);
  });
  test('bits 63:32 of DR6 are a #GP', () => {
    const program = new Program('0f 23 f0', { rax: 1n << 40n });
    program.run();
    expect(program.exception).toBe(GP);
  });
  test('breakpoints that DR5 enables end the run by name', () => {
    const program = new Program('0f 23 e8', { rax: 0x401n });
    expect(program.executor.run()).toMatchObject({ what: 'breakpoints of DR7' });
  });
});

describe('CR0', () => {
  test('ET reads as one, and SMSW of a register gives all of it', () => {
    const program = new Program('0f 20 c0 24 ef 0f 22 c0 0f 20 c3 48 0f 01 e1');
    program.run();
    expect([program.reg('rbx') & 0x10n, program.reg('rcx')]).toEqual([0x10n, program.reg('rbx')]);
  });
  test('WAIT with TS and MP is a #NM', () => {
    const program = new Program('0f 20 c0 0c 0a 0f 22 c0 9b');
    program.run();
    expect(program.exception).toBe(7);
  });
});

test.each([
  ['STOSQ', 'f3 48 ab'],
  ['MOVSQ', 'f3 48 a5'],
  ['STOSQ of equal bytes', 'f3 48 ab'],
])('REP %s stores no part of the element that faults', (name, code) => {
  const rax = name.endsWith('bytes') ? 0x5555_5555_5555_5555n : 0x1234_5678_9abc_def0n;
  const at = BigInt(PAGES + 0xff4);
  const program = new Program(code, { rax, rsi: BigInt(DATA), rdi: at, rcx: 4n });
  program.write(DATA, new Uint8Array(32).fill(0x77));
  program.write(PAGES + 0xff0, new Uint8Array(16));
  program.run();
  expect(program.exception).toBe(14);
  expect([program.reg('rdi'), program.reg('rcx')]).toEqual([at + 8n, 3n]);
  // Of the next element the first four bytes would be in this page.
  expect((program.memory(PAGES + 0xff8)[0] ?? 0n) >> 32n).toBe(0n);
});

test.each([
  ['RET', '66 c3', 'a near branch with 16-bit operands'],
  ['ENTER', '66 c8 10 00 00', 'ENTER of 16 bits'],
])('%s of 16 bits ends the run by name', (_name, code, what) => {
  expect(new Program(code).executor.run()).toMatchObject({ what });
});

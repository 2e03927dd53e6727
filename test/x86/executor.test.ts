/** Exceptions, restarts, changed code, and the ends of a run. */
import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../src/machine/address.js';
import { CODE, DATA, HANDLERS, PAGES, Program, STACK } from './program.js';

describe('an exception leaves the state as before its instruction', () => {
  test.each([
    ['a read of an absent page', '48 03 03', 14],
    ['a write of an absent page', '48 01 03', 14],
    ['XADD to an absent page', '48 0f c1 03', 14],
    ['CMPXCHG to an absent page', '48 0f b1 0b', 14],
    ['POP to an absent page', '8f 03', 14],
    ['POP of 16 bits to an absent page', '66 8f 03', 14],
    ['an undefined instruction', '0f 0b', 6],
    ['an encoding that is none', '07', 6],
    ['an extension that CPUID does not report', 'c5 f8 77', 6],
    ['DIV by zero', '48 f7 f2', 0],
    ['a non-canonical address', '48 8b 01', 13],
    ['INT3 after which RIP is the next instruction', 'cc', 3],
  ] as const)('%s', (_name, code, vector) => {
    const program = new Program(
      code,
      {
        rax: 1n,
        rbx: BigInt(PAGES + 0x1000),
        rcx: 0x1234_0000_0000_0000n,
        rdx: 0n,
      },
      0x8d5,
    );
    expect(program.run()).toBe('halt');
    expect(program.exception).toBe(vector);
    expect([program.reg('rax'), program.reg('rdx')]).toEqual([1n, 0n]);
    const frame = vector === 13 || vector === 14 ? 6 : 5;
    const words = program.memory(STACK - 8 * frame, frame).slice(frame - 5);
    const length = vector === 3 ? 1 : 0;
    expect(words[0]).toBe(BigInt(CODE + length));
    expect((words[2] ?? 0n) & 0x8d5n).toBe(0x8d5n);
    expect(words[3]).toBe(BigInt(STACK));
  });

  test('a store that crosses into an absent page changes neither', () => {
    const program = new Program('48 89 03', { rax: -1n, rbx: BigInt(PAGES + 0xffc) });
    program.run();
    expect(program.exception).toBe(14);
    expect(program.machine_.cpus[0].cr2).toBe(BigInt(PAGES + 0x1000));
    expect(program.memory(PAGES + 0xff8).map((word) => word >> 32n)).not.toEqual([0xffff_ffffn]);
  });

  test('REP STOSB stops at an absent page with the rest of its count', () => {
    const program = new Program('f3 aa', { rax: 0x55n, rdi: BigInt(PAGES + 0xff0), rcx: 0x20n });
    program.run();
    expect(program.exception).toBe(14);
    expect([program.reg('rdi'), program.reg('rcx')]).toEqual([BigInt(PAGES + 0x1000), 0x10n]);
    expect(program.memory(PAGES + 0xff8)).toEqual([0x5555_5555_5555_5555n]);
  });

  test('an instruction that goes on in an absent page is a #PF of that page', () => {
    const program = new Program('e9 00 00 00 00');
    program.write(PAGES + 0xfff, Uint8Array.of(0x48));
    program.executor.core.rip = va(PAGES + 0xfff);
    program.run();
    expect(program.exception).toBe(14);
    expect(program.machine_.cpus[0].cr2).toBe(BigInt(PAGES + 0x1000));
  });

  test('a write of a read-only page with CR0.WP', () => {
    const program = new Program('88 03', { rbx: BigInt(PAGES + 0x2000) });
    program.run();
    expect(program.exception).toBe(14);
    expect(program.memory(STACK - 48)).toEqual([3n]);
  });
});

describe('changed code', () => {
  test('a store to the next instruction in the same block is executed', () => {
    // mov byte [rip+0], 0x43: the immediate of the next instruction, mov al, 0x42
    const program = new Program('c6 05 01 00 00 00 43 b0 42');
    program.run();
    expect(program.reg('rax')).toBe(0x43n);
  });

  test('code that was executed is decoded again after a store through another mapping', () => {
    const program = new Program('b0 01 f4 b0 02');
    program.run();
    expect(program.reg('rax')).toBe(1n);
    program.write(CODE + 1, Uint8Array.of(7));
    program.executor.core.rip = va(CODE);
    program.executor.core.halted = false;
    program.run();
    expect(program.reg('rax')).toBe(7n);
  });
});

describe('the end of a run', () => {
  test.each([Infinity, 1])(
    'at breakpoints that come and go in two pages of a loop, translated after %i runs',
    (translateAfter) => {
      // inc eax; jmp +0x1000: inc edx; nop; jmp to the start.
      const options = { translateAfter };
      const { executor, machine_ } = new Program('ff c0 e9 f9 0f 00 00', {}, 0, undefined, options);
      const second = CODE + 0x1000;
      machine_.dmaWrite(pa(second), Uint8Array.of(0xff, 0xc2, 0x90, 0xe9, 0xf8, 0xef, 0xff, 0xff));
      executor.run({ maxInstructions: 1000 });
      for (const at of [second + 2, CODE + 2, second + 3, CODE, second + 2]) {
        const breakpoints = new Set([at]);
        expect(executor.run({ breakpoints, maxInstructions: 20 })).toEqual({
          kind: 'breakpoint',
          at,
        });
      }
      expect(executor.run({ maxInstructions: 1000 }).kind).toBe('limit');
    },
  );

  test('at a breakpoint in the middle of a block, and on from there', () => {
    const { executor } = new Program('ff c0 ff c0 ff c0');
    const breakpoints = new Set([CODE + 2]);
    expect(executor.run({ breakpoints })).toEqual({ kind: 'breakpoint', at: CODE + 2 });
    expect(executor.instructions).toBe(1);
    expect(executor.run({ breakpoints }).kind).toBe('halt');
    expect(executor.core.get64(0)).toBe(3n);
  });

  test('after a number of instructions', () => {
    const { executor } = new Program('ff c0 ff c0 ff c0');
    expect(executor.step(2)).toEqual({ kind: 'limit', at: CODE + 4 });
    expect(executor.core.get64(0)).toBe(2n);
  });

  test('where asked, after the delivery of an exception, before its handler', () => {
    const program = new Program('90 0f 0b');
    const { executor } = program;
    const options = { maxInstructions: 10, stopAtHandler: true };
    expect(executor.run(options)).toEqual({ kind: 'limit', at: va(HANDLERS + 16 * 6) });
    expect(executor.instructions).toBe(1);
    expect(executor.run(options)).toMatchObject({ kind: 'halt' });
    expect(new Program('90 0f 0b').executor.run()).toMatchObject({ kind: 'halt' });
  });

  test('by name at what is not modelled, the state as before it', () => {
    const { executor } = new Program('ff c0 0f 08');
    expect(executor.run()).toMatchObject({
      kind: 'not-modelled',
      at: CODE + 2,
      mnemonic: 'invd',
      bytes: Uint8Array.of(0x0f, 0x08),
    });
    expect(executor.instructions).toBe(1);
  });

  test('by the name of an MSR that is not modelled', () => {
    const { executor } = new Program('0f 32', { rcx: 0xc001_001an });
    expect(executor.run()).toMatchObject({ kind: 'not-modelled', what: 'MSR TOP_MEM' });
  });

  test('by a triple fault', () => {
    const program = new Program('0f 0b');
    program.machine_.cpus[0].lidt(va(0), 0);
    expect(program.executor.run()).toMatchObject({ kind: 'triple-fault', at: CODE });
  });
});

test('the same program through C=1 and C=0 reads what each key gives', () => {
  const program = new Program('48 8b 03', { rbx: BigInt(DATA) });
  program.write(DATA, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  program.run();
  expect(program.reg('rax')).toBe(0x0807_0605_0403_0201n);
});

/** Translated code does what the operations do. */
import { describe, expect, test } from '@jest/globals';
import { CODE, DATA, HANDLERS, PAGES, Program, STACK } from '../program.js';
import { webAssembly } from '../../../src/x86/translate/web-assembly.js';
import { randomPrograms, SEED, stateOf } from './twins.js';

const RUNS = 50;

test(`${String(RUNS)} random programs of all forms`, () => randomPrograms(SEED, RUNS));

describe('what ends a translated block early', () => {
  /** Both ways, from the same state; the states at the end. */
  function both(
    code: string,
    registers: Record<string, bigint>,
    prepare?: (p: Program) => void,
  ): unknown[] {
    return [Infinity, 1].map((translateAfter) => {
      const program = new Program(code, registers, 0, undefined, { translateAfter });
      prepare?.(program);
      const end = program.executor.run({ maxInstructions: 10_000 });
      expect(program.executor.regions > 0).toBe(translateAfter === 1);
      return stateOf(program, end);
    });
  }

  test('a page fault in the middle has the RIP, count and flags of its instruction', () => {
    // inc rax; mov rdx, [rbx]; add rbx, 0x800; jmp to the start
    const [a, b] = both('48 ff c0 48 8b 13 48 81 c3 00 08 00 00 eb f1', { rbx: BigInt(PAGES) });
    expect(b).toEqual(a);
    expect(b).toMatchObject({ end: ['halt', HANDLERS + 14 * 16 + 1] });
  });

  test('a store to its own code is seen by the next instruction', () => {
    // dec ecx; mov byte [rip+1], cl; mov al, 0; test ecx, ecx; jnz to the start
    const [a, b] = both('ff c9 88 0d 01 00 00 00 b0 00 85 c9 75 f2', { rcx: 9n });
    expect(b).toEqual(a);
  });

  test('a breakpoint in a loop', () => {
    const ends = [Infinity, 1].map((translateAfter) => {
      // inc eax; inc edx; jmp to the start
      const program = new Program('ff c0 ff c2 eb fa', {}, 0, undefined, { translateAfter });
      program.executor.run({ maxInstructions: 3000 });
      const breakpoints = new Set([CODE + 2]);
      const end = program.executor.run({ breakpoints, maxInstructions: 3000 });
      return [end, program.executor.instructions, program.reg('rax'), program.reg('rdx')];
    });
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[1]?.[0]).toMatchObject({ kind: 'breakpoint', at: CODE + 2 });
  });

  test('an indirect jump to an address that is not canonical', () => {
    // dec ecx; jz +2; jmp to the start; shl rbx, 40; jmp rbx
    const [a, b] = both('ff c9 74 02 eb fa 48 c1 e3 28 ff e3', { rcx: 9n, rbx: 0x1234_5678n });
    expect(b).toEqual(a);
    expect(b).toMatchObject({ end: ['halt', HANDLERS + 13 * 16 + 1] });
  });

  test('indirect calls, LEAVE and accesses across a line', () => {
    // jmp +9; push rbp; mov rbp, rsp; mov [rsi+61], rcx; leave; ret; dec ecx; call rbx; jnz to dec
    const code = 'eb 0a 55 48 89 e5 48 89 4e 3d c9 c3 ff c9 9c ff d3 9d 75 f8';
    const registers = { rcx: 9n, rbx: BigInt(CODE + 2), rsi: BigInt(DATA), rsp: BigInt(STACK) };
    const [a, b] = both(code, registers);
    expect(b).toEqual(a);
    expect(b).toMatchObject({ end: ['halt', CODE + 21] });
  });

  test('RDTSC counts the instructions before it', () => {
    // rdtsc; add ebx, eax; dec ecx; jnz to the start
    const [a, b] = both('0f 31 01 c3 ff c9 75 f8', { rcx: 50n });
    expect(b).toEqual(a);
  });
});

test('where a page forbids code to be generated, the operations run', () => {
  const api = webAssembly as { Module: unknown; CompileError: new () => Error };
  const { Module: module } = api;
  // Called with `new`.
  api.Module = function Module() {
    throw new api.CompileError();
  };
  try {
    // dec ecx; jnz to the start
    const program = new Program('ff c9 75 fc', { rcx: 50n }, 0, undefined, { translateAfter: 1 });
    program.executor.run({ maxInstructions: 1000 });
    expect([program.reg('rcx'), program.executor.regions]).toEqual([0n, 0]);
    expect(program.executor.core.halted).toBe(true);
  } finally {
    api.Module = module;
  }
});

/** Random programs on two machines, one of which translates at once. */
import { expect } from '@jest/globals';
import { pa, va } from '../../../src/machine/address.js';
import type { RunEnd } from '../../../src/x86/executor.js';
import { FORMS, type InstructionForm } from '../forms.js';
import { CODE, DATA, Program, STACK } from '../program.js';

export const SEED = 20_161_004;
export const STRAIGHT = FORMS.filter(({ branch }) => branch !== true);

export function numbers(seed: number): (below: number) => number {
  let x = seed | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}
type Numbers = ReturnType<typeof numbers>;

const hex = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');

const VALUES = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  2n ** 63n,
  2n ** 64n - 1n,
];
const value = (next: Numbers): bigint =>
  next(3) === 0
    ? (VALUES[next(VALUES.length)] ?? 0n)
    : (BigInt(next(2 ** 32)) << 32n) | BigInt(next(2 ** 32));

/** Forms, some of them skipped by a conditional jump, in a loop that R15 counts. */
export function programOf(next: Numbers, forms: readonly InstructionForm[]): number[] {
  const body = forms.flatMap(({ code }) =>
    next(3) === 0 ? [0x70 + next(16), code.length, ...code] : [...code],
  );
  // A call of a routine that returns: CALL +1; JMP +1; RET.
  const call = [0xe8, 2, 0, 0, 0, 0xeb, 1, 0xc3];
  const all = [...body, ...(next(2) === 0 ? call : [])];
  // DEC R15; JNZ to the start, of 32 bits.
  const back = -(all.length + 3 + 6);
  return [...all, 0x49, 0xff, 0xcf, 0x0f, 0x85, ...new Uint8Array(Int32Array.of(back).buffer)];
}

/** All that a program can see of its machine, and what replacement and write-back will do. */
export function stateOf({ executor, machine_ }: Program, end: RunEnd): unknown {
  const { core, cpu } = executor;
  const { tags } = machine_.cache.view();
  return {
    end: [end.kind, end.at],
    rip: core.rip,
    registers: Array.from({ length: 16 }, (_, n) => core.get64(n).toString(16)),
    xmm: [...core.xmm],
    flags: core.flags.value.toString(16),
    retired: executor.instructions,
    data: Buffer.from(machine_.dmaRead(pa(DATA), 512)).toString('hex'),
    stack: Buffer.from(machine_.dmaRead(pa(STACK - 256), 512)).toString('hex'),
    used: [...tags.replacement.used],
    dirty: [...tags.dirtyBits],
    written: [...tags.written],
    origins: [...tags.origin],
    origin: machine_.origin,
    tlb: cpu.tlb.entries(),
  };
}

function start(code: readonly number[], next: Numbers, translateAfter: number): Program {
  const program = new Program(hex(code), {}, 0, undefined, { translateAfter });
  const { core, cpu } = program.executor;
  // The code of each 16 bytes has another name; the first has none.
  program.executor.originOf = (at) => (at - CODE) >> 4;
  for (let n = 0; n < 16; n++) core.set64(n, value(next));
  for (let i = 0; i < 8; i++) core.xmm[i] = next(2 ** 32) | 0;
  for (const [register, at] of [
    [3, DATA + 64],
    [4, STACK],
    [5, DATA + 128],
    [6, DATA + 192],
    [7, DATA + 256],
    [15, 5],
  ] as const) {
    core.set64(register, BigInt(at));
  }
  core.flags.value = (next(2 ** 12) & 0x8d5) | 2;
  cpu.write(
    va(DATA),
    Uint8Array.from({ length: 512 }, () => next(256)),
  );
  return program;
}

/** Runs a program in parts of random lengths, and compares after each. */
export function compare(code: readonly number[], seed: number): void {
  const [ours, theirs] = [Infinity, 1].map((after) => start(code, numbers(seed), after));
  if (ours === undefined || theirs === undefined) throw new RangeError();
  const next = numbers(seed + 1);
  for (let part = 0; part < 12; part++) {
    const maxInstructions = 1 + next(40);
    const [a, b] = [ours, theirs].map((each) =>
      stateOf(each, each.executor.run({ maxInstructions })),
    );
    expect([hex(code), seed, part, b]).toEqual([hex(code), seed, part, a]);
    if (ours.executor.core.halted) return;
  }
}

/** Compares random programs with seeds from `first` on. */
export function randomPrograms(first: number, count: number): void {
  const next = numbers(first);
  for (let run = 0; run < count; run++) {
    const forms = Array.from({ length: 1 + next(8) }, () => STRAIGHT[next(STRAIGHT.length)]);
    const known = forms.filter((form) => form !== undefined);
    compare(programOf(next, known), first + run);
  }
}

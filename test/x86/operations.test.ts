/** Operations that are made once for all places of an instruction. */
import { describe, expect, test } from '@jest/globals';
import { va } from '../../src/machine/address.js';
import { decode } from '../../src/x86/decode/decoder.js';
import { isUndecoded } from '../../src/x86/decode/instruction.js';
import type { Op, Site } from '../../src/x86/operands.js';
import { Operations } from '../../src/x86/operations.js';
import { FORMS } from './forms.js';
import { CODE, DATA, Program } from './program.js';

const { core } = new Program('').executor;
const bytesOf = (code: string): number[] => code.split(' ').map((each) => parseInt(each, 16));

function siteOf(code: readonly number[], at = 0): Site {
  const instruction = decode(Uint8Array.from(code), 0, code.length, 64);
  if (isUndecoded(instruction)) throw new Error(`not an instruction: ${code.join(' ')}`);
  return { core, instruction, at: va(at), next: va(at + instruction.length), index: 0 };
}

function pair(code: readonly number[]): readonly [Op, Op] {
  const operations = new Operations();
  const bytes = Uint8Array.from(code);
  return [operations.at(siteOf(code), bytes).op, operations.at(siteOf(code, 4096), bytes).op];
}

describe('shared', () => {
  test.each([
    ['MOV', '48 8b 43 08'],
    ['ADD', '48 01 c8'],
    ['CMOVE', '48 0f 44 c1'],
    ['PUSH', '50'],
  ])('%s', (_name, code) => {
    const [one, other] = pair(bytesOf(code));
    expect(one).toBe(other);
  });

  test.each([
    ['a load relative to RIP', '48 8b 05 00 00 00 00'],
    ['LEA relative to RIP', '48 8d 05 00 00 00 00'],
    ['a branch', '74 00'],
    ['a call', 'e8 00 00 00 00'],
    ['RDTSC, which counts the instructions before it', '0f 31'],
    ['IN, which counts them too', 'ec'],
  ])('not %s', (_name, code) => {
    const [one, other] = pair(bytesOf(code));
    expect(one).not.toBe(other);
  });

  test('no operation that is shared was made from its address, or its place in a block', () => {
    const shared = FORMS.filter(({ code }) => {
      const [one, other] = pair(code);
      return one === other;
    });
    expect(shared.length).toBeGreaterThan(100);
    for (const { code, mnemonic } of shared) {
      const { instruction } = siteOf(code);
      const read = (): never => {
        throw new Error(`${mnemonic} reads its place`);
      };
      const site: Site = {
        core,
        instruction,
        get at() {
          return read();
        },
        // All operands are made with it; only those relative to RIP use it.
        next: va(0),
        get index() {
          return read();
        },
      };
      new Operations().at(site, Uint8Array.from(code));
    }
  });
});

test('equal bytes relative to RIP read what follows each of them', () => {
  const load = '48 8b 05 f9 0f 10 00';
  const program = new Program(`${load} 48 89 c1 ${load}`);
  const first = CODE + 7 + 0x100ff9;
  program.write(first, Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]));
  expect(first).toBe(DATA + 0x1000);
  program.run();
  expect([program.reg('rcx'), program.reg('rax')]).toEqual([1n, 2n]);
});

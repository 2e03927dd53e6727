/** Direct accesses to lines in the cache see all that changes them: translations, DMA, listeners, CPL. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, pa, va } from '../../src/machine/address.js';
import { CODE, DATA, machine, PAGES, Program } from './program.js';

/** mov rax, [rbx]; mov rcx, [rbx] */
const TWO_LOADS = '48 8b 03 48 8b 0b';
const PTE = 0x1_3000;
const C_BIT = 1n << 47n;

const word = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);

/** A program that has loaded from PAGES twice, so that the line is known; it can be run again. */
function warm(code = TWO_LOADS): Program {
  const m = machine();
  m.dmaWrite(pa(PAGES), word(7n));
  const program = new Program(code, { rbx: BigInt(PAGES) }, 0, m);
  program.run();
  return program;
}

function again(program: Program): bigint {
  const { core } = program.executor;
  core.rip = va(CODE);
  core.halted = false;
  program.run();
  return program.reg('rax');
}

describe('a load of a known line', () => {
  test('reads what a device has written', () => {
    const program = warm();
    program.write(PAGES, word(8n));
    expect(again(program)).toBe(8n);
  });

  test('reads through the old translation until INVLPG', () => {
    const program = warm();
    program.write(PAGES + 0x5000, word(9n));
    program.write(PTE, word(BigInt(PAGES + 0x5000) | 0x63n));
    expect(again(program)).toBe(7n);
    program.machine_.cpus[0].invlpg(va(PAGES));
    expect(again(program)).toBe(9n);
  });

  test('reads under the key of the new mapping after MOV CR3', () => {
    const program = warm();
    program.machine_.dmaWrite(pa(PAGES + 0x5000), word(9n), KEY_HOST);
    program.write(PTE, word(BigInt(PAGES + 0x5000) | 0x63n | C_BIT));
    const cpu = program.machine_.cpus[0];
    cpu.writeCr3(cpu.cr3);
    expect(again(program)).toBe(9n);
  });

  test('is told to a listener that comes later', () => {
    const program = warm();
    const seen: number[] = [];
    program.machine_.probes.accessed.listen((kind, _cpu, at) => {
      if (kind === 'read') seen.push(at);
    });
    again(program);
    expect(seen).toEqual([PAGES, PAGES]);
  });

  test('is a #PF once the page is absent and its translation invalidated', () => {
    const program = warm();
    program.write(PTE, word(0n));
    program.machine_.cpus[0].invlpg(va(PAGES));
    again(program);
    expect(program.exception).toBe(14);
  });
});

describe('a store to a known line', () => {
  test('is written back with the line', () => {
    // mov [rbx], rbx, twice; mov byte [rbx], 1
    const program = warm('48 89 1b 48 89 1b c6 03 01');
    program.machine_.cpus[0].wbinvd();
    const [low] = program.machine_.dmaRead(pa(PAGES), 8);
    expect(low).toBe(1);
    expect(program.memory(PAGES)).toEqual([BigInt(PAGES) + 1n]);
  });

  test('to a page that has got code since is seen by that code', () => {
    // mov [rbx], eax, twice; call rbx; then the same with another value
    const program = new Program('89 03 89 03 ff d3 b8 b0 02 c3 90 89 03 ff d3', {
      rax: 0x90c3_01b0n,
      rbx: BigInt(DATA),
    });
    program.run();
    expect(program.reg('rax') & 0xffn).toBe(2n);
  });
});

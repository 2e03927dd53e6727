import { describe, expect, test } from '@jest/globals';
import { FEATURES, REGISTERS, registerHex, setRegister } from '../../src/gdb/registers.js';
import type { GdbRegister } from '../../src/gdb/registers.js';
import { Program } from '../x86/program.js';

const { core } = new Program('90').executor;

function named(name: string): GdbRegister {
  const found = REGISTERS.find((each) => each.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}
const get = (name: string): string => registerHex(core, named(name));
const set = (name: string, text: string): boolean => setRegister(core, named(name), text);

test('the standard features have gdb’s registers in its order', () => {
  const names = FEATURES.map(({ registers }) => registers.map(({ name }) => name).join(' '));
  expect(names[0]).toBe(
    'rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags cs ss ds es fs gs ' +
      'st0 st1 st2 st3 st4 st5 st6 st7 fctrl fstat ftag fiseg fioff foseg fooff fop',
  );
  expect(names[1]).toMatch(/^xmm0 xmm1 .* xmm15 mxcsr$/);
  expect(names[2]).toBe('fs_base gs_base');
  expect(names[3]).toBe('k_gs_base cr0 cr2 cr3 cr4 cr8 efer pat syscfg');
});

test('values have the target’s byte order', () => {
  core.set64(3, 0x0102_0304_0506_0708n);
  expect(get('rbx')).toBe('0807060504030201');
  core.xmm.set([0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0x0f0e_0d0c | 0]);
  expect(get('xmm0')).toBe('000102030405060708090a0b0c0d0e0f');
  expect(get('cs')).toBe('10000000');
  expect(get('cr3')).toBe('0000010000000000');
  expect(get('mxcsr')).toBe('801f0000');
  expect(get('fctrl')).toBe('7f030000');
});

test('x87 registers are those of the stack, with their tags by physical register', () => {
  expect([get('st0'), get('ftag')]).toEqual(['0'.repeat(20), 'ffff0000']);
  // TOP is 6: ST(0) is register 6 with 1.0, ST(1) register 7 with zero, ST(2) register 0 with an infinity.
  core.fsw = 6 << 11;
  core.x87InUse = 0b1100_0001;
  core.x87.set([0, 0x8000_0000 | 0, 0x3fff, 0], 4 * 6);
  core.x87.set([0, 0x8000_0000 | 0, 0xffff, 0], 0);
  expect([get('st0'), get('st1'), get('st2')]).toEqual([
    '0000000000000080ff3f',
    '0'.repeat(20),
    '0000000000000080ffff',
  ]);
  expect(get('ftag')).toBe('fe4f0000');
  expect([get('fstat'), get('fioff')]).toEqual(['00300000', 'xxxxxxxx']);
  core.fsw = 0;
  core.x87InUse = 0;
});

describe('a register that is set', () => {
  test.each([
    ['r15', 'f0debc9a78563412'],
    ['xmm15', '0123456789abcdef0123456789abcdef'],
    ['mxcsr', '80ff0000'],
    ['fs_base', '0000000000a8ffff'],
    ['gs_base', '0010000000000000'],
    ['k_gs_base', '0020000000000000'],
  ])('%s has the value', (name, text) => {
    expect(set(name, text)).toBe(true);
    expect(get(name)).toBe(text);
  });

  test('flags, but none that is not modelled', () => {
    expect(set('eflags', 'd70a0000')).toBe(true);
    expect(get('eflags')).toBe('d70a0000');
    for (const text of ['03010000', '02000200', '02000800', '08000000']) {
      expect(set('eflags', text)).toBe(false);
    }
    expect(get('eflags')).toBe('d70a0000');
  });

  test('segment bases are in the MSR and in what instructions use', () => {
    set('gs_base', '0010000000a8ffff');
    expect(core.cpu.msrs.get('GS_BASE')).toBe(0xffff_a800_0000_1000n);
    expect([core.segmentLow[5], core.segmentHigh[5]]).toEqual([0x1000, 0xffff_a800 | 0]);
    expect(set('gs_base', '0000000000800000')).toBe(false);
  });

  test('reserved bits of MXCSR are refused', () => {
    expect(set('mxcsr', '00000100')).toBe(false);
  });

  test('one that is read-only takes only the value that it has', () => {
    expect([set('cr0', get('cr0')), set('cr0', '0000000000000000'), set('st1', '00')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

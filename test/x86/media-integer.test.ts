/** Packed integers by hand from the manual (APM vol. 4): XMM0 with XMM1; media-parts.ts too. */
import { describe, expect, test } from '@jest/globals';
import { DATA, Program } from './program.js';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** Runs code with XMM0 and XMM1 given byte by byte, RSI at a copy of the second; XMM0 afterwards, and the program. */
function run(code: string, xmm0: string, xmm1: string): { xmm0: string; program: Program } {
  const program = new Program(code, { rsi: BigInt(DATA), rax: -1n });
  const cpu = program.machine_.cpus[0];
  cpu.writeCr4(cpu.cr4 | 0x600);
  const xmm = new Uint8Array(program.executor.core.xmm.buffer);
  xmm.set(bytes(xmm0));
  xmm.set(bytes(xmm1), 16);
  program.write(DATA, bytes(xmm1));
  expect([program.run(), program.exception]).toEqual(['halt', undefined]);
  return { xmm0: Buffer.from(xmm.subarray(0, 16)).toString('hex'), program };
}

const A = '00 01 7f 80 ff fe 10 20 30 40 50 60 70 80 90 a0';
const B = '00 ff 01 80 01 fe 20 10 31 3f 50 61 7f 81 8f ff';

test.each([
  ['PADDB wraps', '66 0f fc c1', '00008000' + '00fc3030' + '617fa0c1' + 'ef011f9f'],
  ['PADDUSB saturates', '66 0f dc c1', '00ff80ff' + 'ffff3030' + '617fa0c1' + 'efffffff'],
  [
    'PADDSB saturates on both sides',
    '66 0f ec c1',
    '00007f80' + '00fc3030' + '617f7f7f' + '7f80809f',
  ],
  ['PSUBUSB saturates at 0', '66 0f d8 c1', '00007e00' + 'fe000010' + '00010000' + '00000100'],
  ['PSUBSB', '66 0f e8 c1', '00027e00' + 'fe00f010' + 'ff0100ff' + 'f1ff01a1'],
  ['PCMPEQB', '66 0f 74 c1', 'ff0000ff' + '00ff0000' + '0000ff00' + '00000000'],
  ['PCMPGTB is signed', '66 0f 64 c1', '00ffff00' + '000000ff' + '00ff0000' + '0000ff00'],
  ['PMINUB', '66 0f da c1', '00010180' + '01fe1010' + '303f5060' + '70808fa0'],
  ['PUNPCKLBW', '66 0f 60 c1', '000001ff' + '7f018080' + 'ff01fefe' + '10202010'],
  ['PUNPCKHWD', '66 0f 69 c1', '3040313f' + '50605061' + '70807f81' + '90a08fff'],
  ['PSHUFD 1b reverses', '66 0f 70 c1 1b', '7f818fff' + '313f5061' + '01fe2010' + '00ff0180'],
  ['PSHUFLW 00', 'f2 0f 70 c1 00', '00ff00ff' + '00ff00ff' + '313f5061' + '7f818fff'],
  ['PSLLDQ 5', '66 0f 73 f8 05', '00000000' + '0000017f' + '80fffe10' + '20304050'],
  ['PSRLDQ 14', '66 0f 73 d8 0e', '90a00000' + '00000000' + '00000000' + '00000000'],
  ['PSRLDQ 16 clears', '66 0f 73 d8 10', '00'.repeat(16)],
  ['PSRAW 20 leaves signs', '66 0f 71 e0 14', '0000ffff' + 'ffff0000' + '00000000' + 'ffffffff'],
  ['PSLLQ by 65 of a register clears', '66 0f f3 c1', '00'.repeat(16)],
  ['MOVHLPS', '0f 12 c1', '313f5061' + '7f818fff' + '30405060' + '708090a0'],
  ['MOVLHPS', '0f 16 c1', '00017f80' + 'fffe1020' + '00ff0180' + '01fe2010'],
  ['MOVHPS from memory', '0f 16 06', '00017f80' + 'fffe1020' + '00ff0180' + '01fe2010'],
  [
    'MOVSD from memory clears the high half',
    'f2 0f 10 06',
    '00ff0180' + '01fe2010' + '00'.repeat(8),
  ],
  ['MOVSD of registers keeps it', 'f2 0f 10 c1', '00ff0180' + '01fe2010' + '30405060' + '708090a0'],
])('%s', (_name, code, expected) => {
  expect(run(code, A, B).xmm0).toBe(expected);
});

describe('sign bits and words', () => {
  test('PMOVMSKB clears the rest of the register', () => {
    const { program } = run('66 0f d7 c1', A, B);
    // Bytes 1, 3, 5, 13, 14 and 15 of the second have their sign.
    expect(program.reg('rax')).toBe(0xe02an);
  });

  test('PEXTRW takes the word of a number modulo 8', () => {
    expect(run('66 0f c5 c1 0a', A, B).program.reg('rax')).toBe(0xfe01n);
  });
});

test('a source in memory that is not aligned is a #GP', () => {
  const program = new Program('66 0f fc 46 01', { rsi: BigInt(DATA) });
  const cpu = program.machine_.cpus[0];
  cpu.writeCr4(cpu.cr4 | 0x600);
  program.run();
  expect(program.exception).toBe(13);
});

test('the forms of MMX registers are not modelled', () => {
  const program = new Program('0f fc c1');
  expect(program.executor.run()).toMatchObject({ what: 'PADDB of MMX registers' });
});

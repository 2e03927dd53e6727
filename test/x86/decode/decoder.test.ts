/** The decoder against what iced-x86 1.21.0 gave for a sequence of each form; recorded by test/live/x86-decoder.test.ts. */
import { describe, expect, test } from '@jest/globals';
import { decode } from '../../../src/x86/decode/decoder.js';
import type { CodeWidth } from '../../../src/x86/decode/instruction.js';
import { fixtureText } from '../../fixtures/fixture.js';
import { text } from './text.js';

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** The decoding of a sequence as text, its bytes at address 0x1000. */
function decoded(hex: string, width: CodeWidth = 64): string {
  return text(decode(bytesOf(hex), 0, undefined, width), 0x1000n);
}

describe('the recorded sequences', () => {
  const rows = fixtureText('x86/encodings.txt').trimEnd().split('\n');

  test.each<CodeWidth>([64, 32, 16])('are the recorded instructions in %i-bit code', (width) => {
    const own = rows.filter((row) => row.startsWith(`${String(width)} `));
    expect(own.length).toBeGreaterThan(1000);
    const wrong = own.flatMap((row) => {
      const [, hex = '', ...rest] = row.split(' ');
      const ours = decoded(hex, width);
      return ours === rest.join(' ') ? [] : [`${row} ours: ${ours}`];
    });
    expect(wrong).toEqual([]);
  });

  test('that are cut short are truncated, at each byte', () => {
    for (const row of rows.filter((_, index) => index % 10 === 0)) {
      const [width, hex = ''] = row.split(' ');
      for (let length = 0; length < hex.length / 2; length++) {
        const result = decode(bytesOf(hex), 0, length, Number(width) as CodeWidth);
        expect([hex, length, result]).toMatchObject([hex, length, { undecoded: 'truncated' }]);
      }
    }
  });
});

describe('invalid encodings', () => {
  test.each([
    ['LOCK before an instruction that may not have it', 'f08b00'],
    ['LOCK with a register destination', 'f001c0'],
    ['MOV to CS', '8ec8'],
    ['MOV to a segment register that does not exist', '8ef0'],
    ['MOV from CR1', '0f20c8'],
    ['POP ES in 64-bit mode', '07'],
    ['LEA of a register', '8dc0'],
    ['group 5 with ModRM.reg 7', 'fff8'],
    ['VEX after REX', '48c5f877'],
  ])('%s is none', (_, hex) => {
    expect(decoded(hex)).toBe('invalid');
  });

  test('an instruction of 15 bytes is valid, one of 16 too long', () => {
    expect(decoded(`${'66'.repeat(14)}90`)).toBe('nop  /15');
    expect(decoded(`${'66'.repeat(15)}90`)).toBe('too-long');
  });
});

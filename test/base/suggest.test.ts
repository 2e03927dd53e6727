import { describe, expect, test } from '@jest/globals';
import { didYouMean, nearest, oneOf, suggest } from '../../src/base/suggest.js';

const NAMES = [
  'run',
  'check',
  'epyc-efi',
  'bios-minimal',
  '09/initrd',
  '09/bootdata',
  'nic to device',
];

describe('the names nearest to a misspelt one', () => {
  test.each([
    ['rnu', ['run']],
    ['chekc', ['check']],
    ['Epyc_EFI', ['epyc-efi']],
    ['bios minimal', ['bios-minimal']],
    ['09/initr', ['09/initrd']],
    ['initrd', ['09/initrd']],
    ['nic to devise', ['nic to device']],
    ['frobnicate', []],
    ['', []],
    ['x'.repeat(10_000), []],
  ])('%j: %j', (given, names) => {
    expect(nearest(given, NAMES)).toEqual(names);
  });

  test('are at most three, and never the name itself', () => {
    expect(nearest('a1', ['a2', 'a3', 'a4', 'a5'])).toEqual(['a2', 'a3', 'a4']);
    expect(nearest('run', ['run'])).toEqual([]);
  });

  test('are joined for an error, and for the end of a sentence', () => {
    expect(suggest('c2', ['c0', 'c1', 'dram'])).toEqual({ suggestion: 'c0 or c1' });
    expect(suggest('frobnicate', NAMES)).toEqual({});
    expect(didYouMean('rnu', NAMES)).toBe('; did you mean run?');
    expect(didYouMean('frobnicate', NAMES)).toBe('');
  });

  test('a list that is too long for a line is named instead', () => {
    expect(oneOf(['a', 'b'], 'a name')).toBe('a, b');
    expect(oneOf(Array<string>(100).fill('name'), 'a name')).toBe('a name');
    expect(oneOf([], 'a name')).toBe('a name');
  });
});

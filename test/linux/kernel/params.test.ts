import { describe, expect, test } from '@jest/globals';
import {
  get_option,
  memparse,
  parse_option_str,
  simple_strtoull,
} from '../../../src/linux/lib/cmdline.js';
import { cString, parameq, parameqn, parse_args } from '../../../src/linux/kernel/params.js';

const pairs = (line: string): [string, string | undefined][] =>
  parse_args(line).params.map(({ param, val }) => [param, val]);

describe('next_arg', () => {
  test.each<[string, [string, string | undefined][]]>([
    ['', []],
    ['   ', []],
    ['  quiet ', [['quiet', undefined]]],
    ['a-b=c-d', [['a-b', 'c-d']]],
    [
      'x="a b" y',
      [
        ['x', 'a b'],
        ['y', undefined],
      ],
    ],
    ['x=a=b', [['x', 'a=b']]],
    ['x=', [['x', '']]],
    // A quote before the name encloses the whole word.
    [
      '"x=a b" y',
      [
        ['x', 'a b'],
        ['y', undefined],
      ],
    ],
    ['"quiet"', [['quiet', undefined]]],
    // Quotes in the middle protect spaces and are not removed.
    ['x=a" "b', [['x', 'a" "b']]],
    // A quote that is never closed runs to the end of the line.
    ['x="a b', [['x', 'a b']]],
    // An = as first character does not separate a value.
    ['=x', [['=x', undefined]]],
    [
      '\tx\n=y\u00a0z',
      [
        ['x', undefined],
        ['=y', undefined],
        ['z', undefined],
      ],
    ],
  ])('splits %j into options', (line, expected) => {
    expect(pairs(line)).toEqual(expected);
  });
});

describe('parse_args', () => {
  test('stops only at -- as a word of its own', () => {
    expect(parse_args('a -- b=1 c')).toEqual({
      params: [{ param: 'a', val: undefined }],
      afterDashes: 'b=1 c',
    });
    expect(pairs('a --b --=1 c').map(([param]) => param)).toEqual(['a', '--b', '--', 'c']);
    expect(parse_args('a').afterDashes).toBeUndefined();
  });
});

test('parameq() and parameqn() compare dashes and underscores as equal', () => {
  expect(parameq('nr-cpus', 'nr_cpus')).toBe(true);
  expect(parameq('nr_cpus', 'nr_cpu')).toBe(false);
  expect(parameqn('amd-iommu=off', 'amd_iommu=')).toBe(true);
  expect(parameqn('amd-iommu', 'amd_iommu=')).toBe(false);
});

test('cString() ends at the NUL', () => {
  expect(cString(Uint8Array.of(0x61, 0xe4, 0, 0x62))).toBe('a\u00e4');
  expect(cString(Uint8Array.of(0x61))).toBe('a');
});

describe('lib/cmdline.c', () => {
  test.each<[string, bigint, string]>([
    ['0', 0n, ''],
    ['2G', 2n << 30n, ''],
    ['0x10k@', 0x4000n, '@'],
    ['010M', 8n << 20n, ''],
    ['1T', 1n << 40n, ''],
    ['3p', 3n << 50n, ''],
    ['1e', 1n << 60n, ''],
    ['64M$1G', 64n << 20n, '$1G'],
    ['G', 0n, ''],
    ['x', 0n, 'x'],
    ['08', 0n, '8'],
    ['0x', 0n, 'x'],
    // The result wraps at 64 bits.
    ['32E', 0n, ''],
  ])('memparse(%j)', (text, value, rest) => {
    expect(memparse(text)).toEqual({ value, rest });
  });

  test('simple_strtoull() wraps at 64 bits', () => {
    expect(simple_strtoull('18446744073709551617').value).toBe(1n);
  });

  test.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['x', undefined],
    ['3', 3],
    ['-1', -1],
    ['0x10,4', 16],
    ['4-6', 4],
    ['4294967295', -1],
  ])('get_option(%j)', (text, value) => {
    expect(get_option(text)).toBe(value);
  });

  test.each<[string, boolean]>([
    ['debug', true],
    ['old_map,debug', true],
    ['debugx', false],
    ['xdebug', false],
    ['debugx,debug', true],
    ['', false],
  ])('parse_option_str(%j, debug)', (text, found) => {
    expect(parse_option_str(text, 'debug')).toBe(found);
  });
});

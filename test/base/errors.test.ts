import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatPlace, InputError, type Place } from '../../src/base/errors.js';

describe('formatPlace of', () => {
  const cases: readonly (readonly [string, Place, string])[] = [
    ['an empty place', {}, ''],
    ['a file', { file: 'vmlinuz' }, 'vmlinuz'],
    ['the first byte of a file', { file: 'vmlinuz', offset: 0 }, 'vmlinuz, offset 0x0'],
    ['a byte in a file', { file: 'vmlinuz', offset: 0x202 }, 'vmlinuz, offset 0x202'],
    ['a byte without a file', { offset: 0x1f1 }, 'offset 0x1f1'],
    ['a line', { file: 'boot.yaml', line: 12 }, 'boot.yaml:12'],
    ['a line and a column', { file: 'boot.yaml', line: 12, column: 3 }, 'boot.yaml:12:3'],
    ['a line without a file', { line: 12, column: 3 }, 'line 12:3'],
    [
      'a column without a line leaves the column out',
      { file: 'boot.yaml', column: 3 },
      'boot.yaml',
    ],
    ['a value in YAML', { file: 'a.yaml', path: 'dram.size' }, 'a.yaml, dram.size'],
    [
      'everything',
      { file: 'a.yaml', path: 'dram.size', line: 2, column: 7, offset: 16 },
      'a.yaml:2:7, dram.size, offset 0x10',
    ],
  ];
  test.each(cases)('%s', (_title, place, text) => {
    expect(formatPlace(place)).toBe(text);
  });
});

describe('InputError', () => {
  const notAKernel = {
    code: 'E_NOT_A_KERNEL',
    place: { file: 'vmlinuz', offset: 0x202 },
    expected: '"HdrS"',
    found: '"\\x7fELF"',
  };

  test('has code, place, expected and found in a one-line message', () => {
    expect(new InputError(notAKernel).message).toBe(
      'E_NOT_A_KERNEL: vmlinuz, offset 0x202: expected "HdrS", found "\\x7fELF"',
    );
  });

  test('has its parts as properties', () => {
    const error = new InputError(notAKernel);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('InputError');
    expect(error).toMatchObject(notAKernel);
    expect(error.reason).toBeUndefined();
  });

  test('has the underlying error as its cause, and no cause property without one', () => {
    const cause = new RangeError('short read');
    expect(new InputError({ ...notAKernel, cause }).cause).toBe(cause);
    expect(Object.hasOwn(new InputError(notAKernel), 'cause')).toBe(false);
  });

  test('has no properties for parts that were not given', () => {
    const error = new InputError({ code: 'E_EMPTY' });
    expect(error.message).toBe('E_EMPTY');
    expect(error.place).toEqual({});
    for (const key of ['expected', 'found', 'reason'] as const) {
      expect(Object.hasOwn(error, key)).toBe(false);
    }
  });

  test('puts a reason before expected and found', () => {
    const error = new InputError({ ...notAKernel, reason: 'no boot sector' });
    expect(error.message).toBe(
      'E_NOT_A_KERNEL: vmlinuz, offset 0x202: no boot sector; expected "HdrS", found "\\x7fELF"',
    );
    expect(new InputError({ code: 'E_X', reason: 'why' }).message).toBe('E_X: why');
    expect(new InputError({ code: 'E_X', found: 'this' }).message).toBe('E_X: found this');
    expect(new InputError({ code: 'E_X', expected: 'that' }).message).toBe('E_X: expected that');
  });

  test('format() has one line for each part that was given', () => {
    expect(new InputError({ ...notAKernel, reason: 'no boot sector' }).format()).toBe(
      [
        'E_NOT_A_KERNEL: vmlinuz, offset 0x202',
        '  no boot sector',
        '  expected: "HdrS"',
        '  found:    "\\x7fELF"',
      ].join('\n'),
    );
    expect(new InputError({ code: 'E_EMPTY' }).format()).toBe('E_EMPTY');
  });

  test('has a one-line message for any input', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, text, (file, reason, expected, found) => {
        const error = new InputError({ code: 'E_X', place: { file }, reason, expected, found });
        expect(error.message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        expect(error.format().split('\n')).toHaveLength(4);
      }),
    );
  });

  test('within() adds parts of the place and does not replace any', () => {
    const cause = new Error('underneath');
    const inner = new InputError({
      code: 'E_X',
      place: { offset: 4, line: 1 },
      reason: 'why',
      expected: 'a',
      found: 'b',
      cause,
    });
    const outer = inner.within({ file: 'initrd', offset: 0, path: 'boot.initrd' });
    expect(outer.place).toEqual({ file: 'initrd', path: 'boot.initrd', offset: 4, line: 1 });
    expect(outer).toMatchObject({ code: 'E_X', reason: 'why', expected: 'a', found: 'b' });
    expect(outer.cause).toBe(cause);
    const bare = new InputError({ code: 'E_Y' }).within({ file: 'x' });
    expect(bare.message).toBe('E_Y: x');
  });
});

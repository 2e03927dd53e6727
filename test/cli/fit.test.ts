import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fitted, shortened, widthOf } from '../../src/cli/fit.js';
import { splitWords } from '../../src/base/shell-words.js';

describe('fitted', () => {
  test('leaves a text that fits, and any text if the number of columns is not limited', () => {
    expect(fitted('  a  b\n\nc\n', 20)).toBe('  a  b\n\nc\n');
    expect(fitted('x'.repeat(500), undefined)).toBe('x'.repeat(500));
  });

  test('continues a line below, indented', () => {
    expect(fitted('  one two three four five six', 20)).toBe(
      '  one two three four\n      five six',
    );
  });

  test('cuts a word that is longer than a line, without losing a character', () => {
    expect(fitted(`a ${'x'.repeat(30)} b`, 20)).toBe(
      `a\n    ${'x'.repeat(16)}\n    ${'x'.repeat(14)} b`,
    );
  });

  test('colours take no column', () => {
    const painted = `\u001b[31m${'x'.repeat(10)}\u001b[39m \u001b[32m${'y'.repeat(9)}\u001b[39m`;
    expect(fitted(painted, 20)).toBe(painted);
    expect(widthOf(painted)).toBe(20);
    expect(fitted(`${painted} z`, 20)).toBe(`${painted}\n    z`);
  });

  test('continues a command with a backslash outside of quotations', () => {
    const command = "sme-boot run a --set 'expect={a: b, c: d}' --without 09/initrd --stub";
    const lines = fitted(`    Rerun: ${command}`, 40).split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
    const pasted = lines
      .join('\n')
      .replace(/^.*Rerun: /, '')
      .replaceAll('\\\n', ' ');
    expect(splitWords(pasted).words).toEqual(splitWords(command).words);
  });

  test('no line is longer than the terminal, and no character but spaces is lost', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', 'long', '\n', '\u001b[1m', 'é'),
    });
    fc.assert(
      fc.property(text, fc.integer({ min: 20, max: 60 }), (given, columns) => {
        const fit = fitted(given, columns);
        for (const line of fit.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns);
        expect(fit.replace(/[ \n]/g, '')).toBe(given.replace(/[ \n]/g, ''));
      }),
    );
  });
});

test('shortened ends with an ellipsis if something was cut', () => {
  expect(shortened('abcdef', 6)).toBe('abcdef');
  expect(shortened('abcdefg', 6)).toBe('abcde…');
  expect(shortened('abc', 0)).toBe('…');
});

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commandLine, quoted, splitWords } from '../../src/base/shell-words.js';

describe('quoted', () => {
  test.each([
    ['epyc-efi', 'epyc-efi'],
    ['machine.ram=4GiB', 'machine.ram=4GiB'],
    ['09/initrd', '09/initrd'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['$HOME', "'$HOME'"],
    ['~', "'~'"],
    ['=ls', "'=ls'"],
    ['a;b', "'a;b'"],
    ['expect={"a":1}', `'expect={"a":1}'`],
    ['überall', "'überall'"],
    ["a\nb'\\", "$'a\\012b\\'\\\\'"],
    ['\u0085', "$'\\302\\205'"],
    ['é\t€', "$'é\\011€'"],
  ])('%j is %s', (word, expected) => {
    expect(quoted(word)).toBe(expected);
    expect(splitWords(expected).words).toEqual([word]);
  });

  test('a POSIX shell reads quoted words back', () => {
    const words = [
      '',
      "it's",
      '"',
      '$(id)',
      '`id`',
      '\\',
      '*',
      '#x',
      '!x',
      '  ',
      'a=b',
      '-n',
      '&|;<>',
    ];
    const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${commandLine(words)}`]);
    expect(stdout.toString().split('\0').slice(0, -1)).toEqual(words);
  });

  test('any words are split again, and are on one line', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom(...`az 'é€\\"\n\u0085\u001b\t$=~`) })),
        (words) => {
          const line = commandLine(words);
          expect(line).not.toMatch(/\p{Cc}/u);
          expect(splitWords(line)).toEqual({ words, open: '', inWord: words.length > 0 });
        },
      ),
    );
  });
});

describe('splitWords', () => {
  test.each([
    ['run bios-minimal ', ['run', 'bios-minimal'], '', false],
    ['run  b', ['run', 'b'], '', true],
    [`a 'b c' "d \\"e" f\\ g`, ['a', 'b c', 'd "e', 'f g'], '', true],
    [`--mem "kernel te`, ['--mem', 'kernel te'], '"', true],
    ["--mem 'kernel ", ['--mem', 'kernel '], "'", true],
    ['a\\', ['a'], '\\', true],
    ['', [], '', false],
  ])('%j', (line, words, open, inWord) => {
    expect(splitWords(line)).toEqual({ words, open, inWord });
  });
});

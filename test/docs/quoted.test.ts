import { describe, expect, test } from '@jest/globals';
import { blocksOf, inlineCommandsOf, quotedOf, shellLinesOf } from './blocks.js';
import { lineMatches, mismatch } from './quoted.js';
import { requote } from './requote.js';
import { shellWords } from './shell-words.js';

describe('a quoted line', () => {
  test('equals the line of output, except blanks at its ends', () => {
    expect(lineMatches('  CR3 := pgd, C=1', '    CR3 := pgd, C=1 ')).toBe(true);
    expect(lineMatches('CR3 := pgd, C=1', 'CR3 := pgd, C=0')).toBe(false);
    expect(lineMatches('a.c', 'abc')).toBe(false);
  });

  test('matches any text at …', () => {
    expect(lineMatches('- {map: 0x0, …, C: 1, …}', '- {map: 0x0, size: 2M, C: 1, in: f}')).toBe(
      true,
    );
    expect(lineMatches('- {map: 0x0, …, C: 0, …}', '- {map: 0x0, size: 2M, C: 1, in: f}')).toBe(
      false,
    );
  });
});

describe('quoted output', () => {
  const output = ['one', 'two', 'three', 'four'];

  test.each([
    [['one', 'two', 'three', 'four']],
    [['…', 'four']],
    [['one', '…', 'three', '…']],
    [['…']],
  ])('%j matches four lines of output', (quoted) => {
    expect(mismatch(quoted, output)).toBeUndefined();
  });

  test.each([
    ['a line that is not there', ['one', 'TWO', '…'], 1],
    ['lines in another order', ['…', 'three', 'two', '…'], 2],
    ['no line in the place of a …', ['one', '…', 'two', 'three', 'four'], 2],
    ['a missing line without a …', ['one', 'three', 'four'], 1],
    ['more output than is quoted', ['one', 'two', 'three'], 3],
    ['less output than is quoted', ['one', 'two', 'three', 'four', 'five'], 4],
  ])('is refused for %s', (_, quoted, at) => {
    expect(mismatch(quoted, output)?.at).toBe(at);
  });

  test('that is wrong is reported with the most similar line', () => {
    expect(mismatch(['…', 'CR3 := a, C=0'], ['x', 'CR3 := a, C=1'])?.nearest).toEqual([
      'CR3 := a, C=1',
    ]);
  });

  test('is updated from the most similar lines, with the fields that it had', () => {
    const now = ['head', '  - {map: 0x1000, size: 2M, C: 1, in: f, file: g.c}', 'tail'];
    const updated = requote(['- {map: 0x1000, C: 0, in: f}'], now);
    expect(updated).toEqual(['…', '- {map: 0x1000, …, C: 1, in: f, …}', '…']);
    expect(mismatch(updated, now)).toBeUndefined();
  });
});

describe('a page', () => {
  const page = [
    'Try `sme-boot run` or `sme-boot run --kernel FILE`, `sme-boot list …`.',
    '```console',
    '$ sme-boot list \\',
    '> labels',
    'loader',
    '$ echo $?',
    '0',
    '```',
    '```sh',
    'sme-boot run   # boots',
    '',
    '# alone',
    '```',
  ].join('\n');
  const [first, second] = blocksOf('page.md', page);

  test('has commands with their output', () => {
    expect(quotedOf(first!).map(({ command, output }) => [command, ...output])).toEqual([
      ['sme-boot list labels', 'loader'],
      ['echo $?', '0'],
    ]);
  });

  test('has commands without output, and in running text', () => {
    expect(shellLinesOf(second!)).toEqual(['sme-boot run   # boots']);
    expect(inlineCommandsOf(page)).toEqual(['sme-boot run']);
  });

  test('is refused if a fence is not closed, or output precedes the first command', () => {
    expect(() => blocksOf('page.md', 'a\n```sh\nb')).toThrow('page.md:2: this fence is not closed');
    const [block] = blocksOf('page.md', '```console\nloader\n```');
    expect(() => quotedOf(block!)).toThrow('page.md:2: a console block begins with "$ "');
  });
});

describe('a command line', () => {
  test.each([
    ['sme-boot run # boots', ['sme-boot', 'run']],
    ['a --set \'b={"c":1}\' d', ['a', '--set', 'b={"c":1}', 'd']],
    ['a "b \\" c" ""', ['a', 'b " c', '']],
    ['a --set b="c d"', ['a', '--set', 'b=c d']],
  ])('%s is split into words as in a shell', (line, words) => {
    expect(shellWords(line)).toEqual(words);
  });

  test.each(['a | b', 'a > b', 'a $B', 'a "$B"', 'a *.json', "a 'b", 'a; b', 'a\nb'])(
    '%j needs a shell',
    (line) => {
      expect(shellWords(line)).toBeUndefined();
    },
  );
});

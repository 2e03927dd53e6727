import { describe, expect, test } from '@jest/globals';
import { readQuestion } from '../../src/check/question.js';

const HEAD = `question: Does it boot?
asked: { by: reader, about: RFC v1 01/18, messageId: null }
`;
const read = (rest: string) => readQuestion('q.yaml', HEAD + rest);

describe('a question', () => {
  test('is answered by commands, partly with something missing, and not by that alone', () => {
    const commands = 'answer: Yes.\ncommands: [{ run: sme-boot run --expect outcome=booted }]\n';
    expect(read(commands).state).toBe('answered');
    expect(read(`${commands}missing: A disk.\n`).state).toBe('partly answered');
    expect(read('missing: A disk.\n')).toMatchObject({ state: 'not answered', commands: [] });
  });

  test('has the words of its commands as a shell splits them', () => {
    const run = `sme-boot inspect --mem "kernel text:4" --as c0`;
    const { commands } = read(`answer: Yes.\ncommands:\n  - { run: '${run}', status: 1 }\n`);
    expect(commands).toMatchObject([
      { run, status: 1, words: ['inspect', '--mem', 'kernel text:4', '--as', 'c0'], output: [] },
    ]);
  });

  const command = (run: string): string =>
    `answer: Yes.\ncommands:\n  - { run: ${JSON.stringify(run)}, output: ['x'] }\n`;
  test.each([
    ['', /it has neither commands nor what is missing/],
    ['answer: Yes.\n', /an answer needs the commands/],
    ['missing: x\ncommands: [{ run: sme-boot run, output: [x] }]\n', /commands need an answer/],
    ['answer: Yes.\ncommands: [{ run: sme-boot run }]\n', /commands\[0\]: it expects nothing/],
    ['mising: x\n', /unknown key "mising".*did you mean missing/],
    [
      command('rm -rf x'),
      /q\.yaml:5:12, commands\[0\]\.run: expected a command line of sme-boot, found rm/,
    ],
    [command('sme-boot'), /expected one of bisect, .*found ""/],
    [command('sme-boot rum'), /found rum; did you mean run\?/],
    [command('sme-boot check'), /expected one of bisect/],
    [command('sme-boot questions 1 --run'), /expected one of bisect/],
    [command('sme-boot run --output x.yaml'), /a command that writes no file, found --output/],
    [command('sme-boot run --output=x.yaml'), /a command that writes no file/],
    [command('sme-boot run -ox.yaml'), /a command that writes no file/],
    [command('sme-boot run --trace x.yaml'), /a command that writes no file/],
    [command('sme-boot run --match-out x'), /a command that writes no file/],
    [command('sme-boot inspect --mem initrd:4 --save x'), /a command that writes no file/],
    [command('sme-boot matrix --keep x'), /a command that writes no file/],
    [command('sme-boot run -'), /reads no standard input/],
    [command('sme-boot run "x'), /expected the closing "/],
  ])('is refused: %j', (rest, message) => {
    expect(() => read(rest)).toThrow(message);
  });
});

/** The table of exit codes: the same in docs/errors.md and in every help. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { InputError } from '../../src/base/errors.js';
import { EXIT, exitHelp, exitOf, exitRows } from '../../src/cli/exit-codes.js';
import { UnmodelledError } from '../../src/machine/unmodelled.js';
import { sme } from './io.js';

describe('the exit codes', () => {
  test('are these', () => {
    expect(EXIT).toEqual({
      ok: 0,
      mismatch: 1,
      usage: 2,
      fault: 3,
      unmodelled: 4,
      undecided: 125,
      interrupted: 130,
    });
  });

  test('stand in docs/errors.md with the same words', () => {
    const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)];
    expect(rows.map(([, code, means]) => ({ code: Number(code), means }))).toEqual(
      exitRows().map(({ code, means }) => ({ code, means })),
    );
  });

  test('of an error', () => {
    expect(exitOf(new InputError({ code: 'E_X' }))).toBe(2);
    expect(exitOf(new UnmodelledError('CR8'))).toBe(4);
    // As it arrives from a worker thread.
    expect(exitOf(new InputError({ code: 'E_UNMODELLED' }))).toBe(4);
    expect(exitOf(new TypeError('x'))).toBeUndefined();
    expect(exitOf('x')).toBeUndefined();
  });
});

describe('the help', () => {
  test.each([
    [[]],
    ...['run', 'check', 'diff', 'trace', 'bisect', 'matrix', 'matrix merge', 'effects'].map((c) => [
      c.split(' '),
    ]),
    ...[
      'inspect',
      'why',
      'probe',
      'list',
      'patches',
      'findings',
      'schema',
      'scenario from-dmesg',
    ].map((c) => [c.split(' ')]),
  ])('of %j has them, in at most 76 columns', async (words) => {
    const { status, out } = await sme([...words, '--help']);
    expect(status).toBe(0);
    const [, listed = ''] = /\nExit status:\n((?: .*\n)+)$/.exec(out) ?? [];
    for (const code of [0, 2, 3, 4, 130]) {
      expect(listed).toMatch(new RegExp(`^ {2}${String(code)} +\\w`, 'm'));
    }
    expect(Math.max(...listed.split('\n').map((line) => line.length))).toBeLessThanOrEqual(76);
  });

  test("has a command's own words for a code, and codes of few commands only there", () => {
    const text = exitHelp({ undecided: 'cannot say' });
    expect(text).toMatch(/\n {2}125 +cannot say\n/);
    expect(text).not.toMatch(/^ {2}1 /m);
    expect(exitHelp()).not.toMatch(/125/);
  });
});

test('an error that no one expects is a fault: status 3, on stderr, without a stack', async () => {
  const onOutput = (): void => {
    throw new TypeError('odd\n\u001b[2J');
  };
  const { status, out, err } = await sme(['list', 'labels'], {}, false, { onOutput });
  expect([status, out]).toEqual([3, '']);
  expect(err).toMatch(/^sme-boot: this is a fault of sme-boot: TypeError: odd \\u001b\[2J\n/);
  expect(err).toContain('  command line: sme-boot list labels\n');
  expect(err).toMatch(/\n {2}the stack, which --verbose prints\n$/);
});

test('an error of the system that has a path is E_READ', async () => {
  const { status, err } = await sme(['list', 'labels'], {}, false, {
    onOutput: () => readFileSync('/none/x'),
  });
  expect([status, err]).toEqual([2, 'sme-boot: E_READ: /none/x: no such file\n']);
});

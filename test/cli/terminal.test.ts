/** Terminals: width, colours, progress. No boot is needed to see them. */
import { Chalk } from 'chalk';
import { describe, expect, test } from '@jest/globals';
import type { Io } from '../../src/cli/io.js';
import { Progress } from '../../src/cli/progress.js';
import { colorLevel, columnsOf, hasCursor } from '../../src/cli/terminal.js';
import { matrixText } from '../../src/analysis/matrix/text.js';
import { table } from '../../src/cli/columns.js';
import { sme } from './io.js';

const stream = (isTTY: boolean, columns?: number): Io['stdout'] => ({
  write: () => undefined,
  isTTY,
  columns,
});
const ioOf = (env: Io['env'] = {}): Io => {
  return { stdout: stream(true), stderr: stream(true), paint: new Chalk(), env, exitCode: 0 };
};

describe('the width of a terminal', () => {
  test.each([
    ['as stated', true, 60, {}, 60],
    ['0 is not known', true, 0, {}, 80],
    ['not stated', true, undefined, {}, 80],
    ['too narrow to lay anything out', true, 3, {}, 20],
    ['no terminal', false, undefined, {}, undefined],
    ['COLUMNS', true, 60, { COLUMNS: '100' }, 100],
    ['COLUMNS without a terminal', false, undefined, { COLUMNS: '76' }, 76],
    ['COLUMNS=0', true, 60, { COLUMNS: '0' }, 60],
    ['COLUMNS that is no number', true, 60, { COLUMNS: '-1' }, 60],
  ])('%s', (_, isTTY, columns, env, expected) => {
    expect(columnsOf(ioOf(env), stream(isTTY, columns))).toBe(expected);
  });

  test.each([0, 1, 2])('a matrix for %d columns ends', (columns) => {
    const report = { schema: '1', series: 'rfc-v1', scenarios: [], rows: [], missing: ['a b'] };
    expect(matrixText(report as never, undefined, columns)).toMatch(/missing/);
  });
});

describe('colours', () => {
  const XTERM = { TERM: 'xterm-256color' };
  test.each([
    ['a terminal', 'auto', XTERM, true, 1],
    ['no terminal', 'auto', XTERM, false, 0],
    ['TERM=dumb', 'auto', { TERM: 'dumb', COLORTERM: 'truecolor' }, true, 0],
    ['NO_COLOR', 'auto', { ...XTERM, NO_COLOR: '1' }, true, 0],
    ['NO_COLOR empty', 'auto', { ...XTERM, NO_COLOR: '' }, true, 1],
    ['FORCE_COLOR', 'auto', { FORCE_COLOR: '1' }, false, 1],
    ['FORCE_COLOR empty', 'auto', { FORCE_COLOR: '' }, false, 1],
    ['FORCE_COLOR before NO_COLOR', 'auto', { FORCE_COLOR: '1', NO_COLOR: '1' }, false, 1],
    ['FORCE_COLOR=0', 'auto', { ...XTERM, FORCE_COLOR: '0' }, true, 0],
    ['FORCE_COLOR=3', 'auto', { FORCE_COLOR: '3' }, false, 3],
    ['--color=always', 'always', { NO_COLOR: '1' }, false, 1],
    ['--color=never', 'never', { ...XTERM, FORCE_COLOR: '1' }, true, 0],
  ] as const)('%s', (_, when, env, isTTY, level) => {
    expect(colorLevel(when, ioOf(env), stream(isTTY))).toBe(level);
  });

  test('only a terminal whose cursor moves has a status line', () => {
    expect(hasCursor(ioOf({ TERM: 'dumb' }), stream(true))).toBe(false);
    expect(hasCursor(ioOf({ TERM: 'vt100' }), stream(true))).toBe(true);
    expect(hasCursor(ioOf(), stream(false))).toBe(false);
  });
});

describe('progress', () => {
  /** What a progress writes on a terminal; `at` sets the clock, in milliseconds. */
  function progressOn(env: Io['env'], isTTY = true, silence?: number) {
    let now = 0;
    const written: string[] = [];
    const stderr = { ...stream(isTTY, 30), write: (text: string) => written.push(text) };
    const io: Io = { ...ioOf(env), stderr, now: () => now };
    const at = (time: number): void => {
      now = time;
    };
    return { progress: new Progress(io, silence), written, at };
  }

  test('begins after a second of silence, and is redrawn ten times a second', () => {
    const { progress, written, at } = progressOn({});
    progress.next(0, 2, 'a');
    at(999);
    progress.step('one');
    expect(written).toEqual([]);
    at(1000);
    progress.step('two');
    expect(written).toEqual(['\r\u001b[K[1/2] a: two']);
    at(1050);
    progress.step('three');
    at(1100);
    progress.step('four');
    progress.next(1, 2, 'b');
    expect(written.slice(1)).toEqual(['\r\u001b[K[1/2] a: four', '\r\u001b[K[2/2] b']);
    progress.clear();
    expect(written.at(-1)).toBe('\r\u001b[K');
    at(2000);
    progress.step('five');
    expect(written).toHaveLength(4);
  });

  test('is cut to the terminal', () => {
    const { progress, written } = progressOn({}, true, 0);
    progress.show('x'.repeat(50));
    expect(written).toEqual([`\r\u001b[K${'x'.repeat(28)}…`]);
  });

  test('is plain lines, five seconds apart, on a terminal without a cursor', () => {
    const { progress, written, at } = progressOn({ TERM: 'dumb' }, true, 0);
    progress.next(0, 1, 'a');
    for (const time of [1000, 2000, 5999, 6000, 7000]) {
      at(time);
      progress.step(String(time));
    }
    progress.clear();
    expect(written).toEqual(['a: 1000\n', 'a: 6000\n']);
  });

  test('is silent where stderr is no terminal', () => {
    const { progress, written, at } = progressOn({}, false, 0);
    progress.show('a');
    at(9000);
    progress.step('b');
    progress.clear();
    expect(written).toEqual([]);
  });
});

describe('tables', () => {
  const rows = [
    ['a', '10', 'some words that need room'],
    ['bb', '2', 'few'],
  ];
  test('have the width of their cells', () => {
    expect(table(rows)).toBe('a   10  some words that need room\nbb  2   few\n');
  });
  test('continue the last cell below itself', () => {
    expect(table([['a', '10', 'some words that need more room']], 31)).toBe(
      'a  10  some words that need\n       more room\n',
    );
  });
  test('or below the others, if these leave it no room', () => {
    expect(table(rows, 24)).toBe('a   10\n    some words that need\n    room\nbb  2   few\n');
  });
});

describe('on a terminal of 60 columns', () => {
  const LISTS = [
    'scenarios',
    'series',
    'labels',
    'options',
    'patches',
    'hunks',
    'alternatives',
    'regions',
    'symbols',
  ];
  test.each([
    ...LISTS.map((what) => ['list', what]),
    ['patches'],
    ['findings'],
    ['--help'],
    ...[
      'run',
      'check',
      'diff',
      'trace',
      'bisect',
      'matrix',
      'effects',
      'inspect',
      'probe',
      'list',
      'schema',
    ].map((name) => [name, '--help']),
    [
      'inspect',
      'bios-minimal',
      '--stage',
      '2',
      '--at',
      'startup_64',
      '--regs',
      '--engine',
      '--mem',
      '_text:64',
      '--vtop',
      '_text',
      '--ptdump',
    ],
    ['run', 'bios-minimal', '--stage', '2'],
    ['trace', 'traces/bios-minimal/stage-02.yaml', '--format', 'text'],
    ['diff', 'traces/bios-minimal/stage-01.yaml', 'traces/bios-minimal/stage-02.yaml'],
    ['matrix', 'bios-minimal', '--only', '12'],
    ['effects', 'bios-minimal', '2'],
  ])('%s %s fits', async (...argv) => {
    const { out } = await sme(argv, { NO_COLOR: '1' }, true);
    expect(out).not.toBe('');
    const wide = out.split('\n').filter((line) => line.length > 60);
    expect(wide).toEqual([]);
  });
});

describe('without a terminal', () => {
  test('lines of a list are whole', async () => {
    const { out } = await sme(['list', 'alternatives']);
    expect(
      out
        .trimEnd()
        .split('\n')
        .some((line) => line.length > 120),
    ).toBe(true);
  });
  test('an error is fitted into a terminal, and is one line elsewhere, whatever COLUMNS says', async () => {
    for (const argv of [
      ['diff', '--mem', 'a'],
      ['run', 'x'.repeat(100)],
      ['check', 'none.yaml'],
    ]) {
      const terminal = await sme(argv, {}, true);
      expect(terminal.status).toBe(2);
      expect(terminal.err.split('\n').filter((line) => line.length > 60)).toEqual([]);
      expect((await sme(argv, { COLUMNS: '60' })).err).toMatch(/^sme-boot: E_.*\n$/);
    }
  });

  test.each(['bisect', 'diff', 'effects', 'matrix', 'probe'])(
    'the help of %s names no option that it does not have',
    async (command) => {
      const { out } = await sme([command, '--help']);
      const [, options = ''] = /\nOptions:\n([^]*?)\n\n/.exec(out) ?? [];
      expect(options).toContain('--no-sanitize');
      expect(options).not.toContain('--execute');
      expect((await sme(['run', '--help'])).out).toMatch(/--no-sanitize[^]*with\s+--execute/);
    },
  );

  test.each(['matrix', 'view'])('the examples of %s are whole at 76 columns', async (command) => {
    const { out } = await sme([command, '--help']);
    const [, examples = ''] = /\nExamples:\n([^]*?)\n\n/.exec(out) ?? [];
    // A line is a command, the end of one behind a backslash, or a comment in its column.
    for (const [i, line] of examples.split('\n').entries()) {
      if (/^ {2}sme-boot |^ {45,}\S/.test(line)) continue;
      expect(examples.split('\n')[i - 1]).toMatch(/ \\$/);
    }
  });

  test.each(
    [
      [],
      ['run'],
      ['check'],
      ['diff'],
      ['trace'],
      ['bisect'],
      ['matrix'],
      ['matrix', 'merge'],
      ['effects'],
      ['inspect'],
      ['probe'],
      ['list'],
      ['patches'],
      ['findings'],
      ['schema'],
      ['scenario', 'from-dmesg'],
    ].map((argv) => [argv]),
  )('the help of %j fits 76 columns', async (argv) => {
    const { out } = await sme([...argv, '--help']);
    expect(out.split('\n').filter((line) => line.length > 76)).toEqual([]);
  });
});

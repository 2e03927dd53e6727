/** `--output`, `--format` and `-`, which mean the same in every command. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { setStdin } from '../../src/node/stdin.js';
import { parseTrace } from '../../src/trace/yaml-in.js';
import { firstOf } from '../cases.js';
import { sme } from './io.js';

let folder: string;
const file = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(file(name), 'utf8');
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sme-boot-output-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  setStdin(undefined);
});

const MINIMAL = readFileSync('scenarios/bios-minimal.yaml');
const STAGE_1 = 'traces/bios-minimal/stage-01.yaml';
const RUN = ['run', 'bios-minimal', '--stage', '1'];

describe('--output', () => {
  test.each([
    [['list', 'labels']],
    [['patches', '3']],
    [['findings']],
    [['findings', 'vmcb']],
    [['schema', 'series']],
    [['trace', STAGE_1]],
    [['man']],
    [['completion', 'fish']],
    [['diff', STAGE_1, STAGE_1.replace('01', '02')]],
  ])('%j writes what stdout has, and nothing on stdout', async (argv) => {
    const { out, status } = await sme(argv);
    const written = await sme([...argv, '-o', file('result')]);
    expect(written).toEqual({ status, out: '', err: '' });
    // A trace in a file names its schema, for editors.
    expect(read('result').replace(/^# yaml-language-server.*\n/, '')).toBe(out);
    expect((await sme([...argv, '--output', '-'])).out).toBe(out);
  });

  test('has no colours and no width of a terminal in a file', async () => {
    const argv = ['list', 'alternatives'];
    await sme([...argv, '-o', file('list')], { FORCE_COLOR: '1', COLUMNS: '30' }, true);
    expect(read('list')).toBe((await sme(argv)).out);
  });

  test('tells the format by its ending', async () => {
    await sme(['list', 'labels', '-o', file('labels.json')]);
    expect(JSON.parse(read('labels.json'))).toContainEqual({ label: 'startup_64' });
    await sme(['list', 'labels', '-o', file('labels.json'), '--format', 'text']);
    expect(read('labels.json')).toMatch(/^loader\n/);
  });
});

describe('an output that is another file of the command', () => {
  beforeAll(() => {
    writeFileSync(file('two.yaml'), MINIMAL);
    writeFileSync(file('word'), MINIMAL);
    symlinkSync('two.yaml', file('link.yaml'));
  });
  const two = (): string => file('two.yaml');
  test.each([
    ['the scenario', () => ['run', two(), '--output', two()]],
    ['the scenario, by a link', () => ['run', two(), '--output', file('link.yaml')]],
    ['a log', () => ['scenario', 'from-dmesg', two(), '-o', two()]],
    ['a log without an ending', () => ['scenario', 'from-dmesg', file('word'), '-o', file('word')]],
    ['a shard', () => ['matrix', '--output', two(), 'merge', file('none.json'), two()]],
    ['an option', () => [...RUN, '--initrd', two(), '--match-out', two()]],
    ['the base of a trace', () => ['trace', STAGE_1, '--base', two(), '-o', two()]],
    [
      'another output',
      () => [...RUN, '--output', file('new.yaml'), '--match-out', file('new.yaml')],
    ],
    ['a former name', () => ['run', two(), '--trace', two()]],
  ])('is refused before the boot: %s', async (_title, argv) => {
    const { status, out, err } = await sme(argv());
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(
      /^sme-boot: E_USAGE: .* would overwrite the file of .*, found .* and .*\n$/,
    );
    expect(read('two.yaml')).toBe(MINIMAL.toString());
  });

  test('but a trace may replace its own file, and a name of a scenario is no file', async () => {
    await sme(['trace', STAGE_1, '-o', file('own.yaml')]);
    expect((await sme(['trace', file('own.yaml'), '-o', file('own.yaml')])).err).toBe('');
    const before = process.cwd();
    process.chdir(folder);
    try {
      writeFileSync('bios-minimal', '');
      expect((await sme([...RUN, '--format', 'yaml', '-o', 'bios-minimal'])).err).toBe('');
    } finally {
      process.chdir(before);
    }
  });
});

describe('sme-boot run', () => {
  test.each([
    ['--output', 'a.yaml'],
    ['--trace', 'b.yaml'],
  ])('%s writes the trace, and the summary on stdout', async (option, name) => {
    const { out } = await sme([...RUN, option, file(name)]);
    expect(out).toMatch(/^booted: Run \/init/m);
    expect(parseTrace(name, read(name)).header.stage).toBe(1);
  });

  test.each([[['-o', '-']], [['--trace', '-']], [['--format', 'yaml']]])(
    '%j prints the trace, and the summary on stderr',
    async (options) => {
      const { out, err } = await sme([...RUN, ...options]);
      expect(parseTrace('-', out).header.stage).toBe(1);
      expect(err).toMatch(/^booted: Run \/init/m);
    },
  );

  test('--format json, or an output that ends in .json, is JSON', async () => {
    await sme([...RUN, '-o', file('t.json')]);
    const { out } = await sme([...RUN, '--trace', '-', '--trace-format', 'json']);
    expect(JSON.parse(read('t.json'))).toEqual(JSON.parse(out));
  });

  test('an output is the trace, or what its ending says; an ending of no format is refused', async () => {
    await sme([...RUN, '-o', file('trace')]);
    expect(read('trace')).toMatch(/^schema: 2$/m);
    await sme([...RUN, '-o', file('t.txt')]);
    expect(read('t.txt')).toMatch(/^booted: Run \/init/m);
    await sme([...RUN, '-o', file('t.xml')]);
    expect(read('t.xml')).toMatch(/<testsuite /m);
    const { status, err } = await sme([...RUN, '-o', file('t.pdf')]);
    expect(status).toBe(2);
    expect(err).toContain('--output: no format has this file name extension; expected .yaml, ');
    const { out } = await sme([...RUN, '--format', 'text', '-o', file('s.txt')]);
    expect(out).toBe('');
    expect(read('s.txt')).toMatch(/^booted: Run \/init/m);
  });
});

describe('stdin', () => {
  test.each(
    firstOf(3, [
      ['run', ['run', '-', '--stage', '0'], MINIMAL, /^booted: /m],
      ['list', ['list', 'regions', '-'], MINIMAL, /^initrd /m],
      ['inspect', ['inspect', '-', '--at', 'startup_64', '--regs'], MINIMAL, /^cr3 /m],
      [
        'bisect',
        ['bisect', 'rfc-v1', '-', '--stage', '0', '--expect', 'outcome=panic'],
        MINIMAL,
        /good/,
      ],
      [
        'trace',
        ['trace', '-', '--format', 'text'],
        readFileSync('traces/bios-minimal/stage-00.yaml'),
        /^booted: /m,
      ],
      [
        'check',
        ['check', '-'],
        'expect: match\nrun: { scenario: bios-minimal, stage: 0 }\noutcome: { kind: booted }\n',
        /1 passed/,
      ],
      [
        '--series',
        ['run', 'bios-minimal', '--series', '-'],
        readFileSync('patches/series/rfc-v1.yaml'),
        /^booted: /m,
      ],
      ['--dtb', ['run', 'bios-minimal', '--stage', '0', '--dtb', '-'], 'no tree', /^booted: /m],
    ]),
  )('is read by %s', async (_, argv, input, expected) => {
    setStdin(new Uint8Array(Buffer.from(input)));
    const { out, err } = await sme(argv);
    expect(err).toBe('');
    expect(out).toMatch(expected);
  });

  test('is one input only', async () => {
    const { status, err } = await sme(['run', '-', '--initrd', '-']);
    expect(status).toBe(2);
    expect(err).toMatch(/only one input can be read from stdin/);
  });

  test('cannot be updated', async () => {
    const { status, err } = await sme(['check', '-', '--update']);
    expect([status, err]).toEqual([2, expect.stringContaining('--update needs files')]);
  });
});

describe('the scenario', () => {
  test('is an argument; the former option still works, but not both', async () => {
    const argv = [
      'bisect',
      'rfc-v1',
      '--stage',
      '0',
      '--expect',
      'outcome=booted',
      '--format',
      'json',
    ];
    const { out } = await sme([...argv.slice(0, 2), 'bios-minimal', ...argv.slice(2)]);
    expect(JSON.parse(out)).toMatchObject({ scenario: 'bios-minimal' });
    expect((await sme([...argv, '--scenario', 'bios-minimal'])).out).toBe(out);
    const both = await sme(['effects', 'kexec', '3', '--scenario', 'bios-minimal']);
    expect([both.status, both.err]).toEqual([2, expect.stringContaining('name the scenario once')]);
  });
});

test('inspect --save - writes bytes on stdout, and the rest on stderr', async () => {
  const argv = [
    'inspect',
    'bios-minimal',
    '--at',
    'loader',
    '--mem',
    'boot params:512',
    '--save',
    '-',
  ];
  const bytes: Uint8Array[] = [];
  const stdout = {
    write: () => undefined,
    writeBytes: (more: Uint8Array) => bytes.push(more),
    isTTY: false,
    columns: undefined,
  };
  const { err } = await sme(argv, {}, false, { stdout });
  expect(err).toBe('512 bytes to stdout\n');
  // The boot protocol's signature "HdrS" at 0x202 is behind them; 0xaa55 at 0x1fe is in them.
  expect([...(bytes[0] ?? [])].slice(0x1fe)).toEqual([0x55, 0xaa]);
});

test.each([
  [['diff', STAGE_1, "bios-minimal --stage '1' --set 'machine.vga=false'"], 0, ''],
  [['diff', STAGE_1, "bios-minimal --cmdline 'a"], 2, 'the quotation is not closed'],
])('diff reads the words of a run as a shell does: %j', async (argv, status, message) => {
  const ran = await sme(argv);
  expect(ran.status).toBe(status);
  expect(ran.err).toContain(message);
});

/** The program's streams, signals and faults: what a shell sees. */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { firstOf } from '../cases.js';
import { buildProgram, preload } from './program.js';

const dir = mkdtempSync(join(tmpdir(), 'sme-boot-streams-'));
const TIMEOUT = 60_000;
let program = '';
beforeAll(() => {
  program = buildProgram(dir);
}, TIMEOUT);
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs a shell command in which `"$@"` is the program with the words of `argv`. */
function shell(
  command: string,
  ...argv: string[]
): { status: number | null; out: string; err: string } {
  const words = ['-c', command, 'sh', process.execPath, program, ...argv];
  const { status, stdout, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}

/** Runs the program with a descriptor that nothing can be written to: /dev/full, or one that is open for reading. */
function full(
  stream: 1 | 2,
  ...argv: string[]
): { status: number | null; out: string; err: string } {
  const fd = existsSync('/dev/full') ? openSync('/dev/full', 'w') : openSync(program, 'r');
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
      encoding: 'utf8',
      stdio: ['ignore', stream === 1 ? fd : 'pipe', stream === 2 ? fd : 'pipe'],
    });
    return { status, out: stdout, err: stderr };
  } finally {
    closeSync(fd);
  }
}

describe('a stream that cannot be written', () => {
  test.each([
    ['a boot', ['run', 'bios-minimal', '--stage', '0']],
    ['a list', ['list', 'labels']],
    ['help', ['--help']],
    ['the version', ['--version']],
  ])('stdout, of %s: E_WRITE, without a stack', (_title, argv) => {
    const { status, err } = full(1, ...argv);
    expect(err).toMatch(/^sme-boot: E_WRITE: standard output: .+\n$/);
    expect(status).toBe(2);
  });

  test.each([
    ['an error', ['run', 'nosuch'], ''],
    ['bad usage', ['nosuch'], ''],
    ['a summary', ['run', 'bios-minimal', '--stage', '0', '--trace', '-'], ''],
  ])('stderr, of %s: status 2', (_title, argv, out) => {
    expect(full(2, ...argv)).toMatchObject({ status: 2, out });
  });

  test('a pipe whose reader has left ends quietly, with the status of the command', () => {
    expect(shell('{ "$@"; echo "$?" >&2; } | head -n 1', 'list', 'options').err).toBe('0\n');
    const differs = ['diff', 'bios-minimal --stage 0', 'bios-minimal --stage 1'];
    expect(shell('{ "$@"; echo "$?" >&2; } | true', ...differs).err).toBe('1\n');
    const file = join(dir, 'after-head.yaml');
    const run = ['run', 'bios-minimal', '--stage', '0', '--trace', file];
    expect(shell('{ "$@"; echo "$?" >&2; } | head -n 1', ...run).err).toBe('0\n');
    // What was asked for is written although no one reads the summary.
    expect(existsSync(file)).toBe(true);
  });

  test.each([
    ['stdout', '"$@" >&-', ['list', 'labels'], 0, ''],
    ['stderr', '"$@" 2>&-', ['list', 'nosuch'], 2, ''],
    ['stdin', '"$@" <&-', ['list', 'nosuch'], 2, /^sme-boot: E_USAGE: .*nosuch.*\n$/],
    ['every stream', '"$@" <&- >&- 2>&-', ['run', 'nosuch'], 2, ''],
  ])(
    '%s that is closed: the status of the command, no stack',
    (_title, command, argv, status, err) => {
      const ran = shell(command, ...argv);
      expect(ran.status).toBe(status);
      expect(ran.out).toBe('');
      if (err === '') expect(ran.err).toBe('');
      else expect(ran.err).toMatch(err);
    },
  );
});

test('a project of which init cannot tell is not left half written', () => {
  const project = join(dir, 'around', 'project');
  expect(full(1, 'init', project).status).toBe(2);
  expect(existsSync(join(dir, 'around'))).toBe(false);
  expect(shell('"$@"', 'init', project)).toMatchObject({ status: 0, err: '' });
  // What was there stays, replaced or not.
  writeFileSync(join(project, 'mine.txt'), '');
  rmSync(join(project, 'traces'), { recursive: true });
  expect(full(1, 'init', project, '--force').status).toBe(2);
  expect(existsSync(join(project, 'mine.txt'))).toBe(true);
  expect(existsSync(join(project, 'scenarios'))).toBe(true);
  expect(existsSync(join(project, 'traces'))).toBe(false);
});

describe('an output file', () => {
  test('/dev/stdout is the stream itself', () => {
    const out = join(dir, 'both');
    const run = ['run', 'bios-minimal', '--stage', '0', '--trace', '/dev/stdout'];
    shell(`"$@" > '${out}'`, ...run);
    const { out: text } = shell(`cat '${out}'`);
    expect(text).toMatch(/^bios-minimal: /);
    expect(text).toMatch(/^schema: /m);
    expect(text).toMatch(/\nbooted: Run \/init as init process\n$/);
  });

  test.each([
    ['run', ['run', '--trace']],
    ['inspect', ['inspect', '--mem', 'initrd:16', '--save']],
    ['matrix', ['matrix', '--out']],
    ['trace', ['trace', 'traces/intel/stage-18.yaml', '--output']],
  ])('of %s that cannot be written is refused before any output', (_title, argv) => {
    const { status, out, err } = shell('"$@"', ...argv, join(dir, 'none', 'file'));
    expect(err).toMatch(/^sme-boot: E_WRITE: .*none.file: there is no folder .*none\n$/);
    expect([status, out]).toEqual([2, '']);
  });
});

describe('a pipe in place of a file', () => {
  const scenario = 'scenarios/bios-minimal.yaml';
  const series = 'name: piped\ntitle: without one hunk\nsource: this test\nwithout: [09/initrd]\n';
  test.each([
    ['check', ['check', '/dev/fd/3'], 'traces/bios-minimal/stage-00.yaml', /^ok .*fd.3/m],
    ['effects', ['effects', '/dev/fd/3', '9'], scenario, /^09 x86: /],
    [
      'matrix on workers',
      ['matrix', '/dev/fd/3', '--only', '09/initrd,08', '--jobs', '2'],
      scenario,
      /^ *09\/initrd /m,
    ],
    [
      'bisect',
      ['bisect', '/dev/fd/3', 'bios-minimal', '--expect', 'outcome=booted'],
      series,
      /panic/,
    ],
  ])(
    'is read as often as %s needs it',
    (_title, argv, input, expected) => {
      const text = input === series ? series : readFileSync(input, 'utf8');
      const file = join(dir, 'piped');
      writeFileSync(file, text);
      const { out, err } = shell(`cat '${file}' | "$@" 3<&0 0</dev/null`, ...argv);
      expect(err).not.toMatch(/^sme-boot: /m);
      expect(out).toMatch(expected);
    },
    TIMEOUT,
  );
});

describe('a module of own hunks that ends the process', () => {
  test.each([
    ['at its top', 'process.exit(0);\nexport const hunks = [];\n'],
    ['in its function', 'export default () => process.exit(0);\n'],
  ])('%s is an error', (title, text) => {
    const file = join(dir, `exits-${title.replaceAll(' ', '-')}.mjs`);
    writeFileSync(file, text);
    const { status, out, err } = shell('"$@"', 'run', 'bios-minimal', '--hunks', file);
    expect(err).toMatch(/^sme-boot: E_OWN_HUNK: .*exits-.*: it ended the process when it was load/);
    expect([status, out]).toEqual([2, '']);
  });
});

describe('a fault of sme-boot', () => {
  const report = (what: string, argv: string): RegExp =>
    new RegExp(
      `^sme-boot: this is a fault of sme-boot: TypeError: ${what}\nPlease report it, with:\n` +
        `  version: +sme-boot \\d.*, node ${process.version} .*\n  command line: sme-boot ${argv}\n`,
      'm',
    );
  /** A preloaded module that acts once the program has its handlers. */
  const later = (statement: string): string => `
    const timer = setInterval(() => {
      if (process.listenerCount('uncaughtException') === 0) return;
      clearInterval(timer);
      ${statement};
    }, 1);`;
  const noJson = "JSON.stringify = () => { throw new TypeError('later \\u001b[2J'); };";
  const ran = (
    options: readonly string[],
    argv: readonly string[],
  ): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [...options, program, ...argv], { encoding: 'utf8' });

  test.each([
    ['an exception', ['list', 'labels'], later("throw new TypeError('later \\u001b[2J')")],
    [
      'a promise',
      ['list', 'labels'],
      later("void Promise.reject(new TypeError('later \\u001b[2J'))"),
    ],
    ['a command', ['list', 'labels', '--format', 'json'], noJson],
  ])('from %s is a report without a stack, with status 3', (title, argv, source) => {
    const { status, stderr } = ran(preload(dir, `fault-${title.slice(2)}`, source), argv);
    expect(stderr).toMatch(report('later \\\\u001b\\[2J', argv.join(' ')));
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(3);
  });

  test('has its stack with --verbose, before or after the command', () => {
    const options = preload(dir, 'fault', later("throw new TypeError('x')"));
    for (const argv of [
      ['--verbose', 'list', 'labels'],
      ['list', 'labels', '--verbose'],
    ]) {
      const { status, stderr } = ran(options, argv);
      expect(status).toBe(3);
      expect(stderr).toMatch(/^ +at .*fault\.mjs/m);
    }
  });

  test(
    'of a worker thread is one too',
    () => {
      const source = `
      import { isMainThread } from 'node:worker_threads';
      if (!isMainThread) JSON.stringify = () => { throw new TypeError('in a worker'); };`;
      const argv = ['matrix', 'bios-minimal', '--only', '04,08', '--jobs', '2'];
      const { status, stderr } = ran(preload(dir, 'fault-worker', source), argv);
      expect(stderr).toMatch(report('in a worker', argv.join(' ')));
      expect(status).toBe(3);
    },
    TIMEOUT,
  );

  test('names the files of the command line', () => {
    const file = join(dir, "it's a file");
    writeFileSync(file, '');
    const options = preload(dir, 'fault-file', later("throw new TypeError('x')"));
    const { stderr } = ran(options, ['list', 'labels', `--kernel=${file}`]);
    expect(stderr).toContain(`  files:        ${file}\n`);
    expect(stderr).toContain(`'--kernel=${file.replace("'", "'\\''")}'`);
  });
});

describe('Ctrl-C', () => {
  /** Runs the program, sends SIGINT when its command has begun, and returns its end. */
  async function interrupted(
    argv: readonly string[],
    /** Milliseconds. */
    after = 150,
  ): Promise<{ status: unknown; err: string }> {
    const source = `
      import { Script } from 'node:vm';
      import { writeSync } from 'node:fs';
      const run = Script.prototype.runInThisContext;
      Script.prototype.runInThisContext = function (options) {
        if (options?.breakOnSigint) {
          Script.prototype.runInThisContext = run;
          writeSync(2, 'ready\\n');
        }
        return run.call(this, options);
      };`;
    const child = spawn(process.execPath, [...preload(dir, 'ready', source), program, ...argv], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (data: Buffer) => {
      if (err === '') setTimeout(() => child.kill('SIGINT'), after);
      err += data.toString();
    });
    const status = await new Promise((done) => {
      child.on('close', (code, signal) => done(code ?? signal));
    });
    return { status, err };
  }

  test.each(
    firstOf(2, [
      ['run', '--trace', 'OUT/trace.yaml'],
      ['check', 'traces/bios-minimal'],
      ['diff', '--stage', '17', '--stage', '18'],
      ['effects', '12'],
      ['bisect', 'rfc-v1', '--expect', 'garbage=initrd'],
      ['probe', 'probes'],
      ['inspect', '--save', 'OUT/mem', '--mem', 'initrd:64'],
      ['init', 'OUT/project'],
    ]),
  )(
    'in %s ends it with 130, without a stack or a partial file',
    async (...argv: string[]) => {
      const out = mkdtempSync(join(dir, 'out-'));
      const words = argv.map((word) => word.replace('OUT', out));
      expect(await interrupted(words)).toEqual({
        status: 130,
        err: 'ready\nsme-boot: interrupted\n',
      });
      expect(readdirSync(out)).toEqual([]);
    },
    TIMEOUT,
  );

  // Boots that take seconds; what begins before the first await is covered by the cases above.
  test.each(
    firstOf(1, [
      ['run', '--output', 'OUT/trace.yaml'],
      ['run', '--format', 'junit', '--output', 'OUT/reports.xml'],
      ['run', '--match-out', 'OUT/match.yaml'],
    ]),
  )(
    'in %s ends it while it boots',
    async (...argv: string[]) => {
      const out = mkdtempSync(join(dir, 'out-'));
      const words = argv.map((word) => word.replace('OUT', out));
      const slow = ['machine.cache.size=256MiB', 'machine.cache.ways=64'];
      const given = [...words, ...slow.flatMap((setting) => ['--set', setting])];
      expect(await interrupted(given, 1000)).toEqual({
        status: 130,
        err: 'ready\nsme-boot: interrupted\n',
      });
      expect(readdirSync(out)).toEqual([]);
    },
    TIMEOUT,
  );
});

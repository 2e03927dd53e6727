/** Expected traces of the user's own scenarios, images and series: paths in a file are relative to that file. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { prepareBoot } from '../../src/cli/run-options.js';
import { exhaustiveTest } from '../cases.js';
import { buildElf } from '../firmware/image/build.js';
import { sme, type Ran } from './io.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-own-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const MINE = 'name: mine\ntitle: one CPU\nmachine: { cpu: zen-1, ram: 64MiB }\n';
const at = (path: string): string => join(dir, path);
const write = (path: string, text: string | Uint8Array): string => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
  return at(path);
};
const read = (path: string): string => readFileSync(at(path), 'utf8');
/** Changes a file; it must change. */
const edit = (path: string, from: RegExp | string, to: string): void => {
  const text = read(path);
  expect(text.replace(from, to)).not.toBe(text);
  writeFileSync(at(path), text.replace(from, to));
};
/** The built-in image as an ELF file. */
function vmlinux(): Uint8Array {
  const { image } = prepareBoot('bios-minimal', {}).program;
  return buildElf({
    segments: image.segments.map((segment) => ({ ...segment })),
    entry: image.entry,
    symbols: [...image.symbols.names()].map((name) => ({
      name,
      value: image.symbols.get(name)?.address ?? 0,
    })),
  });
}
/** Records a trace of scenarios/mine.yaml. */
async function record(trace: string, options: readonly string[] = []): Promise<Ran> {
  write('scenarios/mine.yaml', MINE);
  mkdirSync(dirname(at(trace)), { recursive: true });
  const ran = await sme(['run', at('scenarios/mine.yaml'), ...options, '--trace', at(trace)]);
  expect([ran.status, ran.err]).toEqual([0, '']);
  return ran;
}

test('diff takes the file of a scenario as a run of it, on either side', async () => {
  await record('traces/mine.yaml');
  const [scenario, trace] = [at('scenarios/mine.yaml'), at('traces/mine.yaml')];
  for (const sides of [
    [scenario, trace],
    [trace, scenario],
    [scenario, scenario],
    [scenario, `${scenario} --stage 18`],
  ]) {
    expect(await sme(['diff', ...sides])).toMatchObject({ status: 0, err: '' });
  }
  expect((await sme(['diff', 'bios-minimal', scenario])).status).toBe(1);
});

describe('an exact trace of a scenario of one’s own', () => {
  test('has the path of the scenario relative to the trace, and passes from any working directory', async () => {
    await record('traces/deep/mine.yaml', ['--set', 'machine.cpus=2', '--cmdline', 'quiet']);
    expect(read('traces/deep/mine.yaml')).toMatch(
      /^ {2}files:\n {4}scenario:\n {6}path: \.\.\/\.\.\/scenarios\/mine\.yaml$/m,
    );
    const here = process.cwd();
    for (const place of [dir, at('traces/deep'), tmpdir(), here]) {
      process.chdir(place);
      try {
        const { status, out } = await sme(['check', relative('.', at('traces'))]);
        expect([status, out]).toEqual([0, expect.stringContaining('1 passed, 0 failed')]);
      } finally {
        process.chdir(here);
      }
    }
  });

  test('keeps the name, and no path, of a scenario of the package given by its path', async () => {
    await sme(['run', 'scenarios/bios-minimal.yaml', '--trace', at('x.yaml')]);
    expect(read('x.yaml')).not.toMatch(/^ {2}files:/m);
    expect((await sme(['check', at('x.yaml')])).status).toBe(0);
  });

  test('is of the user’s scenario, even if the package has one of the same name', async () => {
    write('bios-minimal.yaml', MINE.replace('mine', 'bios-minimal'));
    await sme(['run', at('bios-minimal.yaml'), '--trace', at('trace.yaml')]);
    const { status, out } = await sme(['check', at('trace.yaml')]);
    expect([status, out]).toEqual([0, expect.stringContaining('1 passed')]);
  });

  test('fails with the file and both digests if the scenario was changed, and --update takes the change', async () => {
    await record('traces/mine.yaml');
    const before = read('traces/mine.yaml');
    edit('scenarios/mine.yaml', '64MiB', '128MiB');
    const { status, out } = await sme(['check', at('traces')]);
    expect(status).toBe(1);
    const [, old, now] =
      /the scenario \S*scenarios\/mine\.yaml is not the one of the trace: SHA-256 recorded (\w{64}), now (\w{64})/.exec(
        out,
      ) ?? [];
    expect(before).toContain(`scenarioDigest: ${old ?? '?'}`);
    expect((await sme(['check', at('traces'), '--update'])).status).toBe(0);
    expect(read('traces/mine.yaml')).toContain(`scenarioDigest: ${now ?? '?'}`);
    expect(read('traces/mine.yaml')).toContain('path: ../scenarios/mine.yaml');
    expect((await sme(['check', at('traces')])).status).toBe(0);
  });

  test('passes if only a comment of the scenario was changed', async () => {
    await record('traces/mine.yaml');
    write('scenarios/mine.yaml', `# a comment\n${MINE}`);
    expect((await sme(['check', at('traces')])).status).toBe(0);
  });

  test('is refused with its recorded digest and the command if the scenario was moved', async () => {
    await record('traces/mine.yaml');
    const [, digest = '?'] = /scenarioDigest: (\w+)/.exec(read('traces/mine.yaml')) ?? [];
    renameSync(at('scenarios/mine.yaml'), at('scenarios/other.yaml'));
    const { status, out, err } = await sme(['check', at('traces/mine.yaml')]);
    expect(status).not.toBe(0);
    const text = out + err;
    expect(text).toMatch(
      /E_RUN_FILE: \S*traces\/mine\.yaml, header\.files\.scenario\.path: no such file: the scenario \S*scenarios\/mine\.yaml/,
    );
    expect(text).toMatch(
      /record the trace again: sme-boot run \S+ --stage 18 --output \S+mine\.yaml/,
    );
    expect(text).toContain(digest);
    edit('traces/mine.yaml', 'scenarios/mine.yaml', 'scenarios/other.yaml');
    expect((await sme(['check', at('traces')])).status).toBe(0);
  });

  test('is refused if the header has only the name of such a scenario', async () => {
    await record('traces/mine.yaml');
    edit('traces/mine.yaml', /^ {2}files:\n.*\n.*\n/m, '');
    const { out, err } = await sme(['check', at('traces')]);
    expect(out + err).toMatch(/E_RUN_FILE: .*header\.scenario: mine is not a scenario of sme-boot/);
  });

  test('may state an absolute path, which --update leaves as it is', async () => {
    await record('traces/mine.yaml');
    edit('traces/mine.yaml', '../scenarios/mine.yaml', resolve(at('scenarios/mine.yaml')));
    expect((await sme(['check', at('traces')])).status).toBe(0);
    edit('traces/mine.yaml', 'rdmsr: EFER, value: 0x500', 'rdmsr: EFER, value: 0x501');
    expect((await sme(['check', at('traces'), '--update'])).status).toBe(0);
    expect(read('traces/mine.yaml')).toContain(`path: ${resolve(at('scenarios/mine.yaml'))}`);
  });

  exhaustiveTest(
    'stays checkable as it is stored in another folder, whole or as a difference',
    async () => {
      await record('traces/mine.yaml');
      await record('traces/17.yaml', ['--stage', '17']);
      mkdirSync(at('traces/deep/er'), { recursive: true });
      await sme(['trace', at('traces/mine.yaml'), '--output', at('traces/deep/whole.yaml')]);
      const store = ['--base', at('traces/17.yaml'), '--output', at('traces/deep/er/18.yaml')];
      await sme(['trace', at('traces/mine.yaml'), ...store]);
      expect(read('traces/deep/er/18.yaml')).not.toContain('files:');
      const { status, out } = await sme(['check', at('traces')]);
      expect([status, out]).toEqual([0, expect.stringContaining('4 passed, 0 failed')]);
    },
  );

  test('stored as a difference from a trace of another scenario names its own', async () => {
    await record('traces/mine.yaml');
    write('scenarios/two.yaml', MINE.replace('mine', 'two').replace('64MiB', '96MiB'));
    await sme(['run', at('scenarios/two.yaml'), '--trace', at('traces/two.yaml')]);
    const two = at('traces/two.yaml');
    await sme(['trace', two, '--base', at('traces/mine.yaml'), '--output', two]);
    expect(read('traces/two.yaml')).toContain('path: ../scenarios/two.yaml');
    const { status, out } = await sme(['check', at('traces')]);
    expect([status, out]).toEqual([0, expect.stringContaining('2 passed, 0 failed')]);
  });
});

describe('an exact trace of files given by options', () => {
  const DTB = 'test/fixtures/dtc/built-in.dtb';

  test('repeats the boot with the initrd and the device tree, and names the one that changed', async () => {
    mkdirSync(at('images'));
    copyFileSync('test/fixtures/cpio/one.cpio', at('images/initrd'));
    copyFileSync(DTB, at('images/board.dtb'));
    const options = ['--initrd', at('images/initrd'), '--dtb', at('images/board.dtb')];
    write('scenarios/mine.yaml', MINE);
    mkdirSync(at('traces'));
    await sme(['run', at('scenarios/mine.yaml'), ...options, '--trace', at('traces/x.yaml')]);
    expect(read('traces/x.yaml')).toMatch(
      / initrd:\n +path: \.\.\/images\/initrd\n +digest: \w{64}\n/,
    );
    expect(read('traces/x.yaml')).toMatch(
      / dtb:\n +path: \.\.\/images\/board\.dtb\n +digest: \w{64}\n/,
    );
    expect((await sme(['check', at('traces')])).status).toBe(0);
    copyFileSync('test/fixtures/cpio/two-three.cpio', at('images/initrd'));
    const { status, out } = await sme(['check', at('traces')]);
    expect(status).toBe(1);
    expect(out).toMatch(
      /the initrd \S*images\/initrd is not the one of the trace: SHA-256 recorded/,
    );
    expect(out).toMatch(
      /rerun: sme-boot run \S+ --stage 18 --initrd \S+initrd --dtb \S+board\.dtb/,
    );
    expect((await sme(['check', at('traces'), '--update'])).status).toBe(0);
    expect((await sme(['check', at('traces')])).status).toBe(0);
  });

  test('repeats the boot of a kernel image, and is refused where the image is gone', async () => {
    const kernel = vmlinux();
    write('images/vmlinux', kernel);
    const run = ['run', 'bios-minimal', '--kernel', at('images/vmlinux')];
    expect((await sme([...run, '--trace', at('x.yaml')])).err).toBe('');
    expect(read('x.yaml')).toMatch(/ kernel:\n +path: images\/vmlinux\n/);
    expect((await sme(['check', at('x.yaml')])).status).toBe(0);
    write(
      'images/vmlinux',
      kernel.map((byte, i) => (i === kernel.length - 1 ? byte ^ 1 : byte)),
    );
    const { status, out } = await sme(['check', at('x.yaml')]);
    expect(status).toBe(1);
    expect(out).toMatch(/the kernel image \S*images\/vmlinux is not the one of the trace/);
    rmSync(at('images/vmlinux'));
    const gone = await sme(['check', at('x.yaml')]);
    expect(gone.out + gone.err).toMatch(
      /E_RUN_FILE: .*header\.files\.kernel\.path: no such file.*--kernel \S+vmlinux --output/,
    );
    edit('x.yaml', /^ {2}files:\n.*\n.*\n/m, '');
    const unnamed = await sme(['check', at('x.yaml')]);
    expect(unnamed.out + unnamed.err).toMatch(
      /E_RUN_FILE: .*header\.image\.name: the header does not have the path of the kernel image vmlinux/,
    );
  });

  test('says that a file was read from a pipe and cannot be read again', async () => {
    await record('traces/mine.yaml');
    edit('traces/mine.yaml', /^ {4}scenario:\n.*\n/m, '    scenario: {}\n');
    const { out, err } = await sme(['check', at('traces')]);
    expect(out + err).toMatch(
      /E_RUN_FILE: .*header\.files\.scenario: the scenario was read from a pipe, .*; record the trace again from a file; /,
    );
  });
});

describe('paths in a hand-written file are relative to it', () => {
  test('in match files: scenario and series', async () => {
    write('scenarios/mine.yaml', MINE);
    write('series/five.yaml', 'name: five\ntitle: t\nsource: our choice\nstage: 5\n');
    write(
      'traces/deep/match.yaml',
      [
        'expect: match',
        'run: { scenario: ../../scenarios/mine.yaml, series: ../../series/five.yaml }',
        'outcome: { kind: booted }',
        'match:',
        '  - count: { encrypt: /./ }',
        '    times: 0',
      ].join('\n'),
    );
    const { status, out } = await sme(['check', at('traces')]);
    expect([status, out]).toEqual([0, expect.stringContaining('1 passed, 0 failed')]);
  });

  test('in match files: initrd and device tree, with the command line', async () => {
    write('scenarios/mine.yaml', MINE);
    mkdirSync(at('images'));
    copyFileSync('test/fixtures/cpio/one.cpio', at('images/initrd'));
    copyFileSync('test/fixtures/dtc/built-in.dtb', at('images/board.dtb'));
    write(
      'traces/match.yaml',
      [
        'expect: match',
        'run:',
        '  scenario: ../scenarios/mine.yaml',
        '  initrd: ../images/initrd',
        '  dtb: ../images/board.dtb',
        '  cmdline: console=tty0 quiet',
        'match: [{ expect: { console: /^Command line.* quiet$/ } }]',
        'final: { initrd: { bytes: 512 } }',
        'consumed: { device tree: { intact: true } }',
      ].join('\n'),
    );
    const { status, out } = await sme(['check', at('traces')]);
    expect([status, out]).toEqual([0, expect.stringContaining('1 passed, 0 failed')]);
    edit('traces/match.yaml', 'bytes: 512', 'bytes: 513');
    const failed = await sme(['check', at('traces')]);
    expect(failed.out).toMatch(/ --initrd \S+images\/initrd --dtb \S+images\/board\.dtb/);
  });

  test.each(['scenario', 'series', 'kernel', 'system-map', 'initrd', 'dtb'])(
    'and a missing %s is reported at its key',
    async (key) => {
      const run = { scenario: 'bios-minimal', [key]: './gone.yaml' };
      const file = write(
        'm.yaml',
        `expect: match\nrun: ${JSON.stringify(run)}\noutcome: { kind: booted }\n`,
      );
      const { status, out, err } = await sme(['check', file]);
      expect(status).not.toBe(0);
      expect(out + err).toMatch(
        new RegExp(
          `E_READ: \\S*m\\.yaml:\\d+:\\d+, run\\.${key}: no such file; found \\S*gone\\.yaml`,
        ),
      );
    },
  );

  test('in call scripts, and in the match files that the matrix writes', async () => {
    write('scenarios/mine.yaml', MINE);
    write('series/whole.yaml', 'name: whole\ntitle: t\nsource: our choice\n');
    write(
      'probes/mask.yaml',
      'probe: mask\npatch: 3\nscenario: ../scenarios/mine.yaml\nat: startup_64\ncalls: [{ bus: _text, length: 4 }]\n',
    );
    const probe = await sme(['probe', at('probes')]);
    expect([probe.status, probe.out]).toEqual([
      0,
      expect.stringContaining('mine, patches 1 to 18'),
    ]);
    const made = await sme([
      ...['matrix', at('scenarios/mine.yaml'), '--series', at('series/whole.yaml')],
      ...['--only', '09/initrd', '--keep', at('traces/without')],
    ]);
    expect(made.status).toBe(0);
    const kept = read('traces/without/09-initrd.yaml');
    expect(kept).toContain('../../scenarios/mine.yaml');
    expect(kept).toContain('../../series/whole.yaml');
    expect((await sme(['check', at('traces')])).status).toBe(0);
  });

  exhaustiveTest('in files of effects', async () => {
    write('scenarios/mine.yaml', MINE);
    write(
      'traces/01.yaml',
      'expect: effects\npatch: 1\nscenario: ../scenarios/mine.yaml\nreason: nothing\nviews: {}\n',
    );
    const { status, out } = await sme(['check', at('traces'), '--update']);
    expect([status, out]).toEqual([0, expect.stringContaining('1 passed')]);
    expect(read('traces/01.yaml')).toContain('scenario: ../scenarios/mine.yaml');
    expect((await sme(['check', at('traces')])).status).toBe(0);
  });
});

describe('without paths', () => {
  const inDir = async (argv: readonly string[]): Promise<Ran> => {
    const here = process.cwd();
    process.chdir(dir);
    try {
      return await sme(argv);
    } finally {
      process.chdir(here);
    }
  };

  test('check takes ./traces where there is one, and says so', async () => {
    await record('traces/mine.yaml');
    const { status, out, err } = await inDir(['check']);
    expect(out).toMatch(/^ok {5}traces\/mine\.yaml$/m);
    expect(err).toMatch(/^no paths given: \.\/traces, this project's$/m);
    expect(status).toBe(0);
    // Nothing of the package is written there.
    expect((await inDir(['check', '--update'])).out).toContain('1 passed, 0 failed');
  });

  test('probe takes ./probes where there is one', async () => {
    write(
      'probes/x.yaml',
      'probe: a title\npatch: 3\nscenario: bios-minimal\nat: loader\ncalls: [{ bus: _text, length: 4 }]\n',
    );
    const { out, err } = await inDir(['probe']);
    expect(out).toContain('a title');
    expect(err).toBe("no paths given: ./probes, this project's\n");
  });
});

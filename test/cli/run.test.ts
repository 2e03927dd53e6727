import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseTrace } from '../../src/trace/yaml-in.js';
import { exhaustiveTest } from '../cases.js';
import { sme } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-run-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe('sme-boot run --format perfetto', () => {
  test('is refused on a terminal before the boot, and written where stdout is none', async () => {
    const words = ['run', 'bios-minimal', '--set', 'machine.ram=64MiB', '--format', 'perfetto'];
    const refused = await sme(words, {}, true);
    expect(refused.err).toContain('E_USAGE: --format perfetto: the format is binary');
    expect([refused.status, refused.out]).toEqual([2, '']);
    const { status, out, err } = await sme(words);
    // A packet: field 1, of a length.
    expect(out.startsWith('\n')).toBe(true);
    expect(out).toContain('boot steps');
    expect(err).toContain('booted');
    expect(status).toBe(0);
  });
});

describe('sme-boot run', () => {
  test('prints a summary of the default boot that ends with /init', async () => {
    const { status, out, err } = await sme(['run']);
    expect(status).toBe(0);
    expect(err).toBe('');
    expect(out.trimEnd().split('\n').at(-1)).toBe('booted: Run /init as init process');
    expect(out).toMatch(/encrypted in place: 0x1000000\.\.0x1ffffff/);
    expect(out).toMatch(/boot params +intact/);
    expect(out).not.toContain('\u001b');
  });

  exhaustiveTest('writes the trace of --trace - to stdout and the summary to stderr', async () => {
    const { status, out, err } = await sme(['run', '--stage', '3', '--trace', '-']);
    expect(status).toBe(0);
    expect(parseTrace('-', out).header.stage).toBe(3);
    expect(err).toMatch(/booted: Run \/init/);
  });

  exhaustiveTest('writes a trace to a file, whole, as YAML or JSON', async () => {
    const file = join(dir, 't.json');
    const { status } = await sme([
      'run',
      '--stage',
      '2',
      '--trace',
      file,
      '--trace-format',
      'json',
    ]);
    expect(status).toBe(0);
    const json = JSON.parse(readFileSync(file, 'utf8')) as { header: { stage: number } };
    expect(json.header.stage).toBe(2);
    expect(readdirSync(dir)).toEqual(['t.json']);
  });

  test('has the screen in a frame if the machine has a VGA', async () => {
    const { out } = await sme(['run', 'bios-minimal', '--stage', '0', '--set', 'machine.vga=true']);
    const lines = out.trimEnd().split('\n');
    const head = lines.indexOf('what the screen shows');
    expect(lines[head + 1]).toMatch(/^┌─+┐$/);
    expect(lines[head + 2]).toMatch(/^│ BIOS-e820: .* usable +│$/);
    const end = lines.indexOf('', head);
    expect(lines[end - 2]).toMatch(/^│ Run \/init as init process +│$/);
    expect(lines[end - 1]).toMatch(/^└─+┘$/);
    expect(new Set(lines.slice(head + 1, end).map((line) => line.length)).size).toBe(1);
  });

  test('prints no frame on a terminal that is too narrow', async () => {
    const { out } = await sme(
      ['run', 'bios-minimal', '--stage', '0', '--set', 'machine.vga=true'],
      {},
      true,
    );
    expect(out).toContain('what the screen shows\nBIOS-e820: ');
    expect(out).not.toContain('┌');
  });

  exhaustiveTest('prints a blank screen if no output reached it', async () => {
    const { out } = await sme(['run', '--stage', '15', '--activate', '--set', 'machine.vga=true']);
    expect(out).toMatch(/┌─+┐\n│ \(blank\) │\n└─+┘/);
    expect(out).toMatch(/console +garbage from byte 0, read by the screen/);
  });

  test('exits 1 if the whole series ends differently than the scenario expects, with the differences', async () => {
    const expected = { outcome: 'panic', garbage: ['BIOS data area', 'boot params', 'initrd'] };
    const { status, out } = await sme([
      'run',
      'bios-minimal',
      '--set',
      `expect=${JSON.stringify(expected)}`,
    ]);
    expect(status).toBe(1);
    expect(out.trimEnd().split('\n').slice(-5)).toEqual([
      'expected outcome panic, found booted',
      'expected to be read as garbage: boot params',
      'unexpectedly read as garbage: option ROM',
      '',
      'booted: Run /init as init process',
    ]);
  });

  test('does not check the expectation for other stages', async () => {
    const { status, out } = await sme(['run', '--stage', '6', '--activate']);
    expect(status).toBe(0);
    expect(out).toMatch(/\npanic: in /);
    expect(out).not.toMatch(/expected to/);
  });

  test('applies settings and a command line', async () => {
    const { out } = await sme(['run', '--set', 'machine.ram=4GiB', '--cmdline', 'quiet']);
    expect(out).toMatch(/command line: quiet/);
    expect(out).toMatch(/BIOS-e820: \[mem 0x100000000-0x13fffffff\] usable/);
    expect(out).not.toMatch(/encrypted in place/);
  });

  exhaustiveTest('boots a series changed by flags, and records the hunk selection', async () => {
    const header = async (...argv: string[]): Promise<Record<string, unknown>> => {
      const { out } = await sme(['run', 'bios-minimal', ...argv, '--trace', '-']);
      const { stage, activate, without, stub, with: extra } = parseTrace('-', out).header;
      return { stage, activate, without, stub, with: extra };
    };
    const posted = { stage: 18, activate: false, without: [], stub: undefined, with: [] };
    expect(await header('--series', 'rfc-v1')).toEqual(posted);
    expect(await header('--series', 'rfc-v1', '--stage', '3')).toEqual({ ...posted, stage: 3 });
    const file = join(dir, 'own.yaml');
    writeFileSync(
      file,
      'name: own\ntitle: t\nsource: s\nwithout: [09/initrd]\nwith: [09/flush-tlb]\n',
    );
    const flags = ['--without', '09/initrd,12', '--with', '18/pat-large', '--stub'];
    expect(await header('--series', file, ...flags)).toEqual({
      ...posted,
      without: ['09/initrd', '12'],
      stub: true,
      with: ['09/flush-tlb', '18/pat-large'],
    });
    // Former names: --stub was --neutral, the series fixed was mended.
    expect(await header('--without', '08', '--neutral')).toMatchObject({ stub: true });
    expect((await header('--series', 'mended')).with).toContain('09/flush-tlb');
  });

  test('ends with status 4 where a boot needs what the machine does not model', async () => {
    const flags = ['--stage', '0', '--cmdline', 'earlyprintk=serial,ttyS0'];
    const { status, err } = await sme(['run', 'bios-minimal', ...flags]);
    expect(err).toMatch(/^sme-boot: E_UNMODELLED: .*earlyprintk=serial/);
    expect(status).toBe(4);
  });

  exhaustiveTest('colours with --color always, and not if NO_COLOR is set', async () => {
    expect((await sme(['--color=always', 'run', '--stage', '0'])).out).toContain('\u001b[');
    expect((await sme(['run', '--stage', '0'], { NO_COLOR: '1' }, true)).out).not.toContain(
      '\u001b[',
    );
    expect((await sme(['--color=never', 'run', '--stage', '0'], {}, true)).out).not.toContain(
      '\u001b[3',
    );
  });

  exhaustiveTest('shows progress on a terminal only', async () => {
    expect((await sme(['run', '--stage', '0'], { NO_COLOR: '1' }, true)).err).toContain('[1/');
    expect((await sme(['run', '--stage', '0'])).err).toBe('');
  });

  test('has help with examples', async () => {
    for (const argv of [['--help'], ['run', '--help'], ['check', '--help'], ['diff', '--help']]) {
      const { status, out } = await sme(argv);
      expect(status).toBe(0);
      expect(out).toMatch(/Examples:\n {2}sme-boot/);
    }
  });
});

/** The start of a bzImage whose header places the payload beyond the end of the file. */
function truncatedKernel(): string {
  const header = Buffer.alloc(0x1000);
  header.writeUInt8(4, 0x1f1);
  header.writeUInt16LE(0xaa55, 0x1fe);
  header.writeUInt8(0x6a, 0x201);
  header.write('HdrS', 0x202);
  header.writeUInt16LE(0x20d, 0x206);
  header.writeUInt16LE(1, 0x236);
  header.writeUInt32LE(0x100, 0x248);
  header.writeUInt32LE(0x10_0000, 0x24c);
  const file = join(dir, 'cut.bzImage');
  writeFileSync(file, header);
  return file;
}

test('a truncated kernel is refused with the offset where it ends', async () => {
  const { status, err } = await sme(['run', '--kernel', truncatedKernel()]);
  expect(status).toBe(2);
  expect(err).toMatch(/E_TRUNCATED: cut\.bzImage.*offset 0x/);
});

test('a scenario file with an alias bomb or broken YAML is refused with its line', async () => {
  const bomb = join(dir, 'bomb.yaml');
  writeFileSync(bomb, `a: &a [x, x]\nb: &b [*a, *a]\nname: [*b, *b]\n`);
  expect((await sme(['run', bomb])).err).toMatch(/E_YAML: .*bomb\.yaml:\d/);
  writeFileSync(bomb, 'name: [');
  expect((await sme(['run', bomb])).err).toMatch(/E_YAML: .*bomb\.yaml:\d/);
});

describe('bad usage exits 2 and writes nothing', () => {
  test.each([
    [['run', '--stage', '19'], /expected a plain number from 0 to 18/],
    [['run', '--no-such-flag'], /unknown option/],
    [['frobnicate'], /E_USAGE: sme-boot: no such command/],
    [['run', 'no-such-scenario'], /E_SCENARIO_UNKNOWN: .*bios-minimal/],
    [['run', '--set', 'machine.sockets=2'], /E_UNKNOWN_KEY: .*machine/],
    [['run', '--set', 'machine.cpus=9'], /E_SCENARIO: .*machine\.cpus/],
    [['run', '--set', 'expect={"outcome":"panicked"}'], /E_SCENARIO: .*expect\.outcome/],
    [
      ['run', '--set', 'expect={"outcome":"booted","garbage":["b","a"]}'],
      /E_SCENARIO: .*expect\.garbage: names must be sorted/,
    ],
    [['run', '--set', 'nonsense'], /E_SET/],
    [['run', '--set', 'machine.sme={"cBit":200,"reduction":5}'], /machine\.sme\.cBit/],
    [['run', '--set', 'machine.ram=256TiB'], /E_RAM_TOO_LARGE: machine\.ram/],
    [['run', '--set', 'loader.initrdAt=16MiB'], /E_LAYOUT_OVERLAP: loader\.initrdAt/],
    [['run', '--set', 'loader.initrdAt=3GiB'], /E_LAYOUT_NO_RAM: loader\.initrdAt/],
    [['run', 'intel', '--set', 'machine.sme={"cBit":47,"reduction":5}'], /E_SME/],
    [['run', '--kernel', '/no/such/vmlinuz'], /E_READ: \/no\/such\/vmlinuz: no such file/],
    [['run', '--kernel', 'package.json'], /E_NOT_A_KERNEL|E_.*KERNEL/],
    [['run', '--initrd', 'src'], /E_READ: src: it is a directory/],
    [
      ['run', '--without', '09/initrd', 'bios-minimal'],
      /E_USAGE: put the scenario before --without/,
    ],
    [['run', '--with', '18/pat-large', 'kexec'], /E_USAGE: put the scenario before --with; /],
    [['run', '--without', '09/initrd', 'my.yaml'], /E_USAGE: put the scenario before --without/],
    [['run', '--with', '18/none'], /E_ALTERNATIVE: .*18\/pat-large/],
    [['run', '--stub'], /E_USAGE: --stub needs --without/],
    [['run', '--series', 'rfc-v2'], /E_SERIES_UNKNOWN: .*did you mean rfc-v1\?/],
    [
      ['run', '--series', 'scenarios/kexec.yaml'],
      /E_SERIES: scenarios\/kexec\.yaml: expected a series, found a scenario/,
    ],
    [['run', '--cmdline', 'x'.repeat(5000)], /E_CMDLINE_TOO_LONG/],
    [['diff'], /E_USAGE/],
    [['diff', '--stage', '17'], /E_USAGE/],
    [['diff', 'no/such.yaml', 'other.yaml'], /E_READ: no\/such\.yaml/],
    [['check', 'no-such-dir'], /E_READ: no-such-dir/],
    [['check', 'src'], /E_NOTHING: src/],
  ])('%j', async (argv, message) => {
    const trace = join(dir, 'never.yaml');
    const more = argv[0] === 'run' ? ['--trace', trace] : [];
    const { status, out, err } = await sme([...argv, ...more]);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(existsSync(trace)).toBe(false);
  });

  test('check --update is refused if CI is set', async () => {
    const { status, err } = await sme(['check', '--update'], { CI: 'true' });
    expect([status, err.slice(0, 14)]).toEqual([2, 'sme-boot: E_CI']);
  });
});

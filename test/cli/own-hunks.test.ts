/** `--hunks`: the three modules of docs/own-hunks.md by what the machine does, and the commands that take the option. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa } from '../../src/machine/address.js';
import { CR0 } from '../../src/machine/cpu/registers.js';
import { prepareBoot, type RunFlags } from '../../src/cli/run-options.js';
import type { Boot } from '../../src/sequencer/boot.js';
import type { Trace, TraceEvent } from '../../src/trace/trace.js';
import { blocksOf } from '../docs/blocks.js';
import { exhaustiveTest } from '../cases.js';
import { intact } from '../helpers.js';
import { sme } from './io.js';
import { buildProgram } from './program.js';

const PAGE = 'docs/own-hunks.md';
const LINE = 'root=/dev/ram0 mem_encrypt=on';
let dir: string;
const at = (name: string): string => join(dir, name);
const write = (name: string, text: string): string => {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
  return at(name);
};

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-hunks-'));
  for (const { info, lines } of blocksOf(PAGE, readFileSync(PAGE, 'utf8'))) {
    if (info[0] === 'js') write(info[1] ?? '', `${lines.join('\n')}\n`);
  }
  const made = spawnSync(process.execPath, [at('long-map.mjs')], { encoding: 'utf8' });
  write('long-map.yaml', made.stdout);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const eventsOf = (trace: Trace, label: string): readonly TraceEvent[] =>
  trace.steps.find((step) => step.label === label)?.events ?? [];
const consoleOf = (trace: Trace, label: string): unknown[] =>
  eventsOf(trace, label).flatMap(({ console: line }) => (line === undefined ? [] : [line]));
const bootWith = (scenario: string, module: string | undefined, flags: RunFlags = {}): Boot =>
  prepareBoot(scenario, { ...flags, ...(module !== undefined && { hunks: [at(module)] }) });

describe('a relocated initrd that is copied through C=0', () => {
  const relocated = (module?: string): Boot =>
    bootWith('bios-minimal', module, { cmdline: `${LINE} mem=1G` });

  /** The C-bits of the copies to the new place. */
  const copiesOf = (trace: Trace): unknown[] =>
    eventsOf(trace, 'reserve_initrd')
      .filter(({ copy, toPa }) => copy !== undefined && String(toPa).startsWith('0x3ff9e000'))
      .map(({ fromC, toC }) => ({ fromC, toC }));

  test('is a copy of its ciphertext, which does not unpack', () => {
    const boot = relocated('relocated-initrd.mjs');
    boot.runTo('reserve_initrd');
    const { machine } = boot;
    const [from, to, length] = [pa(0x7ff9e000), pa(0x3ff9e000), 398_785];
    // What is read with the key is what was on the bus.
    const copied = machine.dmaRead(to, length, KEY_HOST);
    expect(copied).toEqual(machine.dmaRead(from, length, KEY_PLAIN));
    expect(copied).not.toEqual(machine.dmaRead(from, length, KEY_HOST));
    const trace = boot.run();
    expect(copiesOf(trace)).toEqual([{ fromC: 0, toC: 1 }]);
    expect(consoleOf(trace, 'populate_rootfs')).toContain(
      'Initramfs unpacking failed: junk in compressed archive',
    );
    const read = trace.consumed.find(({ by }) => by === 'unpack_to_rootfs');
    expect(read).toMatchObject({ name: 'initrd', intact: false, firstDifference: 0 });
    expect(trace.outcome).toEqual({
      kind: 'panic',
      where: 'start_kernel',
      message: 'VFS: Unable to mount root fs on unknown-block(0,0)',
    });
  });

  exhaustiveTest('unpacks with the posted hunks, which copy it through C=1', () => {
    const trace = relocated().run();
    expect(consoleOf(trace, 'reserve_initrd')).toContain(
      'Allocated new RAMDISK: [mem 0x3ff9e000-0x3ffff5c0]',
    );
    expect(copiesOf(trace)).toEqual([{ fromC: 1, toC: 1 }]);
    expect(intact(trace, 'initrd')).toBe(true);
    expect(trace.outcome.kind).toBe('booted');
  });
});

describe('a setup_data list of which only the first header is mapped without the mask', () => {
  test('is read as noise from the second node on', () => {
    const boot = bootWith(at('long-map.yaml'), 'first-node.mjs');
    const [first, second] = boot.loaded.setupData;
    if (first === undefined || second === undefined) throw new Error('no list');
    // The pointer to the next node, as a read with the C-bit finds it.
    const header = boot.machine.dmaRead(pa(second.at), 16, KEY_HOST);
    const noise = new DataView(header.buffer, header.byteOffset).getBigUint64(0, true);
    const trace = boot.run();
    const headers = trace.consumed.filter(({ name }) => name.startsWith('setup_data['));
    expect(headers.map(({ name, intact: is }) => [name, is])).toEqual([
      ['setup_data[0]', true],
      ['setup_data[1]', false],
    ]);
    const maps = eventsOf(trace, 'parse_setup_data').filter(({ map }) => map !== undefined);
    const page = (of: number): string => `0x${(of - (of % 0x1000)).toString(16)}..`;
    const of = (node: { at: number }): unknown[] =>
      maps.filter(({ pa: range }) => String(range).startsWith(page(node.at))).map(({ C }) => C);
    expect(of(first)[0]).toBe(0);
    expect(of(second)).toEqual([1]);
    // That pointer is followed; its reserved bits fault (PF error code: P and RSVD).
    const fault = eventsOf(trace, 'parse_setup_data').find((each) => each.fault !== undefined);
    const inPage = (noise & 0xfffn).toString(16).padStart(3, '0');
    expect(fault).toMatchObject({
      fault: expect.stringMatching(new RegExp(`^#PF\\(9\\) at 0x[0-9a-f]+${inPage}$`)),
      why: 'reserved',
    });
    expect(trace.outcome).toMatchObject({ kind: 'panic', where: 'early_fixup_exception' });
  });

  exhaustiveTest('is read to its end with the posted hunk', () => {
    const trace = bootWith(at('long-map.yaml'), undefined).run();
    expect(intact(trace, 'setup_data[1]')).toBe(true);
    expect(intact(trace, 'device tree')).toBe(true);
  });
});

describe('an AP that halts before paging', () => {
  test('stays offline, and the boot CPU goes on without it', () => {
    const boot = bootWith('ap-syscfg-clear', 'parked-ap.mjs');
    const trace = boot.run();
    expect(trace.outcome.kind).toBe('booted');
    expect(consoleOf(trace, 'smp_init')).toEqual([
      'x86: Booting SMP configuration:',
      ...[1, 2, 3].flatMap((cpu) => [
        `.... node  #0, CPUs: #${String(cpu)}`,
        `do_boot_cpu failed(-1) to wakeup CPU#${String(cpu)}`,
      ]),
      'x86: Booted up 1 node, 1 CPUs',
    ]);
    for (const cpu of boot.machine.cpus.slice(1)) {
      expect([cpu.id, cpu.cr0 & (CR0.PE | CR0.PG)]).toEqual([cpu.id, CR0.PE]);
    }
    const events = eventsOf(trace, 'smp_init');
    const read = events.find(({ rdmsr }) => rdmsr === 'SYSCFG');
    expect(Number(read?.value) & (1 << 23)).toBe(0);
    expect(read).toMatchObject({
      patch: 15,
      hunk: '15/trampoline_64',
      in: 'pa_startup_32',
    });
    expect(events.some(({ wrmsr }) => wrmsr === 'SYSCFG')).toBe(false);
    expect(events.some(({ fault }) => fault !== undefined)).toBe(false);
  });

  exhaustiveTest(
    'resets the machine with the posted hunk, which sets SYSCFG[23] after paging',
    () => {
      const { kind, where } = bootWith('ap-syscfg-clear', undefined).run().outcome;
      expect([kind, where]).toEqual(['triple-fault', 'pa_startup_32']);
    },
  );
});

describe('a trace with own hunks', () => {
  const record = async (to: string): Promise<string> => {
    cpSync(at('parked-ap.mjs'), at('traces/mods/parked.mjs'));
    const flags = ['--hunks', at('traces/mods/parked.mjs'), '--output', at(to)];
    const { status, err } = await sme(['run', 'ap-syscfg-clear', ...flags]);
    expect([status, err]).toEqual([0, '']);
    return readFileSync(at(to), 'utf8');
  };

  test('has the module by its path from the trace; check repeats it, and names a changed or lost one', async () => {
    const text = await record('traces/t.yaml');
    expect(text).toMatch(
      /^ {2}ownHunks:\n {4}- path: mods\/parked\.mjs\n {6}digest: [0-9a-f]{64}\n {6}hunks: \[15\/trampoline_64\]$/m,
    );
    expect((await sme(['check', at('traces/t.yaml')])).status).toBe(0);
    // Another digest in the trace is a module that has changed since.
    const digest = /digest: ([0-9a-f]{64})\n {6}hunks/.exec(text)?.[1] ?? '?';
    const other = 'f'.repeat(64);
    write('traces/t.yaml', text.replace(digest, other));
    const changed = await sme(['check', at('traces/t.yaml')]);
    expect(changed.status).toBe(1);
    expect(changed.out).toContain(
      `parked.mjs is not the one of the trace: SHA-256 recorded ${other}, now ${digest}`,
    );
    expect(changed.out).toMatch(
      /rerun: sme-boot run ap-syscfg-clear .*--hunks \S*mods\/parked\.mjs /,
    );
    renameSync(at('traces/mods/parked.mjs'), at('traces/mods/moved.mjs'));
    const lost = await sme(['check', at('traces/t.yaml')]);
    expect([lost.status, lost.out]).toEqual([
      2,
      expect.stringMatching(
        /E_RUN_FILE: \S*t\.yaml, header\.ownHunks\.0\.path: no such file: the module of own hunks \S*parked\.mjs/,
      ),
    ]);
  }, 60_000);

  exhaustiveTest(
    'of a program has no module, and check refuses it',
    async () => {
      const text = await record('traces/u.yaml');
      write(
        'traces/u.yaml',
        text.replace(/ {4}- path: .*\n {6}digest: .*\n {6}hunks:/, '    - hunks:'),
      );
      const { status, out } = await sme(['check', at('traces/u.yaml')]);
      expect(status).toBe(2);
      expect(out).toMatch(/E_RUN_FILE: .*the own hunks 15\/trampoline_64 were given by a program/);
    },
    60_000,
  );

  test('is stored as a difference, and a match file names the module', async () => {
    const flags = ['ap-syscfg-clear', '--hunks', at('parked-ap.mjs')];
    await sme(['run', 'ap-syscfg-clear', '--output', at('base.yaml')]);
    const out = ['--match-out', at('match.yaml'), '--match-step', 'smp_init'];
    expect((await sme(['run', ...flags, '--output', at('own.yaml'), ...out])).status).toBe(0);
    const stored = await sme([
      'trace',
      at('own.yaml'),
      '--base',
      at('base.yaml'),
      '--output',
      at('own.yaml'),
    ]);
    expect([stored.status, stored.err]).toEqual([0, '']);
    expect(readFileSync(at('own.yaml'), 'utf8')).toMatch(
      /ownHunks:\n +- \{path: parked-ap\.mjs, digest: [0-9a-f]{64}, hunks: /,
    );
    expect(readFileSync(at('match.yaml'), 'utf8')).toMatch(/hunks: \[ ?parked-ap\.mjs ?\]/);
    expect(readFileSync(at('match.yaml'), 'utf8')).toContain('hunk: 15/trampoline_64');
    const both = await sme(['check', at('own.yaml'), at('match.yaml')]);
    expect([both.status, both.out]).toEqual([0, expect.stringContaining('2 passed')]);
  }, 60_000);
});

describe('an error in own code', () => {
  const of = (name: string, body: string): string =>
    write(
      name,
      `export const hunks = [\n  { id: '20/own', file: 'a.c', what: 'own', replaces: {\n    reserve_initrd: (previous) => (k) => { ${body} },\n  } },\n];\n`,
    );

  test('is reported with its line and step, with status 2', async () => {
    const file = of('throws.mjs', 'k.fn.nothing();');
    const { status, err } = await sme(['--verbose', 'run', 'bios-minimal', '--hunks', file]);
    expect(status).toBe(2);
    expect(err).toMatch(/\nTypeError: k\.fn\.nothing is not a function\n +at .*throws\.mjs:3/);
    expect(err).toMatch(
      /E_OWN_HUNK: \S*throws\.mjs:3:\d+: its code threw in step reserve_initrd: TypeError: k\.fn\.nothing is not a function/,
    );
  });

  test('that arises elsewhere from its value is reported with the hunks', async () => {
    const file = write(
      'value.mjs',
      "export const hunks = [{ id: '20/own', file: 'a.c', what: 'own', replaces: { _PAGE_TABLE: () => () => 7 } }];",
    );
    const { status, err } = await sme(['run', 'bios-minimal', '--hunks', file]);
    expect(status).toBe(2);
    expect(err).toMatch(
      /E_OWN_HUNK: step \w+: with the own hunks 20\/own the model threw TypeError: /,
    );
  });
});

describe('the commands', () => {
  test('diff takes own hunks in its runs, and for two stages', async () => {
    const run = `ap-syscfg-clear --hunks ${at('parked-ap.mjs')}`;
    expect((await sme(['diff', run, run])).status).toBe(0);
    const { status, out } = await sme(['diff', 'ap-syscfg-clear', run]);
    expect(status).toBe(1);
    expect(out).toMatch(/ownHunks\[0\]\.digest: \(none\) → [0-9a-f]{64}/);
    const stages = ['--stage', '14', '--stage', '15', '--hunks', at('parked-ap.mjs')];
    const early = await sme(['diff', 'ap-syscfg-clear', ...stages]);
    expect([early.status, early.err]).toEqual([
      2,
      expect.stringContaining(
        '15/trampoline_64: it is a form of a hunk that this stage does not have',
      ),
    ]);
  }, 60_000);

  test('bisect applies an own hunk from the stage of its patch on', async () => {
    const file = write(
      'panics.mjs',
      "export const hunks = [{ id: '04/own', file: 'a.c', what: 'own', replaces: { reserve_initrd: () => (k) => k.fn.panic('own') } }];",
    );
    const expr = ['--hunks', file, '--expect', 'outcome=panic'];
    const { status, out } = await sme(['bisect', 'rfc-v1', 'bios-minimal', ...expr]);
    expect([status, out]).toEqual([0, expect.stringContaining('patch 04 is the first')]);
    expect(out).toMatch(/stage {2}0 {2}good/);
  }, 60_000);

  test('probe and inspect take own hunks; others refuse the option by name', async () => {
    const file = write(
      'mask.mjs',
      "export const hunks = [{ id: '20/own', file: 'a.c', what: 'own', adds: [{ file: 'a.c', defs: { own_call: { kind: 'fn', body: (k, n) => n + 1 } } }], replaces: { sme_get_me_loss: () => () => 63 } }];",
    );
    const script = write(
      'loss.yaml',
      'probe: the loss\npatch: 5\nscenario: bios-minimal\nat: setup_arch\ncalls:\n  - { call: sme_get_me_loss }\n  - { call: own_call, args: [4] }\n',
    );
    const probe = await sme(['probe', script, '--hunks', file]);
    expect([probe.status, probe.out]).toEqual([
      0,
      expect.stringMatching(/= 0x3f\n[^]*own_call\(4\)[^]*= 0x5\n/),
    ]);
    const inspect = await sme(['inspect', 'bios-minimal', '--at', 'setup_arch', '--hunks', file]);
    expect(inspect.status).toBe(0);
    for (const command of ['effects', 'check']) {
      const { status, err } = await sme([command, '--hunks', file]);
      expect([status, err]).toEqual([
        2,
        expect.stringMatching(/unknown option --hunks, which is an option of run, /),
      ]);
    }
  }, 60_000);

  test('matrix has a row for an own hunk, also from worker threads, and keeps it as a match file', () => {
    const program = buildProgram(dir);
    const run = (...argv: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8', cwd: dir });
    const flags = ['matrix', 'bios-minimal', '--only', '20', '11', '--jobs', '2'];
    const own = ['--hunks', 'relocated-initrd.mjs', '--set', `cmdline=${LINE} mem=1G`];
    const made = run(...flags, ...own, '--keep', 'kept', '--format', 'json');
    const report = JSON.parse(made.stdout) as {
      ownHunks: { digest: string }[];
      rows: { command: string }[];
    };
    expect(report).toMatchObject({
      ownHunks: [{ path: 'relocated-initrd.mjs', hunks: ['20/copy_from_early_mem'] }],
      scenarios: [{ outcome: { kind: 'panic' } }],
      rows: [
        { hunk: '11/set_real_mode_permissions' },
        { hunk: '20/copy_from_early_mem', outcome: { kind: 'booted' }, same: false },
      ],
    });
    const check = run('check', 'kept', '--jobs', '2');
    expect([check.status, check.stdout]).toEqual([0, expect.stringContaining('2 passed')]);
    const command = report.rows[1]?.command ?? '';
    expect(command).toContain('--without 20/copy_from_early_mem --hunks relocated-initrd.mjs');
    // Shards of other own hunks do not belong together.
    const other = structuredClone(report);
    for (const each of other.ownHunks) each.digest = '0'.repeat(64);
    write('a.json', JSON.stringify(report));
    write('b.json', JSON.stringify(other));
    const merged = run('matrix', 'merge', 'a.json', 'b.json');
    expect([merged.status, merged.stderr]).toEqual([
      2,
      expect.stringContaining('E_MATRIX_MERGE: ownHunks: the reports are of different own hunks'),
    ]);
    const wrong = run('matrix', '--hunks', 'misspelt.mjs', '--jobs', '2');
    expect([wrong.status, wrong.stdout, wrong.stderr]).toEqual([
      2,
      '',
      expect.stringMatching(/^sme-boot: E_OWN_HUNK: misspelt\.mjs/),
    ]);
  }, 120_000);

  exhaustiveTest(
    'matrix leaves out a form of a posted hunk with the posted one',
    async () => {
      const flags = ['--hunks', at('first-node.mjs'), '--only', '10/setup', '--format', 'json'];
      const { out } = await sme(['matrix', at('long-map.yaml'), ...flags]);
      expect(JSON.parse(out)).toMatchObject({
        rows: [{ hunk: '10/setup', how: 'out', outcome: { kind: 'panic' } }],
      });
    },
    60_000,
  );
});

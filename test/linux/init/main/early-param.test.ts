/** Options are parsed from the command line in simulated memory. */
import { describe, expect, test } from '@jest/globals';
import type { Hunk } from '../../../../src/kernel/hunk.js';
import { freshParams, type ParamState } from '../../../../src/linux/include/linux/init.js';
import { COMMAND_LINE_SIZE } from '../../../../src/kernel/constants.js';
import type { Boot } from '../../../../src/sequencer/boot.js';
import { intact } from '../../../helpers.js';
import { eventsOf, ON, onlyIn, printedBy, upTo, withLine } from '../../options/option-boots.js';

const FOUR = [
  'machine.ram="256MiB"',
  'machine.cpus=4',
  'firmware.syscfgMemEncrypt=true',
  'firmware.syscfgMemEncryptOnAps=true',
];
/** Options of each kind of handler: early_param(), __setup(), a search of the line. */
const ALL =
  'dis_ucode_ldr mem=128M reservelow=128k crashkernel=16M noexec=off nogbpages nopat noapic maxcpus=1 ' +
  'acpi=noirq noefi iommu=nodac nointremap amd_iommu=fullflush noinitrd retain_initrd';

/** Patch 9's copy, but the command line is read through the mapping with the mask, as without the patch. */
const plainLine: Hunk = {
  id: 'test/plain-line',
  file: 'arch/x86/kernel/head64.c',
  what: 'the command line is copied as the base copies it',
  replaces: {
    'copy_bootdata:copy': (previous) => (k, to, from, size) => {
      if (size === COMMAND_LINE_SIZE) k.memcpy(to, from, size);
      else previous(k, to, from, size);
    },
  },
};

/** The variables that options set, of a boot or the initial ones; without the words for init. */
function settingsOf(b?: Boot): Omit<ParamState, 'argvInit' | 'envpInit'> {
  const { argvInit: _argv, envpInit: _envp, ...settings } = b?.kernel.state.params ?? freshParams();
  return settings;
}

describe('the command line in memory', () => {
  test('intact: each option sets its variables', () => {
    const b = withLine(`${ON} ${ALL}`, 'bios-minimal', FOUR, { stage: 18 });
    const trace = b.run();
    expect(intact(trace, 'command line')).toBe(true);
    const now = new Map<string, unknown>(Object.entries(settingsOf(b)));
    const set = Object.entries(settingsOf()).filter(([name, value]) => now.get(name) !== value);
    expect(set.map(([name]) => name).sort()).toEqual(
      [
        'acpiNoirq',
        'amdIommuUnmapFlush',
        'crashkRes',
        'directGbpages',
        'disUcodeLdr',
        'disableIrqRemap',
        'disableNx',
        'doRetainInitrd',
        'efiRuntimeDisabled',
        'forbidDac',
        'mountInitrd',
        'nrCpuIds',
        'patEnabled',
        'reserveLow',
        'setupMaxCpus',
        'skipIoapicSetup',
        'userdef',
      ].sort(),
    );
  });

  test('garbled: no option has an effect', () => {
    const garbled = withLine(`${ON} ${ALL}`, 'bios-minimal', FOUR, {
      stage: 18,
      extra: [plainLine],
    });
    const trace = garbled.run();
    expect(intact(trace, 'command line')).toBe(false);
    // prefill_possible_map() sets this one from the tables.
    expect(settingsOf(garbled)).toEqual({ ...settingsOf(), nrCpuIds: 4 });
    const plain = withLine(ON, 'bios-minimal', FOUR, { stage: 18 });
    plain.run();
    expect(garbled.kernel.state.e820).toEqual(plain.kernel.state.e820);
    const started = new Set(eventsOf(trace, 'smp_init', 'ipi').map(({ ipi }) => ipi));
    expect([...started]).toEqual([1, 2, 3]);
    expect(trace.outcome.kind).toBe('booted');
  });

  test('changed after the loader wrote it: the changed bytes are parsed', () => {
    const b = upTo('copy_bootdata', withLine('maxcpus=2', 'bios-minimal', FOUR));
    const line = b.kernel.sym('boot_command_line');
    b.recorder.step('test');
    b.kernel.writeBytes(
      line,
      Uint8Array.from('console=tty0 nosmp\0', (c) => c.charCodeAt(0)),
    );
    b.runTo('smp_init');
    expect(b.kernel.state.params.setupMaxCpus).toBe(0);
    expect(printedBy(b)).toContain('smpboot: SMP mode deactivated');
  });
});

describe('words of the command line', () => {
  const params = (words: string): Boot => upTo('trap_init', withLine(words));
  test('after -- are not options', () => {
    expect(settingsOf(params('-- nosmp amd_iommu=off'))).toEqual(settingsOf(params('')));
  });
  test('in quotes are one word', () => {
    expect(params('x="a nosmp b"').kernel.state.params.setupMaxCpus).toBe(64);
    expect(params('"maxcpus=1"').kernel.state.params.setupMaxCpus).toBe(1);
  });
  test('that only contain the name of an early option are not that option', () => {
    expect(params('nosmpx xnosmp').kernel.state.params.setupMaxCpus).toBe(64);
  });
  test('of __setup() match by their beginning; retain_initrd rejects further text', () => {
    expect(params('amd-iommu=off').kernel.state.params.amdIommuDisabled).toBe(true);
    expect(params('retain_initrdx').kernel.state.params.doRetainInitrd).toBe(false);
  });
  test('after COMMAND_LINE_SIZE are ignored', () => {
    const long = 'x'.repeat(COMMAND_LINE_SIZE);
    expect(params(`${long} nosmp`).kernel.state.params.setupMaxCpus).toBe(64);
  });
});

describe('words without a handler', () => {
  const paramsWith = (words: string): Boot['kernel']['state']['params'] =>
    upTo('trap_init', withLine(words)).kernel.state.params;
  test('are passed to init: as arguments, or as variables if they have a value; the last of a name wins', () => {
    const { argvInit, envpInit } = paramsWith(
      'single x=1 quiet mod.y=2 TERM=vt100 x=2 crashkernel=1M -- a b=c',
    );
    expect(argvInit).toEqual(['init', 'single', 'a', 'b=c']);
    expect(envpInit).toEqual(['HOME=/', 'TERM=vt100', 'x=2', 'crashkernel=1M']);
  });
  test('before init= are dropped from init’s arguments', () => {
    expect(paramsWith('a init=/bin/sh b').argvInit).toEqual(['init', 'b']);
  });
  test('cause a panic after console_init() if they are too many', () => {
    const words = (count: number): string =>
      Array.from({ length: count }, (_, i) => `w${String(i)}`).join(' ');
    expect(withLine(words(32)).run().outcome.kind).toBe('booted');
    expect(withLine(words(33)).run().outcome).toMatchObject({
      kind: 'panic',
      message: "Too many boot init vars at `w32'",
    });
    const variables = words(33).replaceAll(' ', '=1 ');
    expect(withLine(variables).run().outcome).toMatchObject({
      kind: 'panic',
      message: "Too many boot env vars at `w31=1'",
    });
    // A variable again: the search for its name panics in the last place only.
    const full = `${words(31).replaceAll(' ', '=1 ')}=1`;
    expect(withLine(`${full} w29=2`).run().outcome.kind).toBe('booted');
    expect(withLine(`${full} w30=2`).run().outcome).toMatchObject({
      kind: 'panic',
      message: "Too many boot env vars at `w30=2'",
    });
  });
});

describe('the RAM disk', () => {
  test('noinitrd: an archive is unpacked regardless', () => {
    const trace = withLine('noinitrd').run();
    expect(intact(trace, 'initrd')).toBe(true);
    expect(trace.outcome.kind).toBe('booted');
  });
  test('retain_initrd: its memory is not freed', () => {
    const fills = (words: string): number =>
      eventsOf(withLine(words).run(), 'populate_rootfs', 'fill').filter(
        (event) => event['in'] === 'free_initrd_mem',
      ).length;
    expect(fills('')).toBeGreaterThan(0);
    expect(fills('retain_initrd')).toBe(0);
  });
  test('dis_ucode_ldr: it is not searched for microcode, so that nothing reads it before it is encrypted', () => {
    const readers = (words: string): unknown[] =>
      withLine(`${ON} ${words}`, 'bios-minimal', [], { stage: 18 })
        .run()
        .consumed.filter(({ name }) => name === 'initrd')
        .map(({ by, intact: good }) => [by, good]);
    expect(readers('')).toEqual([
      ['find_cpio_data', false],
      ['unpack_to_rootfs', true],
    ]);
    expect(readers('dis_ucode_ldr')).toEqual([['unpack_to_rootfs', true]]);
    // A longer word is not this option.
    expect(readers('dis_ucode_ldrx')).toHaveLength(2);
  });
});

test('options that are not modelled change nothing that is printed except the command line', () => {
  const b = withLine('quiet nokaslr splash');
  b.run();
  const plain = withLine('');
  plain.run();
  expect(onlyIn(b, plain)).toEqual([]);
});

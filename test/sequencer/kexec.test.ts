import { describe, expect, test } from '@jest/globals';
import type { Boot } from '../../src/sequencer/boot.js';
import { LABELS } from '../../src/sequencer/boot.js';
import { serialize, deserialize } from '../../src/machine/codec.js';
import type { BootSnapshot } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import type { Trace } from '../../src/trace/trace.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot, intact, scenario } from '../helpers.js';

/** A boot of a small machine at a stage, with a second kernel at another. */
function kexec(stage: number, next: number, ...settings: string[]): Boot {
  const small = ['machine.ram=128MiB', `kexec.stage=${String(next)}`];
  return boot({ stage, scenario: scenario('kexec', ...small, ...settings) });
}
const labelsOf = (trace: Trace): string[] => trace.steps.map(({ label }) => label);

test('the second kernel prints on the screen of a machine with a VGA', () => {
  const plain = ['machine.vga=true', 'machine.ram=128MiB', 'kexec.stage=0'];
  const trace = boot({ stage: 0, scenario: scenario('intel', ...plain) }).run();
  expect(trace.outcome.kind).toBe('booted');
  expect(intact(trace, 'kexec console')).toBe(true);
});

describe('kexec without encryption in the first kernel', () => {
  const made = kexec(0, 0);
  const trace = made.run();
  const whole = printTrace(trace);

  test('the second kernel runs all steps and /init', () => {
    expect(trace.outcome).toEqual({ kind: 'booted', where: 'run_init' });
    expect(labelsOf(trace)).toEqual([
      ...LABELS,
      ...LABELS.slice(1, -1).map((label) => `kexec:${label}`),
    ]);
  });

  test('the second kernel reads zero page, command line and initrd intact', () => {
    for (const name of ['boot params', 'command line', 'initrd', 'BIOS data area']) {
      expect([name, intact(trace, `kexec ${name}`)]).toEqual([name, true]);
    }
  });

  test.each(firstOf(1, ['kexec', 'kexec:copy_bootdata']))(
    'resumes from a snapshot at %s with the same rest of the trace',
    (label) => {
      const first = kexec(0, 0);
      first.runTo(label);
      const snapshot = deserialize(serialize(first.snapshot())) as BootSnapshot;
      const second = kexec(0, 0);
      second.restore(snapshot);
      expect(printTrace(second.run())).toBe(whole);
    },
  );

  exhaustiveTest('restores a snapshot of the first kernel from within the second', () => {
    const subject = kexec(0, 0);
    subject.runTo('run_init');
    const snapshot = subject.snapshot();
    const before = subject.program;
    subject.runTo('kexec:copy_bootdata');
    expect(subject.program).not.toBe(before);
    subject.restore(snapshot);
    expect(subject.program).toBe(before);
    expect(printTrace(subject.run())).toBe(whole);
  });

  test('a boot without kexec does not have the second kernel’s labels', () => {
    expect(() => {
      boot().runTo('kexec:startup_64');
    }).toThrow(/E_LABEL/);
  });
});

describe('kexec into a kernel with all patches', () => {
  test('the second kernel turns encryption on, as after a cold boot', () => {
    const trace = kexec(0, 18).run();
    expect(trace.outcome.kind).toBe('booted');
    expect(intact(trace, 'kexec initrd')).toBe(true);
    expect(trace.steps.find(({ label }) => label === 'kexec:startup_64')?.events).toContainEqual(
      expect.objectContaining({ wrmsr: 'SYSCFG', hunk: '18/sme_enable' }),
    );
  });

  test('the second kernel leaves encryption off without mem_encrypt=on', () => {
    const trace = kexec(18, 18, 'cmdline=console=tty0 root=/dev/ram0').run();
    expect(trace.outcome.kind).toBe('booted');
    for (const name of ['boot params', 'command line', 'initrd', 'BIOS data area']) {
      expect([name, intact(trace, `kexec ${name}`)]).toEqual([name, true]);
    }
  });
});

describe('kexec out of a kernel with encryption', () => {
  // machine_kexec() gives relocate_kernel the tables' address without the mask; the tables are encrypted.
  test.each(firstOf(1, [0, 18]))(
    'the CPU shuts down on the way to a kernel of stage %i',
    (next) => {
      const made = kexec(18, next);
      const trace = made.run();
      expect(trace.outcome).toMatchObject({ kind: 'triple-fault', where: 'relocate_kernel' });
      const events = trace.steps.find(({ label }) => label === 'kexec')?.events ?? [];
      const loaded = events.findIndex((event) => event.cr === 'CR3');
      expect(events[loaded]).toMatchObject({ table: 'kexec tables', C: 0 });
      expect(
        events.slice(0, loaded).some((event) => event.map !== undefined && event.C === 1),
      ).toBe(true);
    },
  );
});

describe('a second kernel that cannot be loaded', () => {
  test('a zero page that overlaps the kernel is refused by kexec_load()', () => {
    const bad = kexec(0, 0, 'loader.initrdAt=0x2000000');
    bad.runTo('run_init');
    expect(() => bad.step()).toThrow(/E_KEXEC.*-22/s);
  });
});

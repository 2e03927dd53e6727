import { describe, expect, test } from '@jest/globals';
import { nobleCipher } from '../../src/machine/memory/noble-cipher.js';
import { LABELS } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot, scenario } from '../helpers.js';
import { traceOf } from '../shared-traces.js';

describe('a boot', () => {
  const whole = printTrace(boot().run());

  test('is deterministic', () => {
    expect(printTrace(boot().run())).toBe(whole);
  });

  test('has the same trace and DRAM with an eager engine', () => {
    expect(printTrace(boot({ lazy: false }).run())).toBe(whole);
  });

  exhaustiveTest('has the same trace and DRAM with the portable cipher', () => {
    expect(printTrace(boot({ cipher: nobleCipher }).run())).toBe(whole);
  });

  // Every label, and a fresh process: elsewhere.test.ts.
  test.each(firstOf(1, [LABELS[0] ?? '', 'copy_bootdata', LABELS.at(-1) ?? '']))(
    'resumes from a snapshot at %s with the same rest of the trace',
    (label) => {
      const first = boot();
      first.runTo(label);
      const snapshot = first.snapshot();
      const second = boot();
      second.restore(snapshot);
      expect(printTrace(second.run())).toBe(whole);
    },
  );

  test.each(firstOf(1, ['bios-minimal', 'kexec']))(
    'on %s attributes accesses to the same function after a restore as at the snapshot',
    (name) => {
      const subject = boot({ scenario: scenario(name) });
      const stands = [];
      do {
        stands.push({
          label: subject.ahead[0],
          origin: subject.machine.origin,
          snapshot: subject.snapshot(),
        });
      } while (subject.step());
      for (const { label, origin, snapshot } of stands) {
        subject.restore(snapshot);
        expect([label, subject.machine.origin]).toEqual([label, origin]);
      }
    },
    60_000,
  );

  test('has at most about 400 lines of trace', () => {
    expect(whole.split('\n').length).toBeLessThan(450);
  });

  exhaustiveTest('does not depend on the size of the cache', () => {
    const none = boot({
      scenario: scenario('bios-minimal', 'machine.cache={"size":0,"ways":8}'),
    }).run();
    const usual = traceOf();
    expect(none.outcome).toEqual(usual.outcome);
    expect(none.consumed).toEqual(usual.consumed);
    expect(none.final).toEqual(usual.final);
  });

  test('refuses a label that it does not have', () => {
    expect(() => {
      boot().runTo('no-such-label');
    }).toThrow(/E_LABEL/);
  });
});

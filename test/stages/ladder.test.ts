/** The effect of each stage on a boot of the default scenario. */
import { describe, expect, test } from '@jest/globals';
import type { Trace } from '../../src/trace/trace.js';
import { kindOf } from '../../src/trace/trace.js';
import { firstOf } from '../cases.js';
import { intact, scenario, stateOf } from '../helpers.js';
import { traceOf } from '../shared-traces.js';
import { LAST_STAGE } from '../../src/series/patches.js';

const STAGES = Array.from({ length: LAST_STAGE }, (_, stage) => stage);
const events = (trace: Trace) => trace.steps.flatMap((step) => step.events);

describe('below stage 18 encryption is never on', () => {
  test.each(firstOf(3, STAGES))(
    'stage %i boots, nothing has a C-bit and everything is read intact',
    (stage) => {
      const trace = traceOf({ stage });
      expect(trace.outcome.kind).toBe('booted');
      expect(events(trace).filter((e) => e.C === 1 || e.fromC === 1 || e.toC === 1)).toEqual([]);
      expect(events(trace).filter((e) => e.wrmsr === 'SYSCFG')).toEqual([]);
      expect(trace.consumed.filter((consumed) => !consumed.intact)).toEqual([]);
      expect(trace.final.regions.filter(({ state }) => /cipher|mixed/.test(state))).toEqual([]);
    },
  );
});

describe('stage 18', () => {
  const trace = traceOf();

  test('reaches /init with all required data intact', () => {
    expect(trace.outcome.kind).toBe('booted');
    for (const name of ['boot params', 'command line', 'initrd', 'user file page']) {
      expect([name, intact(trace, name)]).toEqual([name, true]);
    }
  });

  test('leaves kernel text, initrd and user pages as ciphertext in DRAM', () => {
    for (const name of ['kernel text', 'kernel rodata', 'initrd', 'user private page']) {
      expect([name, stateOf(trace, name)]).toEqual([name, 'ciphertext']);
    }
    expect(stateOf(trace, 'loader page tables')).toBe('plaintext');
  });

  test('encrypts the kernel before CR3 has the C-bit, and the initrd before it is unpacked', () => {
    const encrypts = trace.steps.flatMap((step) =>
      step.events.filter((e) => kindOf(e) === 'encrypt').map(() => step.label),
    );
    expect(encrypts).toEqual(['startup_64:phys_base', 'reserve_initrd']);
  });
});

describe('the activation ladder', () => {
  test.each(firstOf(2, [6, 7, 8]))('with 18 on stage %i the boot params are garbage', (stage) => {
    const trace = traceOf({ stage, activate: true });
    expect(intact(trace, 'boot params')).toBe(false);
    expect(intact(trace, 'initrd')).not.toBe(true);
    expect(trace.outcome.kind).not.toBe('booted');
  });

  test('with 18 on stage 9 boot data and initrd are intact', () => {
    const trace = traceOf({ stage: 9, activate: true });
    expect(trace.outcome.kind).toBe('booted');
    for (const name of ['boot params', 'command line', 'initrd']) {
      expect([name, intact(trace, name)]).toEqual([name, true]);
    }
  });
});

describe('a processor, command line or configuration without SME', () => {
  test.each(firstOf(1, ['option-absent', 'intel', 'config-off']))(
    '%s boots without any C-bit and with all reads intact',
    (name) => {
      const trace = traceOf({ scenario: scenario(name) });
      expect(trace.outcome.kind).toBe('booted');
      expect(events(trace).filter((e) => e.C === 1)).toEqual([]);
      expect(trace.consumed.filter((consumed) => !consumed.intact)).toEqual([]);
    },
  );
});

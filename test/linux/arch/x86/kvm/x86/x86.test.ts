/** A guest under the base kernel and under the posted series. */
import { describe, expect, test } from '@jest/globals';
import { consumed, events, throughKvm } from '../kvm-boots.js';
import { firstOf } from '../../../../../cases.js';

const RAN = {
  'guest code, guest': true,
  'guest memory, guest': true,
  'guest answer, vmm': true,
};

describe('without encryption', () => {
  test.each(firstOf(1, [0, 16, 17]))(
    'at stage %i the guest runs to its HLT after three nested page faults',
    (stage) => {
      const b = throughKvm({ stage });
      expect(events(b, 'vmrun')).toEqual(['vmrun npf x3', 'vmrun hlt x1']);
      expect(events(b, 'vmexit').at(-1)).toBe('vmexit hlt x1');
      expect(consumed(b)).toEqual(RAN);
      expect(b.kernel.state.kvm?.vcpu?.exitReason).toBe('KVM_EXIT_HLT');
    },
  );

  test('at stage 18 with CONFIG_AMD_MEM_ENCRYPT=n the guest reads all its bytes intact', () => {
    const b = throughKvm({ stage: 18, set: ['config.CONFIG_AMD_MEM_ENCRYPT=false'] });
    expect(consumed(b)).toEqual(RAN);
  });
});

describe('with encryption the posted series gives VMRUN the VMCB’s address without the mask', () => {
  test.each(
    firstOf(1, [{ stage: 18 }, { stage: 16, activate: true }, { stage: 17, activate: true }]),
  )('%j: the guest never runs, every VMRUN exits as invalid', (which) => {
    const b = throughKvm(which);
    expect(events(b, 'vmrun')).toEqual(['vmrun invalid x64']);
    expect(Object.keys(consumed(b))).not.toContain('guest code, guest');
  });

  test('the kernel reads an exit code of 0 through its own mapping and emulates the guest, past its HLT', () => {
    const b = throughKvm({ stage: 18 });
    expect(events(b, 'vmexit')).toEqual(['vmexit read_cr0 x64']);
    expect(consumed(b)).toEqual({
      'guest code, x86_emulate_instruction': true,
      'guest memory, x86_emulate_instruction': true,
      'guest answer, vmm': true,
    });
    expect(events(b, 'console').at(-1)).toMatch(/KVM_RUN: -4 \(64 entries\)/);
  });

  test.each(
    firstOf(1, [
      ['the cache is coherent across keys (Zen 3)', ['machine.cpu=zen-3']],
      ['there is no cache', ['machine.cache.size=0']],
    ]),
  )(
    'where %s the kernel reads garbage as the exit code: it warns, once, and continues',
    (_why, set) => {
      const b = throughKvm({ stage: 18, set });
      expect(events(b, 'vmrun')).toEqual(['vmrun invalid x64']);
      expect(events(b, 'console').filter((e) => e.includes('unexpected exit reason'))).toHaveLength(
        1,
      );
      expect(consumed(b)).toEqual({ 'guest answer, vmm': false });
    },
  );

  test('the host boots to /init', () => {
    const b = throughKvm({ stage: 18 });
    b.runTo('run_init');
    expect(
      b.recorder.snapshot().integrity.consumed.some(({ name }) => name === 'user file page'),
    ).toBe(true);
    expect(b.outcome?.kind ?? 'booted').toBe('booted');
  });
});

describe('no guest', () => {
  test('is run where the scenario has guest=false', () => {
    const b = throughKvm({ stage: 0, set: ['guest=false'] });
    expect(b.kernel.state.kvm).toBeNull();
    expect(events(b, 'enter', 'console')).toEqual([]);
  });

  test('is run on a processor without SVM', () => {
    const b = throughKvm({ stage: 18, set: ['machine.cpu=intel-broadwell'] });
    expect(events(b, 'console')).toEqual(['console kvm: no hardware support x1']);
  });
});

test('KVM restores EFER.SVME and VM_HSAVE_PA', () => {
  const { msrs } = throughKvm({ stage: 17 }).machine.cpus[0];
  expect(msrs.get('EFER') & 0x1000n).toBe(0n);
  expect(msrs.get('VM_HSAVE_PA')).toBe(0n);
});

test('a boot continued from another boot’s snapshot before KVM records the same steps', () => {
  const which = { stage: 18, set: ['machine.seed=another'] };
  const one = throughKvm(which);
  const other = throughKvm(which);
  one.runTo('run_init');
  other.runTo('run_init');
  const steps = (b: typeof one): unknown => b.recorder.snapshot().steps.slice(-2);
  expect(steps(other)).toEqual(steps(one));
});

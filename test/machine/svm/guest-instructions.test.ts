import { describe, expect, test } from '@jest/globals';
import { UnmodelledError } from '../../../src/machine/unmodelled.js';
import {
  INTERCEPT,
  segmentField,
  VMCB_CONTROL,
  VMCB_SAVE,
  VMEXIT,
} from '../../../src/machine/svm/vmcb.js';
import { AT, CODE, GuestMachine } from './svm-guest.js';

const run = (
  code: readonly number[],
  change: Parameters<GuestMachine['edit']>[0] = () => undefined,
) => {
  const m = new GuestMachine({ code: Uint8Array.from(code) }).edit(change);
  return { m, exit: m.run() };
};

describe('undefined opcodes of a guest', () => {
  test.each([
    ['ud2', [0x0f, 0x0b]],
    ['another instruction with REP', [0xf3, 0xa5]],
    ['zeros', [0, 0]],
  ] as const)('%s, without an IDT, are a shutdown', (_what, code) => {
    expect(run(code).exit.code).toBe(VMEXIT.SHUTDOWN);
  });

  test('exit with VMEXIT_EXCP6 if #UD is intercepted', () => {
    const { m, exit } = run([0x90, 0x0f, 0x0b], (view) => {
      view.set(VMCB_CONTROL.INTERCEPT_EXCEPTION, 1n << 6n);
    });
    expect(exit.code).toBe(VMEXIT.EXCP0 + 6n);
    expect(m.vmcb(VMCB_SAVE.RIP)).toBe(BigInt(CODE + 1));
  });

  test('throw E_UNMODELLED if the IDT has a gate for vector 6', () => {
    const limit = (value: bigint) => () =>
      run([0x0f, 0x0b], (view) => {
        view.set(segmentField('IDTR', 'limit'), value);
      });
    expect(limit(27n)).toThrow(UnmodelledError);
    expect(limit(26n)().exit.code).toBe(VMEXIT.SHUTDOWN);
  });
});

test('VMMCALL exits with 0x81, and is #UD if it is not intercepted', () => {
  expect(run([0x0f, 0x01, 0xd9]).exit.code).toBe(VMEXIT.VMMCALL);
  const { exit } = run([0x0f, 0x01, 0xd9], (view) => {
    view.set(VMCB_CONTROL.INTERCEPT_MISC, INTERCEPT.VMRUN | INTERCEPT.SHUTDOWN);
  });
  expect(exit.code).toBe(VMEXIT.SHUTDOWN);
});

test('HLT without an intercept throws E_UNMODELLED', () => {
  expect(() =>
    run([0xf4], (view) => {
      view.set(VMCB_CONTROL.INTERCEPT_MISC, INTERCEPT.VMRUN);
    }),
  ).toThrow(UnmodelledError);
});

test('an injected exception is delivered before the first instruction, and cleared in EVENTINJ', () => {
  const { m, exit } = run([0xf4], (view) => {
    view.set(VMCB_CONTROL.EVENTINJ, 0x8000_0306n);
    view.set(VMCB_CONTROL.INTERCEPT_EXCEPTION, 1n << 6n);
  });
  expect(exit.code).toBe(VMEXIT.SHUTDOWN);
  expect(m.vmcb(VMCB_CONTROL.EVENTINJ)).toBe(0n);
});

describe('a segment', () => {
  test('adds its base', () => {
    const { m, exit } = run([0xf4], (view) => {
      view.set(segmentField('CS', 'base'), 0x1000n);
      view.set(VMCB_SAVE.RIP, 0n);
    });
    expect(exit.code).toBe(VMEXIT.HLT);
    expect(m.get(AT.guest + CODE, 1)).toEqual(Uint8Array.of(0xf4));
  });

  test.each([
    ['last', 0xffffn, VMEXIT.HLT],
    ['first beyond', 0x1_0000n, VMEXIT.EXCP0 + 13n],
  ] as const)('checks its %s byte against its limit', (_which, rip, code) => {
    const m = new GuestMachine().edit((view) => {
      view.set(VMCB_SAVE.RIP, rip);
      view.set(VMCB_CONTROL.INTERCEPT_EXCEPTION, 1n << 13n);
    });
    m.put(AT.guest + 0xffff, Uint8Array.of(0xf4, 0xf4));
    expect(m.run().code).toBe(code);
  });
});

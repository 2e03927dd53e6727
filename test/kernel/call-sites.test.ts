/** Return addresses of calls are in the caller. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { callSite } from '../../src/kernel/program.js';
import { exhaustiveTest } from '../cases.js';
import { boot, scenario } from '../helpers.js';

describe('a call site', () => {
  test('is in the caller, after a call of 5 bytes', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 6, max: 100_000 }), (callee, size) => {
        const site = callSite(callee, size);
        expect(site).toBeGreaterThanOrEqual(5);
        expect(site).toBeLessThan(size);
      }),
    );
  });

  test('is the same for each call of the same function', () => {
    expect(callSite('memcpy', 512)).toBe(callSite('memcpy', 512));
    expect(callSite('memcpy', 512)).not.toBe(callSite('early_memunmap', 512));
  });
});

describe('the instruction pointer', () => {
  test('is in the running function at the end of each step', () => {
    const subject = boot({ scenario: scenario('epyc-efi') });
    for (const label of subject.ahead) {
      subject.runTo(label);
      const { kernel, program, machine } = subject;
      const frame = kernel.current;
      if (frame === undefined) continue;
      const into = machine.cpus[0].rip - frame.at;
      expect([label, frame.name, into >= 0 && into < program.sizeOf(frame.name)]).toEqual([
        label,
        frame.name,
        true,
      ]);
    }
  });

  exhaustiveTest(
    'returns to few addresses in the loop that encrypts a large initrd page by page',
    () => {
      const subject = boot({
        scenario: scenario('bios-minimal', 'machine.ram=512MiB'),
        initrd: new Uint8Array(32 * 2 ** 20),
      });
      const { kernel, program } = subject;
      subject.runTo('copy_bootdata');
      const enter = kernel.enter.bind(kernel);
      let calls = 0;
      const returns = new Set<number>();
      kernel.enter = (name, at): void => {
        const caller = kernel.current;
        enter(name, at);
        if (caller?.name !== 'sme_early_mem_enc') return;
        calls += 1;
        returns.add((kernel.current?.returnsTo ?? 0) - caller.at);
      };
      subject.runTo('reserve_initrd');
      expect(calls).toBeGreaterThan(2 * 8192);
      expect(returns.size).toBeLessThan(8);
      const size = program.sizeOf('sme_early_mem_enc');
      expect([...returns].every((offset) => offset > 0 && offset < size)).toBe(true);
    },
  );
});

/** Snapshots of an executor between two runs; code-cache.ts and executor.ts too. */
import { describe, expect, test } from '@jest/globals';
import { machineDigest } from '../machine-digest.js';
import { IF, Rings } from './rings.js';

/**
 * FNINIT, FLD1; then for ever: INC RAX, store it, load it into XMM0, RDTSC, add to RBX, and every 256 rounds HLT. The
 * interrupt's routine counts in RBP and ends its service.
 */
const PROGRAM =
  'db e3 d9 e8 48 ff c0 48 89 04 25 00 00 20 00 66 48 0f 6e c0 0f 31 48 01 c3 89 c8 ff c1 84 c9 75 e7 f4 eb e4';
const ROUTINE = '48 ff c5 50 b0 20 e6 20 58 48 cf';

function started(): Rings {
  const rings = new Rings(PROGRAM, ROUTINE);
  rings.periodic(500);
  const cpu = rings.machine.cpus[0];
  cpu.writeCr4(cpu.cr4 | 0x600);
  rings.executor.core.flags.value = IF | 2;
  return rings;
}
const state = ({ executor, machine }: Rings): unknown => [
  executor.snapshot().core,
  machineDigest(machine),
];

describe('a snapshot between two runs', () => {
  test.each([1, 3, 100, 41_994, 41_995, 50_000])(
    'after %i instructions goes on to the same state on another machine',
    (count) => {
      const whole = started();
      whole.run(count);
      const [machine, executor] = structuredClone([
        whole.machine.snapshot(),
        whole.executor.snapshot(),
      ]);
      whole.run(90_000);
      const other = started();
      // The other machine has been elsewhere meanwhile.
      other.run(777);
      other.machine.restore(machine);
      other.executor.restore(executor);
      expect(other.executor.instructions).toBe(count);
      other.run(90_000);
      expect(state(other)).toEqual(state(whole));
      expect(whole.reg(5)).toBeGreaterThan(1n);
      expect(whole.executor.core.skipped).toBeGreaterThan(0);
    },
  );

  test('changes nothing: a run without it ends alike', () => {
    const whole = started();
    whole.run(100_000);
    const parts = started();
    for (let i = 0; i < 10; i++) {
      parts.run(10_000);
      parts.executor.snapshot();
    }
    expect(state(parts)).toEqual(state(whole));
  });

  test('has the code that a restored run executes, not that of the machine before', () => {
    const first = new Rings('b0 01');
    const snapshot = [first.machine.snapshot(), first.executor.snapshot()] as const;
    const other = new Rings('b0 02');
    other.run();
    other.machine.restore(snapshot[0]);
    other.executor.restore(snapshot[1]);
    other.run();
    expect(other.reg(0)).toBe(1n);
  });
});

/**
 * Nothing of a boot lives outside of its snapshots. A boot is stopped at each label; another boot takes the snapshot,
 * runs one step, and must stand where the first one stands at its next label: by induction the rest is the same.
 */
import { describe, expect, test } from '@jest/globals';
import { PAGE_SIZE, pa } from '../../src/machine/address.js';
import { nobleCipher } from '../../src/machine/noble-cipher.js';
import { serialize } from '../../src/machine/codec.js';
import type { Boot, BootSnapshot } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { boot, scenario, sha256 } from '../helpers.js';

const TIME = 300_000;

/** The parts of two snapshots that differ; of what was recorded, the last step is looked at. */
function differing(wanted: BootSnapshot, got: BootSnapshot): string[] {
  const parts = ({ machine, kernel, recorder, ...rest }: BootSnapshot): [string, Uint8Array][] => [
    ['machine', machine],
    ['kernel', serialize(kernel)],
    ['recorder', serialize({ ...recorder, steps: recorder.steps.at(-1) })],
    ['rest', serialize({ ...rest, steps: recorder.steps.length })],
  ];
  const others = new Map(parts(got));
  return parts(wanted)
    .filter(([part, bytes]) => Buffer.compare(bytes, others.get(part) ?? new Uint8Array()) !== 0)
    .map(([part]) => part);
}

// From stage 17 the next kernel is entered and boots; from 18 the first one ends on the way there.
describe.each([
  ['epyc-efi', 18],
  ['kexec', 17],
  ['kexec', 18],
  ['ap-syscfg-clear', 18],
])('%s at stage %i', (name, stage) => {
  const options = { scenario: scenario(name), stage };

  test(
    'goes on from the snapshot at each label as if it had never stopped',
    () => {
      const subject = boot(options);
      const other: Boot = boot(options);
      const wrong: string[] = [];
      let steps = 0;
      let before = subject.snapshot();
      while (subject.outcome === null) {
        const label = subject.ahead[0] ?? '';
        subject.step();
        const after = subject.snapshot();
        other.restore(before);
        other.step();
        for (const part of differing(after, other.snapshot())) wrong.push(`${part} after ${label}`);
        before = after;
        steps++;
      }
      expect(wrong).toEqual([]);
      expect(steps).toBeGreaterThan(30);
      expect(printTrace(other.finish())).toBe(printTrace(subject.finish()));
    },
    TIME,
  );
});

describe('epyc-efi', () => {
  const options = { scenario: scenario('epyc-efi') };
  const whole = boot(options);
  const trace = printTrace(whole.run());
  const dram = (subject: Boot): string => sha256(serialize(contents(subject)));

  /** What a probe on the bus sees of every page that was touched. */
  function contents(subject: Boot): unknown {
    const { machine } = subject;
    const pages = [...machine.dram.snapshot().pages.keys()].sort((a, b) => a - b);
    return pages.map((page) => [page, machine.dram.peek(pa(page * PAGE_SIZE), PAGE_SIZE)]);
  }

  test.each(['startup_64', 'smp_init', 'run_init'])(
    'resumed before %s by a boot that has run nothing, it writes the same trace to the end',
    (label) => {
      const first = boot(options);
      while (first.ahead[0] !== label && first.step());
      const second = boot(options);
      second.restore(first.snapshot());
      expect(second.ahead[0]).toBe(label);
      expect(printTrace(second.run())).toBe(trace);
      expect(dram(second)).toBe(dram(whole));
    },
    TIME,
  );

  test.each([
    ['an engine that encrypts at once', { lazy: false }],
    ["noble's cipher instead of node's", { cipher: nobleCipher }],
  ])(
    '%s gives the same trace and the same bytes on the bus',
    (_title, other) => {
      const subject = boot({ ...options, ...other });
      expect(printTrace(subject.run())).toBe(trace);
      expect(dram(subject)).toBe(dram(whole));
    },
    TIME,
  );
});

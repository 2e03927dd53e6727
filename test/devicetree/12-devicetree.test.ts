/** Patches 10 and 12: the setup_data chain and the device tree are mapped without the C-bit. */
import { describe, expect, test } from '@jest/globals';
import { exhaustiveTest, firstOf } from '../cases.js';
import type { Scenario } from '../../src/scenario/scenario.js';
import { boot, intact, scenario } from '../helpers.js';

const subject = scenario('bios-minimal', 'loader.deviceTree=true');
const run = (stage: number, activate = false) => boot({ scenario: subject, stage, activate }).run();

describe('the device tree', () => {
  test.each(firstOf(2, [0, 9, 10, 11, 12, 17]))(
    'is intact at stage %i, which encrypts nothing',
    (stage) => {
      expect(intact(run(stage), 'device tree')).toBe(true);
    },
  );

  test('and the chain are intact with the whole series', () => {
    const trace = run(18);
    expect(intact(trace, 'setup_data[0]')).toBe(true);
    expect(intact(trace, 'device tree')).toBe(true);
    expect(trace.final.regions.find(({ name }) => name === 'device tree')?.state).toBe('plaintext');
  });

  test('is not reached with encryption on and without patch 10: the chain links are noise', () => {
    const trace = run(9, true);
    expect(intact(trace, 'setup_data[0]')).toBe(false);
    expect(trace.outcome).toMatchObject({ kind: 'panic', where: 'early_fixup_exception' });
  });

  test.each([10, 11])('is garbage with encryption on at stage %i, before patch 12', (stage) => {
    const trace = run(stage, true);
    expect(intact(trace, 'setup_data[0]')).toBe(true);
    expect(intact(trace, 'device tree')).toBe(false);
    expect(trace.outcome.kind).toBe('booted');
  });

  test('is intact with encryption on from patch 12', () => {
    expect(intact(run(12, true), 'device tree')).toBe(true);
  });
});

describe('a memory map of more than 128 entries', () => {
  const firmware = { ...subject.firmware, e820: manyRanges() };
  const many = (stage: number) => boot({ scenario: { ...subject, firmware }, stage }).run();

  test('is complete at stage 17: the rest is read from the setup_data chain', () => {
    expect(intact(many(17), 'e820 extension')).toBe(true);
  });

  // parse_e820_ext() is base code that no patch of the series touches.
  exhaustiveTest(
    'lacks the entries in the chain at stage 18: its reader maps them with the C-bit',
    () => {
      const trace = many(18);
      expect(intact(trace, 'setup_data[0]')).toBe(true);
      expect(intact(trace, 'e820 extension')).toBe(false);
    },
  );

  // __append_e820_map() stops at the first entry whose end wraps; in noise that is before the end of the mapping.
  test.each(firstOf(1, ['a', 's1', 's2', 's3', 's4', 's5', 's6', 's7']))(
    'boots at stage 18 with seed %s: the reader stops at the first entry of noise that wraps',
    (seed) => {
      const machine = { ...subject.machine, seed };
      const trace = boot({ scenario: { ...subject, machine, firmware } }).run();
      expect(intact(trace, 'e820 extension')).toBe(false);
      expect(trace.outcome.kind).toBe('booted');
    },
  );
});

/** The usual map, with the top of RAM split into 64 KiB ranges that are alternately reserved and usable. */
function manyRanges(): Scenario['firmware']['e820'] {
  const top = 0x7000_0000;
  const ranges = Array.from({ length: 140 }, (_, i) => ({
    start: top + i * 0x1_0000,
    end: top + i * 0x1_0000 + 0xffff,
    type: i % 2 === 0 ? ('reserved' as const) : ('usable' as const),
  }));
  return [
    { start: 0, end: 0x9_fbff, type: 'usable' },
    { start: 0x10_0000, end: top - 1, type: 'usable' },
    ...ranges,
    { start: top + 140 * 0x1_0000, end: 0x7fff_ffff, type: 'usable' },
  ];
}

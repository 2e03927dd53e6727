import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { differences, garbageOf } from '../../src/sequencer/expected.js';
import type { Consumed, OutcomeKind, Trace } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';

const read = (name: string, intact: boolean, by = 'somebody'): Consumed => ({ name, by, intact });

/** The end of a trace. */
const ended = (
  kind: OutcomeKind,
  ...consumed: Consumed[]
): Pick<Trace, 'consumed' | 'outcome'> => ({ consumed, outcome: { kind } });

describe('what some reader did not get intact', () => {
  test('is named once, in order, also where another reader did get it', () => {
    const trace = ended(
      'booted',
      read('initrd', false, 'find_cpio_data'),
      read('RSDP', true),
      read('BIOS data area', false),
      read('initrd', true, 'unpack_to_rootfs'),
      read('initrd', false, 'nobody'),
    );
    expect(garbageOf(trace)).toEqual(['BIOS data area', 'initrd']);
  });
});

describe('a boot', () => {
  const trace = ended('panic', read('initrd', false), read('option ROM', false));

  test('that ends as expected differs in nothing', () => {
    expect(differences({ outcome: 'panic', garbage: ['initrd', 'option ROM'] }, trace)).toEqual([]);
  });

  test('is not asked for names that the scenario does not give', () => {
    expect(differences({ outcome: 'panic' }, trace)).toEqual([]);
  });

  test('that ends otherwise says each missing and each other name', () => {
    expect(differences({ outcome: 'booted', garbage: ['RSDP', 'initrd'] }, trace)).toEqual([
      'expected to end booted, not panic',
      'expected to be read as garbage: RSDP',
      'not expected to be read as garbage: option ROM',
    ]);
  });

  test('of less than the whole series is held to nothing', () => {
    const of = (stage: number): unknown =>
      boot({ scenario: scenario('bios-minimal'), stage }).expected;
    expect(of(17)).toBeUndefined();
    expect(of(18)).toMatchObject({ outcome: 'booted' });
  });
});

describe('each scenario says how it ends', () => {
  const names = readdirSync('scenarios').map((file) => file.replace(/\.yaml$/, ''));

  test.each(names)('%s', (name) => {
    const b = boot({ scenario: scenario(name), stage: 18 });
    expect(b.expected?.garbage).toBeDefined();
    const trace = b.run();
    expect(
      b.expected === undefined ? ['nothing is expected'] : differences(b.expected, trace),
    ).toEqual([]);
  });
});

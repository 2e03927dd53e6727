import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { differences, garbageOf } from '../../src/sequencer/expected.js';
import type { Consumed, OutcomeKind, Trace } from '../../src/trace/trace.js';
import { firstOf } from '../cases.js';
import { boot, scenario } from '../helpers.js';

const read = (name: string, intact: boolean, by = 'somebody'): Consumed => ({ name, by, intact });

/** The end of a trace. */
const ended = (
  kind: OutcomeKind,
  ...consumed: Consumed[]
): Pick<Trace, 'consumed' | 'outcome'> => ({ consumed, outcome: { kind } });

describe('garbageOf', () => {
  test('names data once, sorted, even if another reader read it intact', () => {
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

  test('that ends as expected has no differences', () => {
    expect(differences({ outcome: 'panic', garbage: ['initrd', 'option ROM'] }, trace)).toEqual([]);
  });

  test('is not checked for garbage if the scenario lists none', () => {
    expect(differences({ outcome: 'panic' }, trace)).toEqual([]);
  });

  test('that ends differently has a difference for each missing and each unexpected name', () => {
    expect(differences({ outcome: 'booted', garbage: ['RSDP', 'initrd'] }, trace)).toEqual([
      'expected outcome booted, found panic',
      'expected to be read as garbage: RSDP',
      'unexpectedly read as garbage: option ROM',
    ]);
  });

  test('of a part of the series is not checked', () => {
    const of = (stage: number): unknown =>
      boot({ scenario: scenario('bios-minimal'), stage }).expected;
    expect(of(17)).toBeUndefined();
    expect(of(18)).toMatchObject({ outcome: 'booted' });
  });
});

describe('each shipped scenario has an expectation', () => {
  const names = readdirSync('scenarios').map((file) => file.replace(/\.yaml$/, ''));

  test.each(firstOf(4, names))('%s', (name) => {
    const b = boot({ scenario: scenario(name), stage: 18 });
    expect(b.expected?.garbage).toBeDefined();
    const trace = b.run();
    expect(
      b.expected === undefined ? ['nothing is expected'] : differences(b.expected, trace),
    ).toEqual([]);
  });
});

/** The activation ladder on a machine with all devices: the reads that are intact from each patch on. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Trace } from '../../src/trace/trace.js';
import { boot, intact, scenario, stateOf } from '../helpers.js';

const epyc = scenario('epyc-efi');
const ladder = new Map<number, Trace>();
const at = (stage: number): Trace => {
  const trace = ladder.get(stage);
  if (trace === undefined) throw new Error(`stage ${String(stage)} was not booted`);
  return trace;
};

beforeAll(() => {
  for (const stage of [8, 9, 10, 11, 12, 13, 15, 16, 17]) {
    ladder.set(stage, boot({ scenario: epyc, stage, activate: true }).run());
  }
}, 120_000);

describe('with patch 18 on top of a stage', () => {
  test.each([
    ['boot params', 8, 9],
    ['command line', 8, 9],
    ['setup_data[0]', 9, 10],
    ['EFI system table', 9, 10],
    ['EFI memory map', 9, 10],
    ['EFI runtime services', 9, 10],
    ['ESRT', 9, 10],
    ['virtual address map', 9, 10],
    ['trampoline', 10, 11],
    ['AP 1', 10, 11],
    ['AP 3', 10, 11],
    ['device tree', 11, 12],
    ['nvme to device', 12, 13],
    ['nvme from device', 12, 13],
    ['nvme coherent to device', 12, 13],
    ['console', 15, 16],
  ])('%s is not intact at stage %i and is at stage %i', (name, before, after) => {
    expect(intact(at(before), name)).not.toBe(true);
    expect(intact(at(after), name)).toBe(true);
  });

  test('reads that a patch made intact stay intact at later stages', () => {
    for (const stage of [10, 11, 12, 13, 15, 16, 17]) {
      expect([stage, intact(at(stage), 'EFI system table')]).toEqual([stage, true]);
      expect([stage, intact(at(stage), 'initrd')]).toEqual([stage, true]);
    }
    for (const stage of [13, 15, 16, 17]) {
      expect([stage, intact(at(stage), 'AP 2')]).toEqual([stage, true]);
      expect([stage, intact(at(stage), 'device tree')]).toEqual([stage, true]);
    }
  });

  test('the trampoline is plaintext in DRAM from patch 11', () => {
    expect(stateOf(at(10), 'trampoline')).not.toBe('plaintext');
    expect(stateOf(at(11), 'trampoline')).toBe('plaintext');
  });

  test('the boot ends in an early exception without patch 09 or 10, and reaches /init from 10 on', () => {
    for (const stage of [8, 9]) expect(at(stage).outcome.kind).toBe('panic');
    for (const stage of [10, 11, 12, 13, 15, 16, 17]) {
      expect(at(stage).outcome.kind).toBe('booted');
    }
  });
});

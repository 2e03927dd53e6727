/** Boots with devices, before patch 13 and with it; what is named here is what somebody read. */
import { describe, expect, test } from '@jest/globals';
import { readLong } from '../../src/linux/lib/swiotlb/swiotlb.js';
import { pa } from '../../src/machine/address.js';
import type { Scenario } from '../../src/scenario/scenario.js';
import type { Trace } from '../../src/trace/trace.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { boot, intact, scenario, sha256 } from '../helpers.js';

const WAYS = [
  'to device',
  'from device',
  'coherent to device',
  'coherent from device',
  'sg to device',
  'sg from device',
];

const devices = (ram = '256MiB', ...more: string[]): Scenario =>
  scenario('bios-devices', `machine.ram=${ram}`, ...more);
/** How each way of a device ended: got what was sent, got something else, or was not gone. */
const fate = (trace: Trace, name: string): (boolean | undefined)[] =>
  WAYS.map((way) => intact(trace, `${name} ${way}`));
const ALL = [true, true, true, true, true, true];
const NONE = [false, false, false, false, false, false];

describe('without encryption', () => {
  test.each([0, 12, 13, 17])('at stage %p every device gets and gives what it should', (stage) => {
    const trace = boot({ scenario: devices(), stage }).run();
    for (const name of ['nvme', 'ahci', 'isa'])
      expect([name, fate(trace, name)]).toEqual([name, ALL]);
    expect(printTrace(trace)).not.toContain('SWIOTLB');
  });

  test('memory above 4 GiB brings bounce buffers, and nothing else is different', () => {
    const trace = boot({ scenario: devices('8GiB'), stage: 0 }).run();
    for (const name of ['nvme', 'ahci', 'isa'])
      expect([name, fate(trace, name)]).toEqual([name, ALL]);
    expect(printTrace(trace)).toContain('(64MB) mapped');
  });
});

describe('with encryption, patch 13 missing', () => {
  const trace = boot({ scenario: devices(), stage: 12, activate: true }).run();

  test.each(['nvme', 'ahci', 'isa'])('%s sees other bytes than the kernel', (name) => {
    expect(fate(trace, name)).toEqual(NONE);
  });
});

describe.each([
  ['activated on 13', 13, true],
  ['at stage 18', 18, false],
] as const)('with encryption and patch 13, %s', (_name, stage, activate) => {
  const run = boot({ scenario: devices(), stage, activate });
  const trace = run.run();
  const text = printTrace(trace);

  test('a 64-bit device is given addresses with the mask', () => {
    expect(fate(trace, 'nvme')).toEqual(ALL);
  });

  test('a 32-bit device goes by plain bounce buffers, coherent memory too', () => {
    expect(fate(trace, 'ahci')).toEqual(ALL);
    expect(text).toMatch(/fill: .*, value: 0, C: 0, in: swiotlb_alloc_coherent/);
  });

  test('a 24-bit device has its mask accepted, and then reaches no memory at all', () => {
    expect(text).not.toContain('No usable DMA configuration');
    expect(fate(trace, 'isa')).toEqual([undefined, undefined, undefined, undefined, false, false]);
    expect(text).toContain('isa: DMA map failed');
    expect(text).toContain('swiotlb: coherent allocation failed for device isa size=4096');
  });

  test('the bounce area is plaintext in DRAM', () => {
    const [start, end] = ['io_tlb_start', 'io_tlb_end'].map((name) => readLong(run.kernel, name));
    run.machine.cache.wbinvd('all');
    const size = (end ?? 0) - (start ?? 0);
    const { plain, encrypted } = run.machine.dram.stateOf(pa(start ?? 0), size);
    expect([plain, encrypted]).toEqual([64 * 2 ** 20, 0]);
  });
});

test('a device moves what the trace says when the boot is taken up at the drivers', () => {
  const first = boot({ scenario: devices() });
  first.runTo('pci_iommu_init');
  const frozen = first.snapshot();
  const whole = printTrace(first.run());
  const second = boot({ scenario: devices() });
  second.restore(frozen);
  expect(printTrace(second.run())).toBe(whole);
});

test('zeroing the bounce area line by line, as where somebody watches, leaves the same memory', () => {
  const seen = [false, true].map((watched) => {
    const run = boot({ scenario: devices('128MiB') });
    if (watched) run.machine.observe({});
    run.runTo('after-locking_selftest');
    const at = pa(readLong(run.kernel, 'io_tlb_start'));
    return sha256(run.machine.dram.peek(at, 64 * 2 ** 20));
  });
  expect(seen[0]).toBe(seen[1]);
});

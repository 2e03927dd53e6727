/** Boots with devices, without and with patch 13: whether the reads of devices and drivers are intact. */
import { describe, expect, test } from '@jest/globals';
import { exhaustiveTest, firstOf } from '../cases.js';
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
/** The result of each transfer of a device: intact, not intact, or undefined if it was not made. */
const results = (trace: Trace, name: string): (boolean | undefined)[] =>
  WAYS.map((way) => intact(trace, `${name} ${way}`));
const ALL = [true, true, true, true, true, true];
const NONE = [false, false, false, false, false, false];

describe('without encryption', () => {
  test.each(firstOf(2, [0, 12, 13, 17]))(
    'at stage %p all transfers of every device are intact',
    (stage) => {
      const trace = boot({ scenario: devices(), stage }).run();
      for (const name of ['nvme', 'ahci', 'isa'])
        expect([name, results(trace, name)]).toEqual([name, ALL]);
      expect(printTrace(trace)).not.toContain('SWIOTLB');
    },
  );

  test('memory above 4 GiB adds bounce buffers, and all transfers stay intact', () => {
    const trace = boot({ scenario: devices('8GiB'), stage: 0 }).run();
    for (const name of ['nvme', 'ahci', 'isa'])
      expect([name, results(trace, name)]).toEqual([name, ALL]);
    expect(printTrace(trace)).toContain('(64MB) mapped');
  });
});

describe('with encryption, patch 13 missing', () => {
  const trace = boot({ scenario: devices(), stage: 12, activate: true }).run();

  test.each(['nvme', 'ahci', 'isa'])('no transfer of %s is intact', (name) => {
    expect(results(trace, name)).toEqual(NONE);
  });
});

describe.each([
  ['activated on 13', 13, true],
  ['at stage 18', 18, false],
] as const)('with encryption and patch 13, %s', (_name, stage, activate) => {
  const run = boot({ scenario: devices(), stage, activate });
  const trace = run.run();
  const text = printTrace(trace);

  test('all transfers of a 64-bit device are intact', () => {
    expect(results(trace, 'nvme')).toEqual(ALL);
  });

  test('a 32-bit device uses plain bounce buffers, for coherent memory too', () => {
    expect(results(trace, 'ahci')).toEqual(ALL);
    expect(text).toMatch(/fill: .*, value: 0, C: 0, in: swiotlb_alloc_coherent/);
  });

  test('a 24-bit device has its mask accepted, but all its mappings fail', () => {
    expect(text).not.toContain('No usable DMA configuration');
    expect(results(trace, 'isa')).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      false,
      false,
    ]);
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

exhaustiveTest('a boot restored from a snapshot at pci_iommu_init has the same trace', () => {
  const first = boot({ scenario: devices() });
  first.runTo('pci_iommu_init');
  const snapshot = first.snapshot();
  const whole = printTrace(first.run());
  const second = boot({ scenario: devices() });
  second.restore(snapshot);
  expect(printTrace(second.run())).toBe(whole);
});

exhaustiveTest(
  'zeroing the bounce area line by line, as with a listener for fills, leaves the same memory',
  () => {
    const seen = [false, true].map((watched) => {
      const run = boot({ scenario: devices('128MiB') });
      if (watched) run.machine.probes.filled.listen(() => undefined);
      run.runTo('after-locking_selftest');
      const at = pa(readLong(run.kernel, 'io_tlb_start'));
      return sha256(run.machine.dram.peek(at, 64 * 2 ** 20));
    });
    expect(seen[0]).toBe(seen[1]);
  },
);

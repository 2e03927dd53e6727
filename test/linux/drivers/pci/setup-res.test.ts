/** BARs above the physical address size that memory encryption reduces: the case of patch 05. */
import { describe, expect, test } from '@jest/globals';
import { KEY_PLAIN, pa } from '../../../../src/machine/address.js';
import { REQUESTER_PLATFORM } from '../../../../src/machine/requester.js';
import type { Boot } from '../../../../src/sequencer/boot.js';
import { printTrace } from '../../../../src/trace/yaml-out.js';
import type { Trace } from '../../../../src/trace/trace.js';
import { boot, intact, scenario } from '../../../helpers.js';

const TIB = 2 ** 40;
/** The first address above 43 bits, to which encryption reduces the 48. */
const REDUCED = 8 * TIB;

const machine = (ram: string, ...bars: number[]): ReturnType<typeof scenario> =>
  scenario(
    'bios-devices',
    `machine.ram=${ram}`,
    `machine.devices=${JSON.stringify(bars.map((bar, i) => ({ name: `d${String(i)}`, dmaMask: 64, bar })))}`,
  );
const consoleOf = (trace: Trace): string =>
  trace.steps
    .flatMap(({ events }) => events)
    .flatMap(({ console: line }) => (typeof line === 'string' ? [line] : []))
    .join('\n');
const run = (stage: number, bars: readonly number[], ...without: string[]): Trace =>
  boot({ scenario: machine('256MiB', ...bars), stage, without }).run();

describe('a BAR', () => {
  test('below the limit keeps the address that firmware assigned', () => {
    for (const stage of [17, 18]) {
      const trace = run(stage, [REDUCED - 4096]);
      expect(consoleOf(trace)).not.toMatch(/BAR/);
      expect(intact(trace, 'd0 registers')).toBe(true);
    }
  });

  test('above the limit is usable while SYSCFG[23] is clear', () => {
    const trace = run(17, [REDUCED]);
    expect(consoleOf(trace)).not.toMatch(/BAR/);
    expect(intact(trace, 'd0 registers')).toBe(true);
  });

  test('above the limit is assigned another address with patch 05', () => {
    const trace = run(18, [REDUCED, REDUCED + 4096]);
    expect(consoleOf(trace)).toContain(
      "d0: can't claim BAR 0 [mem 0x80000000000-0x80000000fff 64bit]: no compatible bridge window",
    );
    // The lowest addresses above 4 GiB.
    expect(consoleOf(trace)).toContain('d0: BAR 0: assigned [mem 0x100000000-0x100000fff 64bit]');
    expect(consoleOf(trace)).toContain('d1: BAR 0: assigned [mem 0x100001000-0x100001fff 64bit]');
    expect([intact(trace, 'd0 registers'), intact(trace, 'd1 registers')]).toEqual([true, true]);
  });

  test('above the limit keeps its address without patch 05, and the first read faults on a reserved bit', () => {
    const trace = run(18, [REDUCED], '05');
    const faults = trace.steps
      .flatMap(({ events }) => events)
      .filter(({ fault }) => fault !== undefined);
    expect(faults.at(-1)).toMatchObject({ fault: '#PF(9) at 0xffffc90000000000', why: 'reserved' });
    expect(trace.outcome.kind).toBe('panic');
  });

  test('is assigned after RAM and the buffer that follows it', () => {
    const trace = boot({ scenario: machine('5121MiB', REDUCED) }).run();
    expect(consoleOf(trace)).toContain('assigned [mem 0x184000000-0x184000fff 64bit]');
  });

  test('is at its new address after a snapshot is restored', () => {
    const make = (): Boot => boot({ scenario: machine('256MiB', REDUCED) });
    const first = make();
    first.runTo('pci_iommu_init');
    expect(first.machine.bus.at(2 ** 32)?.name).toBe('d0');
    expect(first.machine.bus.at(REDUCED)).toBeUndefined();
    const second = make();
    expect(second.machine.bus.at(REDUCED)?.name).toBe('d0');
    second.restore(first.snapshot());
    expect(second.machine.bus.at(2 ** 32)?.name).toBe('d0');
    const out = new Uint8Array(4);
    second.machine.bus.read(pa(2 ** 32), KEY_PLAIN, out, 0, 4, REQUESTER_PLATFORM);
    expect([...out]).toEqual([0x64, 0x30, 0, 0]);
    expect(printTrace(second.run())).toBe(printTrace(first.run()));
  });

  test.each([
    ['not of whole pages', 0x800],
    ['at 0', 0],
    ['where RAM is', 0x100_0000],
    ['above MAXPHYADDR', 2 ** 48],
  ])('is refused %s', (_what, bar) => {
    expect(() => boot({ scenario: machine('256MiB', REDUCED, bar) })).toThrow(
      new RegExp(`E_BAR: machine\\.devices\\.1\\.bar.*found 0x${bar.toString(16)}$`),
    );
  });
});

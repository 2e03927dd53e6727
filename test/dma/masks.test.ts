/** Devices with DMA masks other than 32 and 64 bits: which cover the C-bit, memory only, or nothing. */
import { describe, expect, test } from '@jest/globals';
import {
  DMA,
  DMA_BIT_MASK,
  type KernelDevice,
} from '../../src/linux/include/linux/dma-mapping/dma_map_ops.js';
import { parseScenario } from '../../src/scenario/scenario.js';
import type { Trace, TraceEvent } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A small machine whose devices have these masks. */
const machine = (...bits: number[]): ReturnType<typeof scenario> =>
  scenario(
    'bios-devices',
    'machine.ram=256MiB',
    `machine.devices=${JSON.stringify(bits.map((dmaMask) => ({ name: `d${String(dmaMask)}`, dmaMask })))}`,
  );
const transfers = (trace: Trace, bits: number): TraceEvent[] =>
  trace.steps.flatMap(({ events }) => events).filter((event) => event.dma === `d${String(bits)}`);
const results = (trace: Trace, bits: number): unknown[] =>
  transfers(trace, bits).map(({ result }) => result);

describe('with the C-bit at bit 47', () => {
  const MASKS = [23, 24, 31, 32, 33, 40, 47, 48, 63, 64];
  const on = boot({ scenario: machine(...MASKS) }).run();
  const off = boot({ scenario: machine(...MASKS), stage: 17 }).run();

  test.each([48, 63, 64])('a mask of %i bits covers it: direct transfers with C=1', (bits) => {
    const all = transfers(on, bits);
    expect(all).toHaveLength(8);
    for (const { bus, C, result } of all) {
      expect([BigInt(String(bus)) >> 47n, C, result]).toEqual([1n, 1, 'ok']);
    }
  });

  test.each([32, 33, 40, 47])(
    'a mask of %i bits does not: all transfers are bounced, C=0',
    (bits) => {
      const all = transfers(on, bits);
      expect(all).toHaveLength(8);
      for (const { C, via, result } of all) {
        expect([C, via, result]).toEqual([0, 'swiotlb_dma_ops', 'ok']);
      }
    },
  );

  test.each([24, 31, 32, 40, 47, 48, 64])(
    'without encryption a mask of %i bits needs no bounce buffer',
    (bits) => {
      const all = transfers(off, bits);
      expect(all).toHaveLength(8);
      for (const { via, result } of all) expect([via, result]).toEqual(['nommu_dma_ops', 'ok']);
    },
  );

  test('a mask below 24 bits is refused by dma_set_mask() with and without encryption', () => {
    for (const trace of [on, off]) {
      expect(results(trace, 23)).toEqual([]);
      expect(JSON.stringify(trace.steps)).toContain('d23: No usable DMA configuration, aborting');
    }
  });
});

describe('a device with a 40-bit mask and a buffer larger than a segment of slots', () => {
  const dev: KernelDevice = {
    name: 'gpu',
    devid: 0x400,
    dmaMask: DMA_BIT_MASK(40),
    coherentDmaMask: DMA_BIT_MASK(40),
    dmaOps: 0,
  };
  /** Whether a mapping of a number of bytes at 16 MiB fails. */
  const fails = (stage: number, size: number): boolean => {
    const made = boot({ scenario: machine(40), stage });
    made.runTo('pci_iommu_init');
    made.recorder.step('test');
    const { fn } = made.kernel;
    return fn.dma_mapping_error(dev, fn.dma_map_page(dev, 64 * MIB, 0, size, DMA.TO_DEVICE));
  };

  // lib/swiotlb.c: IO_TLB_SEGSIZE slots of 2 KiB are the most that one mapping can have.
  test('maps 256 KiB; one byte more is a panic, and is mapped without encryption', () => {
    expect(fails(18, 256 * KIB)).toBe(false);
    // swiotlb_full(): larger than the overflow buffer, so there is no replacement.
    expect(() => fails(18, 256 * KIB + 1)).toThrow(/Random memory could be DMA read/);
    expect(fails(17, 256 * KIB + 1)).toBe(false);
  });
});

test.each([11, 65, 32.5])('a mask of %d bits is refused with its place', (bits) => {
  const data = { ...machine(32), expect: undefined };
  const wrong = { ...data, machine: { ...data.machine, devices: [{ name: 'x', dmaMask: bits }] } };
  expect(() => parseScenario('f.yaml', wrong)).toThrow(/machine\.devices\.0\.dmaMask/);
});

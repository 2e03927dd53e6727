import { describe, expect, test } from '@jest/globals';
import { ZEN1, ZEN3 } from '../../src/machine/cpu/cpu-models.js';
import { exhaustiveTest } from '../cases.js';
import { ramOf } from '../../src/scenario/memory-layout.js';
import { boot, scenario } from '../helpers.js';

const TIB = 2 ** 40;
const GIB = 2 ** 30;
/** RAM beyond 3 GiB is above 4 GiB, so that its end is 1 GiB above its size. */
const HOLE = GIB;

describe('RAM that the processor can address', () => {
  const sized = (bytes: number, syscfg: boolean): ReturnType<typeof scenario> =>
    scenario(
      'bios-minimal',
      `machine.ram=${String(bytes)}`,
      `firmware.syscfgMemEncrypt=${String(syscfg)}`,
    );

  test.each([
    ['SYSCFG[23] is set: 43 bits', 8 * TIB, true],
    ['it is not: 48 bits', 256 * TIB, false],
  ])('is limited by the address bits: %s', (_what, end, syscfg) => {
    expect(ramOf(sized(end - HOLE, syscfg), ZEN1).at(-1)).toEqual({
      base: 4 * GIB,
      size: end - 4 * GIB,
    });
    expect(() => ramOf(sized(end - HOLE + 4096, syscfg), ZEN1)).toThrow(
      /E_RAM_TOO_LARGE: machine\.ram/,
    );
  });

  test('E_RAM_TOO_LARGE names the reduction and its reason', () => {
    expect(() => ramOf(sized(9 * TIB, true), ZEN3)).toThrow(
      /43 physical address bits: firmware has set SYSCFG\[23\], which reduces 48 by 5/,
    );
  });

  test('of a given map is checked by its end', () => {
    expect(() =>
      boot({ scenario: scenario('ram-above-reduction', 'firmware.syscfgMemEncrypt=true') }),
    ).toThrow(
      /E_RAM_TOO_LARGE: firmware\.e820.*expected an end of at most 0x80000000000, found 0x80040000000/,
    );
  });
});

describe('RAM above the limit with SYSCFG[23] set', () => {
  const high = (stage: number) => boot({ scenario: scenario('ram-above-reduction'), stage }).run();

  test('is used while the bit is clear', () => {
    const trace = high(17);
    expect(trace.outcome.kind).toBe('booted');
    expect(trace.final.regions.length).toBeGreaterThan(5);
    expect(JSON.stringify(trace.steps)).toContain('[mem 0x80000000000-0x8003fffffff]');
  });

  exhaustiveTest(
    'is still mapped after patch 18 has set it, and the first access faults on a reserved bit',
    () => {
      const trace = high(18);
      expect(trace.outcome.kind).toBe('panic');
      const events = trace.steps.flatMap((step) => step.events);
      expect(events.filter((event) => event.fault !== undefined).at(-1)).toMatchObject({
        // PAGE_OFFSET + 0x8003ffe0000; P, W and RSVD.
        fault: '#PF(11) at 0xffff90003ffe0000',
        why: 'reserved',
        in: 'memblock_virt_alloc',
      });
      // Patch 05 has reduced the kernel's address bits; the memory map is not checked against them.
      expect(JSON.stringify(trace.steps)).toContain('family 0x17, 43 physical address bits');
    },
  );
});

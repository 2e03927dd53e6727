import { describe, expect, test } from '@jest/globals';
import { VGA_TEXT } from '../../src/machine/devices/vga.js';
import { va } from '../../src/machine/address.js';
import { link } from '../../src/series/link.js';
import type { Trace } from '../../src/trace/trace.js';
import { hunksOf } from '../../src/series/patches.js';
import { firstOf, exhaustiveTest } from '../cases.js';
import { boot, scenario } from '../helpers.js';

/** Key of the direct-map translation at an offset from video memory, after console_init. */
function keyAt(offset: number, ...settings: string[]): number {
  const b = boot({ scenario: scenario('bios-minimal', 'machine.vga=true', ...settings) });
  b.runTo('console_init');
  const probed = b.machine.cpus[0].translate(va(b.kernel.__va(VGA_TEXT.base) + offset));
  if ('vector' in probed) throw new Error(probed.why);
  return probed.key;
}

describe('VGA_MAP_MEM of patch 16', () => {
  test.each(
    firstOf(2, [
      ['the page before video memory', -1, 1],
      ['its first byte', 0, 0],
      ['its last byte', VGA_TEXT.size - 1, 0],
      ['the page after it', VGA_TEXT.size, 1],
    ]),
  )('clears the C-bit of exactly video memory: %s', (_what, offset, key) => {
    expect(keyAt(offset)).toBe(key);
  });

  test('needs sme_set_mem_dec of patch 10', () => {
    expect(() => link([...hunksOf(2), ...hunksOf(16)])).toThrow(
      /E_MISSING_NEED.*16 needs sme_set_mem_dec from 10/,
    );
  });

  exhaustiveTest('without CONFIG_AMD_MEM_ENCRYPT only computes the address', () => {
    const without = 'config.CONFIG_AMD_MEM_ENCRYPT=false';
    const trace = (...settings: string[]): Trace =>
      boot({ scenario: scenario('bios-minimal', 'machine.vga=true', ...settings) }).run();
    const entered = ({ steps }: Trace): unknown[] =>
      steps
        .filter(({ label }) => label === 'console_init')
        .flatMap((step) => step.events.map((event) => event.enter));
    expect(keyAt(0, without)).toBe(0);
    expect(trace(without).final.screen?.at(-1)).toBe('Run /init as init process');
    expect(entered(trace(without))).not.toContain('sme_set_mem_dec');
    expect(entered(trace())).toContain('sme_set_mem_dec');
  });
});

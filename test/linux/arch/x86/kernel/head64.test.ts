/** x86_64_start_reservations(): the zero page is copied again where its boot protocol version is 0. */
import { describe, expect, test } from '@jest/globals';
import { buildBuiltInImage } from '../../../../../src/firmware/image/built-in.js';
import type { KernelImage } from '../../../../../src/firmware/image/kernel-image.js';
import { BASE_VARIABLES } from '../../../../../src/linux/index.js';
import { link } from '../../../../../src/series/link.js';
import { kindOf, type TraceEvent } from '../../../../../src/trace/trace.js';
import { boot, intact } from '../../../../helpers.js';

const { setupHeader, ...vmlinux } = buildBuiltInImage(link([]).baseFunctions, BASE_VARIABLES);

describe.each([17, 18])('at stage %i the zero page', (stage) => {
  const copies = (image: KernelImage): [string, TraceEvent[]][] => {
    const trace = boot({ image, stage }).run();
    expect(intact(trace, 'boot params')).toBe(true);
    expect(intact(trace, 'command line')).toBe(true);
    return trace.steps
      .filter(({ label }) => ['copy_bootdata', 'reserve_ebda_region'].includes(label))
      .map(({ label, events }) => [label, events.filter((event) => kindOf(event) === 'copy')]);
  };
  const counts = (image: KernelImage): [string, number][] =>
    copies(image).map(([label, events]) => [label, events.length]);

  test('is copied once where the image has a setup header', () => {
    expect(setupHeader?.length).toBeGreaterThan(0);
    const found = counts({ ...vmlinux, ...(setupHeader && { setupHeader }) });
    expect(found.map(([label, n]) => [label, n > 0])).toEqual([
      ['copy_bootdata', true],
      ['reserve_ebda_region', false],
    ]);
  });

  // A loader of a bare vmlinux has no header to copy.
  test('is copied twice where its boot protocol version is 0', () => {
    const found = counts(vmlinux);
    expect(found.map(([label, n]) => [label, n > 0])).toEqual([
      ['copy_bootdata', true],
      ['reserve_ebda_region', true],
    ]);
  });
});

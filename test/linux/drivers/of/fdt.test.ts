/** The kernel reads a tree that dtc compiled, and reports a damaged one. */
import { describe, expect, test } from '@jest/globals';
import { FDT_HEADER } from '../../../../src/firmware/fdt.js';
import type { Trace } from '../../../../src/trace/trace.js';
import { fixture } from '../../../fixtures/fixture.js';
import { boot, intact } from '../../../helpers.js';

const compiled = (): Uint8Array => fixture('dtc/board.dtb');

const printed = (trace: Trace): string[] =>
  trace.steps
    .filter(({ label }) => label === 'x86_dtb_init')
    .flatMap(({ events }) => events)
    .flatMap((event) => (typeof event.console === 'string' ? [event.console] : []));
const found = (trace: Trace): unknown =>
  trace.steps.flatMap(({ events }) => events).find((e) => e.read === 'device tree')?.result;

const withHeader = (field: keyof typeof FDT_HEADER, value: number): Uint8Array => {
  const blob = compiled();
  new DataView(blob.buffer).setUint32(FDT_HEADER[field], value);
  return blob;
};

describe('a device tree compiled by dtc', () => {
  test('is copied, verified and unflattened, and its nodes are found by their compatible strings', () => {
    const subject = boot({ stage: 0, deviceTree: compiled() });
    const trace = subject.run();
    expect(intact(trace, 'device tree')).toBe(true);
    expect(found(trace)).toBe('unflattened');
    expect(subject.kernel.fn.of_find_compatible_node('acme,leaf')).not.toBe(0);
    expect(subject.kernel.fn.of_find_compatible_node('acme,lea')).toBe(0);
  });

  test.each([
    ['magic', 0xd00d_feec],
    ['version', 15],
    ['last_comp_version', 18],
  ] as const)('with a %s of %i is refused', (field, value) => {
    const trace = boot({ stage: 0, deviceTree: withHeader(field, value) }).run();
    expect(printed(trace)).toEqual(['Invalid device tree blob header']);
    expect(trace.outcome.kind).toBe('booted');
  });

  test.each([16, 17])('of version %i is read', (version) => {
    expect(found(boot({ stage: 0, deviceTree: withHeader('version', version) }).run())).toBe(
      'unflattened',
    );
  });

  test('with a totalsize above the limit of an early mapping is not mapped', () => {
    const trace = boot({ stage: 0, deviceTree: withHeader('totalsize', 0x4_0001) }).run();
    expect(printed(trace)).toEqual(['No valid device tree found, continuing without']);
  });

  test('whose structure block ends too early is reported', () => {
    const trace = boot({ stage: 0, deviceTree: withHeader('size_dt_struct', 64) }).run();
    expect(printed(trace).join()).toMatch(/unflatten: error -\d+ processing FDT/);
  });
});

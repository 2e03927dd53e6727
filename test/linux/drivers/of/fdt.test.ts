/** The kernel reads a tree that dtc compiled, and reports a damaged one. */
import { describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../../../src/base/limits.js';
import { FDT_HEADER, writeFdt, type FdtNode } from '../../../../src/firmware/fdt.js';
import type { Trace } from '../../../../src/trace/trace.js';
import { fixture } from '../../../fixtures/fixture.js';
import { boot, intact } from '../../../helpers.js';
import { refusal } from '../../../trace/helpers.js';

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

describe('a device tree made to be costly', () => {
  const nested = (depth: number): FdtNode => {
    let node: FdtNode = { name: 'n', properties: {} };
    for (let i = 1; i < depth; i++) node = { name: 'n', properties: {}, children: [node] };
    return { ...node, name: '' };
  };

  test('is read with nodes nested as deep as the limit', () => {
    const tree = writeFdt(nested(LIMITS.deviceTreeDepth.most));
    expect(found(boot({ stage: 0, deviceTree: tree }).run())).toBe('no simple-bus node');
  });

  test.each([LIMITS.deviceTreeDepth.most + 1, 1000])(
    'is not modelled with %i nested nodes',
    (depth) => {
      const deep = boot({ stage: 0, deviceTree: writeFdt(nested(depth)) });
      expect(refusal(() => deep.run()).code).toBe('E_UNMODELLED');
    },
  );

  const sharing = (length: number, nodes: number): FdtNode => {
    const names = Array.from({ length: nodes }, (_, i) => `node${String(i)}`);
    const properties = { ['p'.repeat(length)]: null };
    return { name: '', properties: {}, children: names.map((name) => ({ name, properties })) };
  };

  test('may have many properties that share one name', () => {
    const subject = boot({ stage: 0, deviceTree: writeFdt(sharing(31, 1000)) });
    expect(found(subject.run())).toBe('no simple-bus node');
    expect(subject.kernel.fn.of_find_compatible_node('acme,leaf')).toBe(0);
  });

  test('is not modelled with children whose paths share a long name', () => {
    const leaves = Array.from({ length: 1000 }, (_, i) => ({
      name: `n${String(i)}`,
      properties: {},
    }));
    const long = { name: 'p'.repeat(20_000), properties: {}, children: leaves };
    const tree = writeFdt({ name: '', properties: {}, children: [long] });
    expect(refusal(() => boot({ stage: 0, deviceTree: tree }).run()).code).toBe('E_UNMODELLED');
  });

  test.each([
    [20_000, 60],
    [20_000, 1000],
  ])('is not modelled with a name of %i characters that %i properties share', (length, nodes) => {
    const long = boot({ stage: 0, deviceTree: writeFdt(sharing(length, nodes)) });
    expect(refusal(() => long.run()).code).toBe('E_UNMODELLED');
  });
});

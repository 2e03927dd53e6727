import { describe, expect, test } from '@jest/globals';
import { REPORT } from '../../trace/helpers.js';
import { predicateOf, type TraceParts } from '../../../src/analysis/bisect/predicate.js';

const shown: TraceParts = {
  steps: [
    { label: 'loader', events: [{ cr: 'CR3', C: 0, in: 'startup_64' }] },
    { label: 'next', events: [{ console: 'hello' }] },
  ],
  consumed: [
    { name: 'initrd', by: 'find_cpio_data', intact: false, firstDifference: 0 },
    { name: 'initrd', by: 'unpack_to_rootfs', intact: true },
    { name: 'boot params', by: 'copy_bootdata', intact: true },
  ],
  outcome: { kind: 'panic', where: 'x' },
  reports: [REPORT, { ...REPORT, cpu: 1 }],
};

describe('an expression', () => {
  test.each([
    ['outcome=panic', true],
    ['outcome=booted', false],
    ['garbage=initrd', true],
    ['garbage=boot params', false],
    ['garbage=nobody', false],
    ['intact=boot params', true],
    ['intact=initrd', false],
    ['intact=nobody', false],
    ['report=wrong-key-read', true],
    ['report=mixed-key-line', false],
    ['event={cr: CR3}', true],
    ['event={cr: CR3, C: 0}', true],
    ['event={cr: CR3, C: 1}', false],
    ['event={cr: CR3, in: /^start/}', true],
    ['event={console: hello}', true],
    ['event={dma: nvme}', false],
  ])('%s', (text, holds) => {
    const wanted = predicateOf(text);
    expect([wanted.text, wanted.holds(shown)]).toEqual([text, holds]);
  });

  test.each([
    ['', /^E_USAGE/],
    ['outcome', /^E_USAGE/],
    ['outcome=', /^E_USAGE/],
    ['outcome=exploded', /^E_USAGE: .*outcome=booted\|panic/],
    ['encrypted=initrd', /^E_USAGE: .*outcome=KIND/],
    ['toString=x', /^E_USAGE/],
    ['event={', /^E_YAML: --expect/],
    ['event=CR3', /^E_EXPECTATION: --expect/],
    ['event={cr: CR3, D: 1}', /^E_EXPECTATION: --expect:1:\d+, expect\.D: unknown key/],
    ['event={}', /^E_EXPECTATION/],
  ])('%j is refused', (text, message) => {
    expect(() => predicateOf(text)).toThrow(message);
  });
});

describe('an expression about a report', () => {
  const rules = ['wrong-key-read', 'mixed-key-line'];

  test('says where the first one is, or which rules were reported', () => {
    expect(predicateOf('report=wrong-key-read', { rules }).seen(shown)).toBe(
      'at 0x100000..0x100fff initrd, in reserve_initrd by unpack_to_rootfs, and 1 more',
    );
    const absent = predicateOf('report=mixed-key-line', { rules });
    expect(absent.seen(shown)).toBe('not reported; reports of wrong-key-read');
    expect(absent.seen({ ...shown, reports: [] })).toBe('not reported; reports of no rule');
  });

  test('is refused for a rule that there is not', () => {
    expect(() => predicateOf('report=wrong-key-reed', { rules })).toThrow(
      /^E_USAGE: --expect: no rule .*did you mean wrong-key-read\?$/,
    );
  });
});

/** Each alternative alone without the mask (alternatives.test.ts tests them together), and kexec with a large cache. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { alternatives, patchOf } from '../../src/series/patches.js';
import type { Trace } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';
import { whatHappens, withoutMask } from './without-mask.js';

let posted: unknown;
beforeAll(() => {
  posted = whatHappens(withoutMask().run());
});

test.each(alternatives().map((one) => [one.id, one] as const))(
  '%s changes nothing without the mask',
  (id, one) => {
    expect(patchOf(one)).toBeGreaterThan(0);
    expect(whatHappens(withoutMask(id).run())).toEqual(posted);
  },
);

describe('kexec with lines of the first kernel still in a cache of 64 MiB', () => {
  const large = (...extra: string[]): Trace =>
    boot({
      scenario: scenario('kexec', `machine.cache.size=${String(64 * 2 ** 20)}`),
      with: extra,
    }).run();

  test('with 10/kexec-map alone they are written back over the other kernel', () => {
    expect(large('10/kexec-map').outcome).toMatchObject({
      kind: 'triple-fault',
      where: 'startup_64',
      message: expect.stringContaining('#UD') as unknown,
    });
  });

  test('with 10/kexec-wbinvd alone the other kernel is not reached, with 10/kexec-map added it boots', () => {
    expect(large('10/kexec-wbinvd').outcome).toMatchObject({ where: 'relocate_kernel' });
    expect(large('10/kexec-map', '10/kexec-wbinvd').outcome.kind).toBe('booted');
  });
});

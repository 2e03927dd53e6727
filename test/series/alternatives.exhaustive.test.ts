/** Each alternative alone without the mask; alternatives.test.ts has them together. */
import { beforeAll, expect, test } from '@jest/globals';
import { alternatives, patchOf } from '../../src/series/patches.js';
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

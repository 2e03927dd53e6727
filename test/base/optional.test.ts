import { describe, expect, test } from '@jest/globals';
import { optional } from '../../src/base/optional.js';

interface Named {
  readonly name?: string;
  readonly size?: number | null;
}
const made = (name: string | undefined, size: number | null | undefined): Named =>
  optional({ name, size });

describe('optional', () => {
  test('omits properties that are undefined', () => {
    expect(Object.keys(made(undefined, undefined))).toEqual([]);
    expect(Object.keys(made(undefined, 4))).toEqual(['size']);
  });

  test('copies properties that are null, zero, false or empty, in the order given', () => {
    expect(Object.entries(made('', null))).toEqual([
      ['name', ''],
      ['size', null],
    ]);
    expect(optional({ size: 0, on: false })).toEqual({ size: 0, on: false });
  });

  test('preserves the type of each property', () => {
    // @ts-expect-error: a name is not a number.
    const wrong: Named = optional({ name: 7 });
    expect(wrong).toEqual({ name: 7 });
  });
});

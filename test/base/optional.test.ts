import { describe, expect, test } from '@jest/globals';
import { optional } from '../../src/base/optional.js';

interface Named {
  readonly name?: string;
  readonly size?: number | null;
}
const asked = (name: string | undefined, size: number | null | undefined): Named =>
  optional({ name, size });

describe('optional properties', () => {
  test('are absent where they are undefined', () => {
    expect(Object.keys(asked(undefined, undefined))).toEqual([]);
    expect(Object.keys(asked(undefined, 4))).toEqual(['size']);
  });

  test('stay where they are null, zero or empty, in the order given', () => {
    expect(Object.entries(asked('', null))).toEqual([
      ['name', ''],
      ['size', null],
    ]);
    expect(optional({ size: 0, on: false })).toEqual({ size: 0, on: false });
  });

  test('keep the type of each property', () => {
    // @ts-expect-error: a name is not a number.
    const wrong: Named = optional({ name: 7 });
    expect(wrong).toEqual({ name: 7 });
  });
});

/** A layout as a specification prints it: fields in order with their widths; offsets follow from those. */
import { expect } from '@jest/globals';

/** Checks the offsets of a layout against its fields in order. The layout omits fields whose names start with `-`. */
export function expectLayout(
  layout: Readonly<Record<string, unknown>>,
  fields: readonly (readonly [name: string, width: number])[],
): void {
  let at = 0;
  const expected: Record<string, number> = {};
  for (const [name, width] of fields) {
    if (!name.startsWith('-')) expected[name] = at;
    at += width;
  }
  expect(layout).toMatchObject({ ...expected, ...('size' in layout ? { size: at } : {}) });
}

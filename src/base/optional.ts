/**
 * Optional properties for an object literal: those of `fields` that are not undefined, in their order. A property that
 * may be absent cannot be undefined under exactOptionalPropertyTypes.
 */
export function optional<T extends object>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/**
 * The properties of `fields` that are not undefined, in their order, to spread into an object literal: under
 * exactOptionalPropertyTypes an optional property must be absent, not undefined.
 */
export function optional<T extends object>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/**
 * The properties of `fields` that are not undefined, in their order, to spread into an object literal: under
 * exactOptionalPropertyTypes an optional property must be absent, not undefined.
 */
export function optional<T extends object>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // A loop, not Object.entries(): the tracer calls this for every event.
  const set: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key in fields) {
    const value = fields[key];
    if (isSet(value)) set[key] = value;
  }
  return set;
}

function isSet<T>(value: T): value is Exclude<T, undefined> {
  return value !== undefined;
}

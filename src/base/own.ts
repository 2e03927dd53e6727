/**
 * A record's own property by a name, or undefined. A name from input may be one of Object.prototype (`constructor`,
 * `__proto__`), which an index would find; a lint rule (scripts/lint/lookups.mjs) refuses such an index.
 */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The same of any object: undefined for what has no properties. */
export function ownOf(value: unknown, name: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

/** Whether two values of plain data, maps and typed arrays are alike; what both share is not looked into. */
export function alike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b)) {
    return ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && sameBytes(a, b);
  }
  if (a instanceof Map || b instanceof Map) {
    return a instanceof Map && b instanceof Map && sameEntries(a, b);
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  return sameEntries(new Map(Object.entries(a)), new Map(Object.entries(b)));
}

function sameEntries(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  // A property that is undefined is as good as none.
  for (const [key, value] of a) if (!alike(value, b.get(key))) return false;
  for (const [key, value] of b) if (value !== undefined && !a.has(key)) return false;
  return true;
}

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const width = [a, b].every((v) => v.byteOffset % 4 === 0 && v.byteLength % 4 === 0) ? 4 : 1;
  const [left, right] = [wordsOf(a, width), wordsOf(b, width)];
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

/** The bytes of an array, one or four at a time. */
function wordsOf(
  { buffer, byteOffset, byteLength }: ArrayBufferView,
  width: 1 | 4,
): ArrayLike<number> {
  return width === 4
    ? new Uint32Array(buffer, byteOffset, byteLength / 4)
    : new Uint8Array(buffer, byteOffset, byteLength);
}

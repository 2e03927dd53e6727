/**
 * Plain data with typed arrays, maps and bigints as bytes and back: a JSON head, then the contents of the arrays.
 * Our own, because snapshots go through it wherever the simulator runs.
 */
const MAGIC = 0x534d_4531;
const HEAD = 8;

type Tagged =
  | { readonly $: 'bigint'; readonly v: string }
  /** A number that JSON has not: an infinity, NaN or -0. */
  | { readonly $: 'number'; readonly v: string }
  | { readonly $: 'map'; readonly v: readonly unknown[] }
  | { readonly $: string; readonly at: number; readonly n: number }
  /** An array whose elements are all equal, for example a page of zeros. */
  | { readonly $: string; readonly of: number; readonly n: number };

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f64: Float64Array,
} as const;
type ArrayName = keyof typeof ARRAYS;
const ALIGN = 8;

/**
 * Bytes of a value made of plain objects, arrays, strings, numbers, bigints, maps and typed arrays. Throws a RangeError
 * for a typed array of another kind.
 */
export function serialize(value: unknown): Uint8Array {
  const blocks: Uint8Array[] = [];
  const seen = new Map<object, Tagged>();
  let length = 0;
  const put = (name: ArrayName, array: ArrayBufferView, n: number): Tagged => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const at = length;
    blocks.push(bytes);
    length += Math.ceil(bytes.length / ALIGN) * ALIGN;
    return { $: name, at, n };
  };
  const array = (item: ArrayBufferView): Tagged => {
    for (const [name, type] of Object.entries(ARRAYS)) {
      if (!(item instanceof type)) continue;
      const of = item[0] ?? 0;
      // JSON has no -0, NaN or infinity: such an array is written as bytes.
      const inJson = Number.isInteger(of) && !Object.is(of, -0);
      if (inJson && uniform(item)) return { $: name, of, n: item.length };
      return put(name as ArrayName, item, item.length);
    }
    throw new RangeError(`no such array in a snapshot: ${item.constructor.name}`);
  };
  const encode = (item: unknown): unknown => {
    if (typeof item === 'bigint') return { $: 'bigint', v: item.toString() };
    if (Object.is(item, -0)) return { $: 'number', v: '-0' };
    if (typeof item === 'number' && !Number.isFinite(item)) {
      return { $: 'number', v: String(item) };
    }
    if (typeof item !== 'object' || item === null) return item;
    if (ArrayBuffer.isView(item)) {
      // An array that is referenced more than once, as a page of several snapshots is, is written once.
      const known = seen.get(item) ?? array(item);
      seen.set(item, known);
      return known;
    }
    if (Array.isArray(item)) return item.map(encode);
    if (isMap(item)) return { $: 'map', v: [...item].map(encode) };
    return Object.fromEntries(Object.entries(item).map(([key, v]) => [key, encode(v)]));
  };
  const head = new TextEncoder().encode(JSON.stringify(encode(value)));
  const start = Math.ceil((HEAD + head.length) / ALIGN) * ALIGN;
  const out = new Uint8Array(start + length);
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, head.length, true);
  out.set(head, HEAD);
  let at = start;
  for (const block of blocks) {
    out.set(block, at);
    at += Math.ceil(block.length / ALIGN) * ALIGN;
  }
  return out;
}

/** The value of bytes that {@link serialize} made. Throws a RangeError if they do not begin with its magic number. */
export function deserialize(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEAD || view.getUint32(0, true) !== MAGIC) throw new RangeError('no snapshot');
  const headLength = view.getUint32(4, true);
  const start = Math.ceil((HEAD + headLength) / ALIGN) * ALIGN;
  const head = JSON.parse(
    new TextDecoder().decode(bytes.subarray(HEAD, HEAD + headLength)),
  ) as unknown;
  const seen = new Map<string, unknown>();
  const decode = (item: unknown): unknown => {
    if (typeof item !== 'object' || item === null) return item;
    if (Array.isArray(item)) return item.map(decode);
    if (isTagged(item)) {
      if ('at' in item) {
        const type = ARRAYS[item.$ as ArrayName];
        const from = start + item.at;
        const id = `${item.$} ${String(from)} ${String(item.n)}`;
        const known =
          seen.get(id) ??
          new type(bytes.slice(from, from + item.n * type.BYTES_PER_ELEMENT).buffer);
        seen.set(id, known);
        return known;
      }
      if ('of' in item) return new ARRAYS[item.$ as ArrayName](item.n).fill(item.of);
      if (item.$ === 'bigint') return BigInt(item.v);
      if (item.$ === 'number') return Number(item.v);
      return new Map((item.v as unknown[]).map(decode) as [unknown, unknown][]);
    }
    return Object.fromEntries(Object.entries(item).map(([key, v]) => [key, decode(v)]));
  };
  return decode(head);
}

/** Whether all elements equal the first. */
function uniform(array: ArrayLike<number>): boolean {
  for (let i = 1; i < array.length; i++) if (!Object.is(array[i], array[0])) return false;
  return true;
}

/** Whether an object is a Map of any realm: structuredClone() may return one of another realm. */
export function isMap(item: object): item is ReadonlyMap<unknown, unknown> {
  return Object.prototype.toString.call(item) === '[object Map]';
}

function isTagged(item: object): item is Tagged {
  return '$' in item;
}

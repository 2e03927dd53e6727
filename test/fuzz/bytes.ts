/** Mutations of bytes: valid inputs with flipped bits, cuts, changed fields, and parts copied or moved. */
import fc from 'fast-check';

/** One mutation: an operation, a place (of 2^16 parts of the input, or an index of its fields) and values. */
interface Edit {
  readonly op: number;
  readonly at: number;
  readonly to: number;
  readonly value: number;
}

/** Numbers at which lengths, counts and offsets go wrong. */
const NUMBERS = [
  0, 1, 2, 3, 4, 7, 8, 0x10, 0x7f, 0x80, 0xff, 0x100, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff,
  0x1_0000, 0xf_ffff, 0x100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
];

const edit: fc.Arbitrary<Edit> = fc.record({
  op: fc.nat(9),
  at: fc.nat(0xffff),
  to: fc.nat(0xffff),
  value: fc.nat(0xff_ffff),
});

/** A field whose value the mutations know to change: its offset, its width in bytes, its byte order. */
export interface Field {
  readonly at: number;
  readonly width: 1 | 2 | 4 | 8;
  readonly big?: boolean;
}

const scaled = (at: number, length: number): number => Math.floor((at * length) / 0x1_0000);

function putNumber(bytes: Uint8Array, { at, width, big = false }: Field, value: number): void {
  for (let i = 0; i < width; i++) {
    const place = at + (big ? width - 1 - i : i);
    // Bytes past the fourth are those of a negative or a small number.
    if (place < bytes.length) bytes[place] = i < 4 ? (value >>> (8 * i)) & 0xff : value >> 31;
  }
}

function without(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const out = new Uint8Array(bytes.length - (to - from));
  out.set(bytes.subarray(0, from));
  out.set(bytes.subarray(to), from);
  return out;
}

function inserted(bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + part.length);
  out.set(bytes.subarray(0, at));
  out.set(part, at);
  out.set(bytes.subarray(at), at + part.length);
  return out;
}

/** Bytes after an edit. */
function apply(
  bytes: Uint8Array,
  { op, at, to, value }: Edit,
  fields: readonly Field[],
): Uint8Array {
  if (bytes.length === 0) return bytes;
  const place = scaled(at, bytes.length);
  const other = scaled(to, bytes.length);
  const [low, high] = place < other ? [place, other] : [other, place];
  const number = NUMBERS[value % NUMBERS.length] ?? 0;
  const field = fields[at % Math.max(1, fields.length)];
  switch (op) {
    case 0:
      bytes[place] = (bytes[place] ?? 0) ^ (1 << (value % 8));
      return bytes;
    case 1:
      bytes[place] = value & 0xff;
      return bytes;
    case 2:
    case 3:
      putNumber(bytes, field ?? { at: place, width: 4 }, number);
      return bytes;
    case 4: {
      const near = field ?? { at: place, width: 1 };
      bytes[near.at] = (bytes[near.at] ?? 0) + (value % 2 === 0 ? 1 : -1);
      return bytes;
    }
    case 5:
      return bytes.slice(0, Math.max(1, place));
    case 6:
      return without(bytes, low, Math.min(high, low + 64));
    case 7:
      return inserted(bytes, other, bytes.slice(low, Math.min(high, low + 64)));
    case 8:
      bytes.fill(value & 1 ? 0xff : 0, low, Math.min(high, low + 16));
      return bytes;
    default:
      bytes.copyWithin(other, place, place + (value % 64));
      return bytes;
  }
}

export interface ByteEdits {
  /** Offsets of lengths, counts and the like. */
  readonly fields?: readonly Field[] | ((bytes: Uint8Array) => readonly Field[]);
  /** Of 10 inputs, this many have one to `most` mutations; the others differ by `bases` alone. */
  readonly mutated?: number;
  readonly most?: number;
}

/** In `often` of 10 inputs a list with one to `most` elements, in the others an empty one. */
export function someOf<T>(
  element: fc.Arbitrary<T>,
  often: number,
  most: number,
): fc.Arbitrary<T[]> {
  return fc.oneof(
    { weight: 10 - often, arbitrary: fc.constant<T[]>([]) },
    { weight: often, arbitrary: fc.array(element, { minLength: 1, maxLength: most }) },
  );
}

/** Inputs made from valid ones. */
export function mutated(
  bases: fc.Arbitrary<Uint8Array>,
  options: ByteEdits = {},
): fc.Arbitrary<Uint8Array> {
  const { fields = [], mutated: often = 6, most = 3 } = options;
  const edits = someOf(edit, often, most);
  return fc.tuple(bases, edits).map(([base, list]) => {
    const known = typeof fields === 'function' ? fields(base) : fields;
    return list.reduce<Uint8Array>((bytes, each) => apply(bytes, each, known), base.slice());
  });
}

/** One of some bytes, by index. */
export const oneOf = (list: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc.constantFrom(...list);

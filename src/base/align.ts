/**
 * Aligns two sequences: pairs elements of one with elements of the other, in order, with the largest sum of weights.
 * Equal elements weigh most; the caller weighs similar ones. Symmetrical: align(b, a) is align(a, b) with sides swapped.
 */

/** The weight of a pair of equal elements; the weight of a similar pair is below it. */
export const EQUAL = 1000;

/** Most pairs that are weighed (our choice: two boots' steps of 1400 lines each); above it, only equal elements pair. */
const MAX_PAIRS = 2_000_000;

/** One row of an alignment: an index into `a`, into `b`, or both for a pair. */
export interface Aligned {
  readonly a?: number;
  readonly b?: number;
}

/** How elements of the two sequences are compared. */
export interface Weighing<T> {
  /** A text that is the same for equal elements only. */
  key(each: T): string;
  /** Weight of a pair that is not equal: 0 if the two must not pair, up to EQUAL - 1 the more similar. Symmetrical. */
  similar(a: T, b: T): number;
}

type Pair = readonly [a: number, b: number];

/** Pairs of indices in ascending order, with the largest sum of weights. */
function bestPairs<T>(a: readonly T[], b: readonly T[], by: Weighing<T>): Pair[] {
  const keysA = a.map((each) => by.key(each));
  const keysB = b.map((each) => by.key(each));
  let head = 0;
  while (head < a.length && head < b.length && keysA[head] === keysB[head]) head++;
  let tail = 0;
  const room = Math.min(a.length, b.length) - head;
  while (tail < room && keysA.at(-1 - tail) === keysB.at(-1 - tail)) tail++;

  const rows = a.length - head - tail;
  const columns = b.length - head - tail;
  const weighSimilar = rows * columns <= MAX_PAIRS;
  const weight = (i: number, j: number): number => {
    if (keysA[head + i] === keysB[head + j]) return EQUAL;
    const [x, y] = [a[head + i], b[head + j]];
    return x === undefined || y === undefined ? 0 : by.similar(x, y);
  };
  const pairs: Pair[] = [];
  for (let i = 0; i < head; i++) pairs.push([i, i]);
  const middle = weighSimilar
    ? heaviest(rows, columns, weight)
    : greedy(keysA.slice(head, head + rows), keysB.slice(head, head + columns));
  for (const [i, j] of middle) pairs.push([head + i, head + j]);
  for (let i = tail; i > 0; i--) pairs.push([a.length - i, b.length - i]);
  return pairs;
}

/** The heaviest alignment, by dynamic programming from the ends. */
function heaviest(
  rows: number,
  columns: number,
  weight: (i: number, j: number) => number,
): readonly Pair[] {
  const width = columns + 1;
  const best = new Float64Array((rows + 1) * width);
  const weights = new Float64Array(rows * columns);
  const at = (i: number, j: number): number => best[i * width + j] ?? 0;
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const w = weight(i, j);
      weights[i * columns + j] = w;
      const skipping = Math.max(at(i + 1, j), at(i, j + 1));
      best[i * width + j] = w === 0 ? skipping : Math.max(skipping, at(i + 1, j + 1) + w);
    }
  }
  const pairs: Pair[] = [];
  for (let i = 0, j = 0; i < rows && j < columns;) {
    const w = weights[i * columns + j] ?? 0;
    if (w > 0 && at(i, j) === at(i + 1, j + 1) + w) pairs.push([i++, j++]);
    else if (at(i, j) === at(i + 1, j)) i++;
    else j++;
  }
  return pairs;
}

/** For sequences above MAX_PAIRS: each element pairs with the next equal one. */
function greedy(keysA: readonly string[], keysB: readonly string[]): readonly Pair[] {
  const indices = new Map<string, number[]>();
  keysB.forEach((key, index) => {
    const known = indices.get(key);
    if (known === undefined) indices.set(key, [index]);
    else known.push(index);
  });
  const pairs: Pair[] = [];
  let from = 0;
  keysA.forEach((key, index) => {
    const found = indices.get(key)?.find((index) => index >= from);
    if (found === undefined) return;
    pairs.push([index, found]);
    from = found + 1;
  });
  return pairs;
}

/** The alignment of two sequences: each index of `a` and of `b` once, ascending. Between two pairs, `a` comes first. */
export function align<T>(a: readonly T[], b: readonly T[], by: Weighing<T>): Aligned[] {
  // One of the two orders is computed and the other mirrored, so that ties are broken the same way from either side.
  const first =
    a.map((each) => by.key(each)).join('\n') <= b.map((each) => by.key(each)).join('\n');
  const pairs = first ? bestPairs(a, b, by) : bestPairs(b, a, by).map(([x, y]): Pair => [y, x]);
  const out: Aligned[] = [];
  let [i, j] = [0, 0];
  for (const [x, y] of [...pairs, [a.length, b.length] as const]) {
    while (i < x) out.push({ a: i++ });
    while (j < y) out.push({ b: j++ });
    if (x < a.length && y < b.length) out.push({ a: i++, b: j++ });
  }
  return out;
}

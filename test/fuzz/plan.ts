/** What a run of the fuzzer reads, in which order. */
import type { Kind } from './kind.js';

/** Least inputs of each kind of a run of a million; kinds with a share of 0 are not among them. */
export const LEAST_OF_MILLION = 20_000;

/** How many inputs of each kind a run of `total` reads. Those of kinds without a share come on top. */
export function planOf(kinds: readonly Kind[], total: number): Map<Kind, number> {
  const sum = kinds.reduce((all, { share }) => all + share, 0);
  return new Map(
    kinds.map((kind) => [
      kind,
      kind.share === 0 ? kind.inputs : Math.ceil((total * kind.share) / Math.max(1, sum)),
    ]),
  );
}

/**
 * Finds the first patch of a series with which a predicate holds: a binary search over its stages, as `git bisect` does
 * over commits. Assumes that the predicate holds in all stages after the first; if it does not, one transition is found.
 */

/** The predicate does not hold in a stage, it holds, or the stage cannot be linked. */
export type Verdict = 'good' | 'bad' | 'skip';

/** A stage that was tested. */
export interface Tested {
  readonly stage: number;
  readonly verdict: Verdict;
}

/** The result of a search. */
export type Answer =
  | { readonly found: 'first'; readonly stage: number }
  /** It is one of these: none of the stages between them can be linked. */
  | { readonly found: 'range'; readonly from: number; readonly to: number }
  /** The predicate does not hold in the last stage. */
  | { readonly found: 'never' };

/** The result with the tested stages, in the order of the tests. */
export type Bisected = Answer & { readonly tested: readonly Tested[] };

/**
 * The first bad one of the stages 0…last. For a skipped stage, adjacent stages are tested: the untested one nearest to the
 * middle of the remaining range. Stage 0 is the base kernel: if it is bad, it is the first.
 */
export function bisect(last: number, test: (stage: number) => Verdict): Bisected {
  const verdicts = new Map<number, Verdict>();
  const tryStage = (stage: number): Verdict => {
    const verdict = test(stage);
    verdicts.set(stage, verdict);
    return verdict;
  };
  const tested = (): Tested[] => [...verdicts].map(([stage, verdict]) => ({ stage, verdict }));

  // The bad end: the last stage, or the highest one below it that can be linked.
  let bad = last;
  while (bad >= 0 && tryStage(bad) === 'skip') bad--;
  if (bad < 0) return { tested: tested(), found: 'range', from: 0, to: last };
  if (verdicts.get(bad) === 'good') {
    return bad === last
      ? { tested: tested(), found: 'never' }
      : { tested: tested(), found: 'range', from: bad + 1, to: last };
  }
  let good = -1;
  if (!verdicts.has(0)) {
    const base = tryStage(0);
    if (base === 'bad') bad = 0;
    if (base === 'good') good = 0;
  }
  for (;;) {
    const next = nearest(good, bad, verdicts);
    if (next === undefined) break;
    const verdict = tryStage(next);
    if (verdict === 'good') good = next;
    if (verdict === 'bad') bad = next;
  }
  return bad - good === 1
    ? { tested: tested(), found: 'first', stage: bad }
    : { tested: tested(), found: 'range', from: good + 1, to: bad };
}

/** The untested stage between two that is nearest to their middle. */
function nearest(
  good: number,
  bad: number,
  verdicts: ReadonlyMap<number, Verdict>,
): number | undefined {
  const middle = Math.floor((good + bad) / 2);
  for (let away = 0; away < bad - good; away++) {
    for (const stage of [middle - away, middle + away]) {
      if (stage > good && stage < bad && !verdicts.has(stage)) return stage;
    }
  }
  return undefined;
}

/**
 * Which patch of a series first gives an outcome: a binary search over its stages, as `git bisect` does over commits.
 * It takes for granted that the outcome, once there, stays: of several beginnings it finds one.
 */

/** What a stage is found to be: without the outcome, with it, or not to be built. */
export type Verdict = 'good' | 'bad' | 'skip';

/** A stage that was tested. */
export interface Tested {
  readonly stage: number;
  readonly verdict: Verdict;
}

/** What came of a search. */
export type Answer =
  | { readonly found: 'first'; readonly stage: number }
  /** It is one of these: none in between can be built. */
  | { readonly found: 'range'; readonly from: number; readonly to: number }
  /** The last stage does not give it. */
  | { readonly found: 'never' };

/** The answer with all that was tested, in its order. */
export type Bisected = Answer & { readonly tested: readonly Tested[] };

/**
 * The first of the stages 0…last that is bad. Of stages that are skipped the neighbours are tried: the nearest to the
 * middle of what is left. Stage 0 is the base kernel: where it is bad, it is the first.
 */
export function bisect(last: number, test: (stage: number) => Verdict): Bisected {
  const verdicts = new Map<number, Verdict>();
  const tryStage = (stage: number): Verdict => {
    const verdict = test(stage);
    verdicts.set(stage, verdict);
    return verdict;
  };
  const tested = (): Tested[] => [...verdicts].map(([stage, verdict]) => ({ stage, verdict }));

  // The end that shows it: the last stage, or the nearest one below that can be built.
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

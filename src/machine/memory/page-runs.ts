/** Runs of pages that are all alike, as a long fill leaves them: one page of the model stands for each of a run. */

export interface PageRun<P> {
  /** Numbers of pages: from `first` up to `last`, which is not in it. */
  readonly first: number;
  readonly last: number;
  readonly page: P;
}

/** A few runs that do not overlap. They are never changed, so that snapshots may share them. */
export class PageRuns<P> {
  constructor(readonly all: readonly PageRun<P>[] = []) {}

  /** The page that stands for a number. */
  get(number: number): P | undefined {
    for (const { first, last, page } of this.all) if (number >= first && number < last) return page;
    return undefined;
  }

  /** These runs with one more, which takes the place of what was there; with neighbours of the same page it is one. */
  with({ first, last, page }: PageRun<P>): PageRuns<P> {
    const run = { first, last, page };
    const kept = this.all
      .flatMap((old) => [
        { ...old, last: Math.min(old.last, first) },
        { ...old, first: Math.max(old.first, last) },
      ])
      .filter((old) => old.first < old.last)
      .filter((old) => {
        const joins = old.page === page && (old.last === first || old.first === last);
        if (joins && old.last === first) run.first = old.first;
        else if (joins) run.last = old.last;
        return !joins;
      });
    return new PageRuns([...kept, run]);
  }
}

/** Runs of equal pages, as a long fill leaves them: one page object represents all pages of a run. */

export interface PageRun<P> {
  /** Page numbers [first, last). */
  readonly first: number;
  readonly last: number;
  readonly page: P;
}

/** Runs that do not overlap. Immutable, so that snapshots may share them. */
export class PageRuns<P> {
  constructor(readonly all: readonly PageRun<P>[] = []) {}

  /** The page object for a page number, or undefined. */
  get(number: number): P | undefined {
    for (const { first, last, page } of this.all) if (number >= first && number < last) return page;
    return undefined;
  }

  /** These runs with one more, which replaces what it overlaps and is merged with adjacent runs of the same page. */
  with({ first, last, page }: PageRun<P>): PageRuns<P> {
    const run = { first, last, page };
    const others = this.all
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
    return new PageRuns([...others, run]);
  }
}

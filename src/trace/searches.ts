/**
 * Searches of memory for a table that firmware or the loader may have put there: what for, where, through which C-bit,
 * and whether it was found. Not part of the trace: a search that finds nothing reads no bytes that could be checked.
 */

/** A range of physical memory that was searched, in bytes, and the C-bit of the mapping. */
export interface SearchedRange {
  readonly pa: number;
  readonly length: number;
  readonly c: number;
}

export interface Search {
  /** What was searched for: a table by name, with the kernel's prefix. */
  readonly what: string;
  /** The function that searched. */
  readonly by: string;
  readonly range: SearchedRange;
  readonly found: boolean;
  /** Firmware or the loader put a table of this name into memory. */
  readonly present: boolean;
}

/** A table that no search found: its name, the function that searched last, and all ranges in the order of searches. */
export interface NotFound {
  readonly what: string;
  readonly by: string;
  readonly ranges: readonly SearchedRange[];
  readonly present: boolean;
}

/** The tables that were searched for and that no search found, in the order of the first search. */
export function notFound(searches: readonly Search[]): NotFound[] {
  const byName = new Map<string, Search[]>();
  for (const search of searches) {
    byName.set(search.what, [...(byName.get(search.what) ?? []), search]);
  }
  return [...byName].flatMap(([what, all]) =>
    all.some(({ found }) => found)
      ? []
      : [
          {
            what,
            by: all.at(-1)?.by ?? '',
            ranges: all.map(({ range }) => range),
            present: all.some(({ present }) => present),
          },
        ],
  );
}

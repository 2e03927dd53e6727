/**
 * The replacement policy of a set-associative cache: which line of a full set leaves. A policy is one file that exports a
 * `ReplacementPolicy`; cache-tags.ts names the one in force.
 */

/** A policy at work in one cache. Slots of a set are adjacent; slots are numbered through all sets. */
export interface Replacement<State> {
  /** A line was put in a slot, read or written. */
  use(slot: number): void;
  /** The slot of the full set [first, end) whose line leaves next. */
  victim(first: number, end: number): number;
  /** Orders two slots of one set: below 0 where the line of `a` leaves before that of `b`, if neither is used again. */
  leavesBefore(a: number, b: number): number;
  /** The present state without a copy: good until the next use. */
  view(): State;
  /** A copy of the present state. */
  snapshot(): State;
  restore(state: State): void;
}

export interface ReplacementPolicy<State> {
  /**
   * Writing this many times the cache's size, adjacent line after adjacent line, leaves those lines only that came last,
   * whatever was here before. Infinity where no number does.
   */
  readonly turnover: number;
  /** The policy in a cache that is empty. */
  create(slots: number): Replacement<State>;
  /** Whether two caches of `ways` ways that hold the same lines choose the same victims from now on. */
  sameChoices(a: State, b: State, ways: number): boolean;
}

/**
 * The replacement policy of a set-associative cache: it selects the victim in a full set. A policy is one file that
 * exports a `ReplacementPolicy`; cache-tags.ts names the one in force.
 */

import type { Arena } from '../../base/arena.js';

/** The state of a policy for one cache. Slots of a set are adjacent; slots are numbered through all sets. */
export interface Replacement<State> {
  /** Records that a line was allocated in a slot. */
  fill(slot: number): void;
  /** Records a read or write of the line in a slot. */
  use(slot: number): void;
  /** The slot of the full set [first, end) whose line is evicted next. */
  victim(first: number, end: number): number;
  /** Compares two slots of one set: negative if the line of `a` is evicted before that of `b`, without further uses. */
  leavesBefore(a: number, b: number): number;
  /** The present state without a copy: valid until the next fill or use. */
  view(): State;
  /** A copy of the present state. */
  snapshot(): State;
  restore(state: State): void;
  /** Moves the state into an arena. */
  moveTo(arena: Arena): void;
}

export interface ReplacementPolicy<State, Made extends Replacement<State> = Replacement<State>> {
  /**
   * After a write of this many times the cache's size, in adjacent lines, the cache holds the last lines of that write
   * only, whatever it held before. Infinity if no number guarantees that.
   */
  readonly turnover: number;
  /** The state for an empty cache. */
  create(slots: number): Made;
  /** Whether two caches of `ways` ways that hold the same lines choose the same victims from now on. */
  sameChoices(a: State, b: State, ways: number): boolean;
}

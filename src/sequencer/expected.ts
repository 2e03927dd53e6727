/** Compares a trace with a scenario's expectation for the boot of the whole series. */
import type { Trace } from '../trace/trace.js';
import type { Scenario } from '../scenario/scenario.js';

/** A scenario's `expect`. */
export type Expected = NonNullable<Scenario['expect']>;

/** The parts of a trace that are compared. */
type Ended = Pick<Trace, 'consumed' | 'outcome'>;

/** Names of consumed data that at least one reader did not get intact: sorted, each once. */
export function garbageOf(trace: Ended): string[] {
  const names = trace.consumed.filter(({ intact }) => !intact).map(({ name }) => name);
  return [...new Set(names)].sort();
}

/** The differences from the expectation, a line each; empty if there are none. */
export function differences(expected: Expected, trace: Ended): string[] {
  const lines: string[] = [];
  const { kind } = trace.outcome;
  if (kind !== expected.outcome) lines.push(`expected outcome ${expected.outcome}, found ${kind}`);
  if (expected.garbage === undefined) return lines;
  const found = garbageOf(trace);
  const { garbage } = expected;
  for (const name of garbage) {
    if (!found.includes(name)) lines.push(`expected to be read as garbage: ${name}`);
  }
  for (const name of found) {
    if (!garbage.includes(name)) lines.push(`unexpectedly read as garbage: ${name}`);
  }
  return lines;
}

/** How a scenario says that the boot of the whole series ends, held against a trace. */
import type { Trace } from '../trace/trace.js';
import type { Scenario } from '../scenario/scenario.js';

/** A scenario's `expect`. */
export type Expected = NonNullable<Scenario['expect']>;

/** What of a trace says how it ended. */
type Ended = Pick<Trace, 'consumed' | 'outcome'>;

/** Names of consumed things that some reader did not get intact: sorted, each once. */
export function garbageOf(trace: Ended): string[] {
  const names = trace.consumed.filter(({ intact }) => !intact).map(({ name }) => name);
  return [...new Set(names)].sort();
}

/** In which ways a boot ended otherwise, a sentence each; none where it ended as expected. */
export function differences(expected: Expected, trace: Ended): string[] {
  const lines: string[] = [];
  const { kind } = trace.outcome;
  if (kind !== expected.outcome) lines.push(`expected to end ${expected.outcome}, not ${kind}`);
  if (expected.garbage === undefined) return lines;
  const found = garbageOf(trace);
  const { garbage } = expected;
  for (const name of garbage) {
    if (!found.includes(name)) lines.push(`expected to be read as garbage: ${name}`);
  }
  for (const name of found) {
    if (!garbage.includes(name)) lines.push(`not expected to be read as garbage: ${name}`);
  }
  return lines;
}

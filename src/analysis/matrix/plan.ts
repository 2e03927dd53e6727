/** The rows of a matrix, their split into shards and tasks, and the report of the finished ones. */
import { InputError } from '../../base/errors.js';
import { MATRIX_SCHEMA, type MatrixReport, type MatrixRow, type MatrixScenario } from './report.js';

/** A row to run: a scenario as given on the command line, and a hunk's id. */
export interface Pair {
  readonly scenario: string;
  readonly hunk: string;
}

/** Part `index` of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Most parts of a matrix (our choice: far more than it has rows). */
const MAX_SHARDS = 10_000;

/** Parses `2/5`. Throws E_SHARD. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index >= 1 && shard.index <= shard.count && shard.count <= MAX_SHARDS) return shard;
  throw new InputError({
    code: 'E_SHARD',
    place: { path: '--shard' },
    expected: 'I/N with I from 1 to N: 2/5',
    found: JSON.stringify(text),
  });
}

/** All rows, by scenario and in the order of the series. */
export function pairsOf(scenarios: readonly string[], hunks: readonly string[]): Pair[] {
  return scenarios.flatMap((scenario) => hunks.map((hunk) => ({ scenario, hunk })));
}

/** The rows, or other items, of a shard: every `count`-th, since adjacent ones take similar time. */
export function shardOf<T>(items: readonly T[], { index, count }: Shard): T[] {
  return items.filter((_, i) => i % count === index - 1);
}

/** A unit of work: some hunks on one scenario. */
export interface Task {
  readonly scenario: string;
  readonly hunks: readonly string[];
}

/**
 * Splits work for `workers`: each scenario in as few parts as occupy all of them, since each part boots the whole
 * series once.
 */
export function tasksOf(pairs: readonly Pair[], workers: number): Task[] {
  const scenarios = [...new Set(pairs.map(({ scenario }) => scenario))];
  const parts = Math.max(1, Math.ceil(workers / Math.max(1, scenarios.length)));
  return scenarios.flatMap((scenario) => {
    const hunks = pairs.filter((pair) => pair.scenario === scenario).map(({ hunk }) => hunk);
    return Array.from({ length: Math.min(parts, hunks.length) }, (_, part) => ({
      scenario,
      hunks: hunks.filter((_hunk, i) => i % parts === part),
    }));
  });
}

/** The finished part of a plan. */
export interface Made {
  readonly series: string;
  readonly ownHunks?: MatrixReport['ownHunks'];
  /** Booted scenarios, by the name given on the command line. */
  readonly scenarios: ReadonlyMap<string, MatrixScenario>;
  readonly rows: readonly MatrixRow[];
}

/** The report of a plan, complete or not. `part`: the plan is this shard of a whole of so many rows. */
export function reportOf(
  { series, ownHunks, scenarios, rows }: Made,
  plan: readonly Pair[],
  part?: { readonly shard: Shard; readonly rows: number },
): MatrixReport {
  const names = [...new Set(plan.map(({ scenario }) => scenario))];
  const nameOf = (scenario: string): string => scenarios.get(scenario)?.name ?? scenario;
  const made = new Map(rows.map((row) => [`${row.scenario} ${row.hunk}`, row]));
  const planned = plan.map(({ scenario, hunk }) => `${nameOf(scenario)} ${hunk}`);
  return {
    'sme-boot-matrix': MATRIX_SCHEMA,
    series,
    ...(ownHunks !== undefined && { ownHunks }),
    scenarios: names.flatMap((name) => scenarios.get(name) ?? []),
    rows: planned.flatMap((id) => made.get(id) ?? []),
    missing: planned.filter((id) => !made.has(id)),
    ...(part !== undefined &&
      part.shard.count > 1 && {
        shard: { parts: [part.shard.index], count: part.shard.count, rows: part.rows },
      }),
  };
}

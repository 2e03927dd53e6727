import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  pairsOf,
  parseShard,
  reportOf,
  shardOf,
  tasksOf,
  type Pair,
} from '../../../src/analysis/matrix/plan.js';
import type { MatrixScenario } from '../../../src/analysis/matrix/report.js';
import { InputError } from '../../../src/base/errors.js';
import { row } from './reports.js';

const keyOf = ({ scenario, hunk }: Pair): string => `${scenario} ${hunk}`;
const names = (prefix: string, most: number): fc.Arbitrary<string[]> =>
  fc.integer({ min: 0, max: most }).map((n) => Array.from({ length: n }, (_, i) => prefix + i));
const plan = fc.tuple(names('s', 5), names('h', 60)).map(([s, h]) => pairsOf(s, h));
const count = fc.integer({ min: 1, max: 12 });

describe('a plan', () => {
  test('has each hunk of each scenario, in their order', () => {
    expect(pairsOf(['b', 'a'], ['2', '1']).map(keyOf)).toEqual(['b 2', 'b 1', 'a 2', 'a 1']);
  });

  test('is partitioned by its shards, whose sizes differ by at most one row', () => {
    fc.assert(
      fc.property(plan, count, (pairs, n) => {
        const shards = Array.from({ length: n }, (_, i) =>
          shardOf(pairs, { index: i + 1, count: n }),
        );
        expect(shards.flat().map(keyOf).sort()).toEqual(pairs.map(keyOf).sort());
        const lengths = shards.map((shard) => shard.length);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
        for (const shard of shards) {
          const at = shard.map((pair) => pairs.indexOf(pair));
          expect(at).toEqual([...at].sort((a, b) => a - b));
        }
      }),
    );
  });

  test('is partitioned by its tasks, which give every worker a task if there are enough rows', () => {
    fc.assert(
      fc.property(plan, count, count, (pairs, n, workers) => {
        // A shard's plan has gaps.
        const shard = shardOf(pairs, { index: 1, count: n });
        const tasks = tasksOf(shard, workers);
        const done = tasks.flatMap(({ scenario, hunks }) =>
          hunks.map((hunk) => keyOf({ scenario, hunk })),
        );
        expect(done.sort()).toEqual(shard.map(keyOf).sort());
        expect(tasks.every(({ hunks }) => hunks.length > 0)).toBe(true);
        // No scenario is booted more often than there are workers, nor without rows.
        const boots = new Map<string, number>();
        for (const { scenario } of tasks) boots.set(scenario, (boots.get(scenario) ?? 0) + 1);
        expect(Math.max(0, ...boots.values())).toBeLessThanOrEqual(workers);
        const perScenario = Math.min(
          ...[...boots.keys()].map((name) => shard.filter((p) => p.scenario === name).length),
        );
        if (boots.size * perScenario >= workers && boots.size > 0) {
          expect(tasks.length).toBeGreaterThanOrEqual(workers);
        }
      }),
    );
  });

  test('boots each scenario once for one worker', () => {
    const tasks = tasksOf(pairsOf(['a', 'b'], ['1', '2', '3']), 1);
    expect(tasks).toEqual([
      { scenario: 'a', hunks: ['1', '2', '3'] },
      { scenario: 'b', hunks: ['1', '2', '3'] },
    ]);
  });
});

describe('a shard', () => {
  test.each([
    ['1/1', 1, 1],
    ['2/5', 2, 5],
    ['5/5', 5, 5],
  ])('is parsed from %s', (text, index, of) => {
    expect(parseShard(text)).toEqual({ index, count: of });
  });

  test.each(['0/2', '3/2', 'x', '', '1', '1/', '/2', '-1/2', '1.5/2', '1/2/3', ' 1/2', '0/0'])(
    'is not parsed from "%s"',
    (text) => {
      expect(() => parseShard(text)).toThrow(InputError);
      expect(() => parseShard(text)).toThrow(/^E_SHARD: --shard: expected I\/N with I from 1 to N/);
    },
  );
});

describe('the report of a plan', () => {
  const scenario = (name: string): MatrixScenario => ({
    name,
    digest: '',
    outcome: { kind: 'booted' },
    garbage: [],
  });
  const whole = pairsOf(['b.yaml', 'a'], ['2', '1']);
  const booted = new Map([
    ['a', scenario('a')],
    ['b.yaml', scenario('b')],
  ]);

  test('has rows and scenarios in the order of the plan, not of completion', () => {
    const rows = ['a 1', 'b 1', 'a 2', 'b 2'].map((key) => {
      const [name = '', hunk = ''] = key.split(' ');
      return row({ scenario: name, hunk });
    });
    const report = reportOf({ series: 's', scenarios: booted, rows }, whole);
    expect(report.rows.map(keyOf)).toEqual(['b 2', 'b 1', 'a 2', 'a 1']);
    expect(report.scenarios.map(({ name }) => name)).toEqual(['b', 'a']);
    expect(report.missing).toEqual([]);
  });

  test('lists unfinished rows as missing, under the scenario’s name', () => {
    const scenarios = new Map([['b.yaml', scenario('b')]]);
    const rows = [row({ scenario: 'b', hunk: '1' })];
    const report = reportOf({ series: 's', scenarios, rows }, whole);
    expect(report.rows).toEqual(rows);
    expect(report.scenarios.map(({ name }) => name)).toEqual(['b']);
    expect(report.missing).toEqual(['b 2', 'a 2', 'a 1']);
  });

  test('has no row outside the plan', () => {
    const rows = [row({ scenario: 'a', hunk: '9' })];
    expect(reportOf({ series: 's', scenarios: booted, rows }, whole).rows).toEqual([]);
  });
});

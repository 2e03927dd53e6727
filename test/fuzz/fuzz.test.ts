/** Thousands of inputs of each kind, the same in each run, by `npm run fuzz`: it runs outside jest, which is ten times as slow. */
import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { KINDS } from './kinds.js';

/** Seed of the suite (our choice). */
const SEED = 20_160_426;
/** Least share of inputs that are accepted, in percent: a property of the generators, the same for the same seed. */
const ACCEPTED = 30;
const TIME = 900_000;

let output = '';
let rows = new Map<string, readonly string[]>();

beforeAll(() => {
  const args = ['scripts/fuzz.mjs', '--suite', '--seed', String(SEED), '--no-cases', '--quiet'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  output = stdout + stderr;
  process.stderr.write(`${output}\n`);
  const cells = output.split('\n').map((line) => line.split(/\s{2,}/));
  rows = new Map(cells.map((row) => [row[0] ?? '', row.slice(1)]));
}, TIME);

describe('inputs of each kind', () => {
  test.each(KINDS.map((kind) => [kind.name, kind] as const))(
    '%s: each is accepted or refused by name, and enough are accepted',
    (name, { inputs }) => {
      const [read, accepted = '', refused, failures] = rows.get(name) ?? [];
      expect({ read, failures, output: failures === '0' ? '' : output }).toEqual({
        read: String(inputs),
        failures: '0',
        output: '',
      });
      const count = Number(/^\d+/.exec(accepted)?.[0]);
      expect(count + Number(refused)).toBe(inputs);
      expect((100 * count) / inputs).toBeGreaterThanOrEqual(ACCEPTED);
    },
  );
});

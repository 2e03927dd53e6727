/** A few inputs of each kind, and the inputs that failed once. `npm run test:fuzz` reads thousands of each. */
import { describe, expect, test } from '@jest/globals';
import { caseFiles } from './cases.js';
import { KINDS } from './kinds.js';
import { LEAST_OF_MILLION, planOf } from './plan.js';
import { countsText, noCounts, runKind } from './runner.js';
import { tryInput } from './try-input.js';

/** Inputs of a kind here. */
const FEW = 20;
const quick = KINDS.filter(({ share }) => share > 0);

describe('inputs of each kind', () => {
  test.each(quick.map((kind) => [kind.name, kind] as const))('%s', async (_name, kind) => {
    const counts = noCounts();
    expect(await runKind(kind, counts, { seed: 1, inputs: FEW })).toBeUndefined();
    expect(counts.inputs).toBe(FEW);
    expect(counts.accepted + counts.refused).toBe(FEW);
  });

  test('are the same for the same seed', async () => {
    const [kind] = KINDS;
    const inputs = async (seed: number): Promise<string[]> => {
      const all: string[] = [];
      if (kind === undefined) return all;
      const onInput = (bytes: Uint8Array): unknown => all.push(new TextDecoder().decode(bytes));
      await runKind(kind, noCounts(), { seed, inputs: 5, onInput });
      return all;
    };
    expect(await inputs(3)).toEqual(await inputs(3));
    expect(await inputs(3)).not.toEqual(await inputs(4));
  });
});

describe('inputs that failed once', () => {
  const cases = caseFiles(KINDS).map((each) => [each.file, each] as const);
  test.each(cases)('%s', async (_file, { kind, bytes }) => {
    expect(typeof (await tryInput(kind, bytes))).toBe('boolean');
  });
});

describe('the runner', () => {
  const [first] = quick;
  const broken = (error: unknown): Promise<unknown> => {
    if (first === undefined) throw new Error('no kind');
    const kind = {
      ...first,
      read: (bytes: Uint8Array) => {
        if (bytes.length > 3) throw error;
        return true;
      },
    };
    return runKind(kind, noCounts(), { seed: 1, inputs: 50 });
  };

  test('reports an exception that is no InputError, with the shrunk input', async () => {
    const failure = await broken(new TypeError('no'));
    expect(failure).toMatchObject({ kind: 'scenario', seed: 1 });
    expect(failure).toHaveProperty('error', expect.stringContaining('TypeError: no'));
  });

  test('counts in a table', () => {
    const counts = { ...noCounts(), inputs: 4, accepted: 3, refused: 1, seconds: 2 };
    expect(countsText(new Map([['elf', counts]]))).toBe(
      [
        'kind  inputs  accepted  refused  failures  seconds  inputs/s',
        'elf        4  3 (75 %)        1         0      2.0         2',
      ].join('\n'),
    );
  });

  test('plans at least 20,000 inputs of each kind in a million', () => {
    const plan = planOf(KINDS, 1_000_000);
    for (const kind of quick) expect(plan.get(kind)).toBeGreaterThanOrEqual(LEAST_OF_MILLION);
  });
});

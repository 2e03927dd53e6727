import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  bisect,
  type Answer,
  type Bisected,
  type Verdict,
} from '../../../src/analysis/bisect/bisect.js';

/** A series as its verdicts: `g`ood, `b`ad, `s`kip. */
const NAMES: Readonly<Record<string, Verdict>> = { g: 'good', b: 'bad', s: 'skip' };
const series = (text: string): Verdict[] => [...text].map((letter) => NAMES[letter] ?? 'skip');
const search = (verdicts: readonly Verdict[]): Bisected =>
  bisect(verdicts.length - 1, (stage) => verdicts[stage] ?? 'skip');

/** The same by testing each stage in turn. */
function naive(verdicts: readonly Verdict[]): Answer {
  const last = verdicts.length - 1;
  const bad = verdicts.indexOf('bad');
  if (bad < 0) {
    const good = verdicts.lastIndexOf('good');
    return good === last ? { found: 'never' } : { found: 'range', from: good + 1, to: last };
  }
  const good = verdicts.slice(0, bad).lastIndexOf('good');
  return bad - good === 1
    ? { found: 'first', stage: bad }
    : { found: 'range', from: good + 1, to: bad };
}

const withoutTested = ({ tested: _tested, ...rest }: Bisected): Answer => rest;

describe('a search', () => {
  test.each([
    ['gggb', { found: 'first', stage: 3 }],
    ['gbbb', { found: 'first', stage: 1 }],
    ['bbbb', { found: 'first', stage: 0 }],
    ['b', { found: 'first', stage: 0 }],
    ['g', { found: 'never' }],
    ['gggg', { found: 'never' }],
    ['s', { found: 'range', from: 0, to: 0 }],
    ['ssss', { found: 'range', from: 0, to: 3 }],
    ['ggss', { found: 'range', from: 2, to: 3 }],
    ['gbss', { found: 'first', stage: 1 }],
    ['gssb', { found: 'range', from: 1, to: 3 }],
    ['sssb', { found: 'range', from: 0, to: 3 }],
    ['sgsb', { found: 'range', from: 2, to: 3 }],
    ['gsgb', { found: 'first', stage: 3 }],
  ])('of %s', (text, answer) => {
    expect(withoutTested(search(series(text)))).toEqual(answer);
  });

  test('returns the tested stages in order', () => {
    expect(search(series('ggggb')).tested).toEqual([
      { stage: 4, verdict: 'bad' },
      { stage: 0, verdict: 'good' },
      { stage: 2, verdict: 'good' },
      { stage: 3, verdict: 'good' },
    ]);
  });

  const cases = fc
    .tuple(fc.nat(40), fc.nat(40), fc.array(fc.boolean(), { maxLength: 41 }))
    .map(([good, bad, skips]) =>
      Array.from({ length: good + bad + 1 }, (_, stage): Verdict =>
        skips[stage] === true ? 'skip' : stage < good ? 'good' : 'bad',
      ),
    );

  test('finds what testing every stage finds', () => {
    fc.assert(
      fc.property(cases, (verdicts) => {
        expect(withoutTested(search(verdicts))).toEqual(naive(verdicts));
      }),
    );
  });

  test('tests no stage twice, and few in addition to the skipped ones', () => {
    fc.assert(
      fc.property(cases, (verdicts) => {
        const { tested } = search(verdicts);
        const stages = tested.map(({ stage }) => stage);
        expect(new Set(stages).size).toBe(stages.length);
        const built = tested.filter(({ verdict }) => verdict !== 'skip').length;
        const skipped = verdicts.filter((verdict) => verdict === 'skip').length;
        // Both ends, then halves; a skip moves the middle to an adjacent stage.
        expect(built).toBeLessThanOrEqual(3 + Math.ceil(Math.log2(verdicts.length)) + skipped);
      }),
    );
  });
});

/** Releases and versions of kernels. */
import { describe, expect, test } from '@jest/globals';
import { compareReleases, stepIn, stepsIn, versionOf } from '../../src/review/release.js';

test('releases are compared by number', () => {
  expect(['6.1', '4.6', '4.14', '5.10'].sort(compareReleases)).toEqual([
    '4.6',
    '4.14',
    '5.10',
    '6.1',
  ]);
});

describe('the step of a release', () => {
  const steps = [{ from: '4.14' }, { from: '5.6', unverified: true as const }, { from: '6.5' }];
  test.each([
    ['4.6', undefined],
    ['4.14', '4.14'],
    ['5.5', '4.14'],
    ['6.1', '5.6'],
    ['6.12', '6.5'],
  ])('in %s', (release, from) => {
    expect(stepIn(steps, release)?.from).toBe(from);
  });

  test('beside an uncertain one, its neighbours', () => {
    const froms = (release: string): (string | undefined)[] =>
      stepsIn(steps, release).map(({ step }) => step?.from);
    expect(froms('4.14')).toEqual(['4.14', '5.6']);
    expect(froms('5.10')).toEqual(['5.6', '4.14']);
    expect(froms('6.6')).toEqual(['6.5']);
    expect(froms('4.6')).toEqual([undefined]);
  });

  test('one that stable kernels took over is also in earlier releases', () => {
    const backported = [{ from: '4.14' }, { from: '6.5', backported: true as const }];
    expect(stepsIn(backported, '6.1').map(({ step }) => step?.from)).toEqual(['4.14', '6.5']);
  });
});

test('the version in a Makefile', () => {
  const makefile =
    '# x\nVERSION = 4\nPATCHLEVEL = 7\nSUBLEVEL = 0\nEXTRAVERSION = -rc5\nNAME = A\n';
  expect(versionOf(makefile)).toEqual({ release: '4.7', version: '4.7.0-rc5' });
  expect(versionOf('all:\n')).toBeUndefined();
  expect(versionOf('VERSION = x\nPATCHLEVEL = y\n')).toBeUndefined();
});

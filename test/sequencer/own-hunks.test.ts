import { describe, expect, test } from '@jest/globals';
import { InputError } from '../../src/base/errors.js';
import type { OwnHunk } from '../../src/kernel/hunk.js';
import { ownFault, ownHeader } from '../../src/sequencer/own-hunks.js';

const hunk = (id: string): OwnHunk => ({ id, file: 'a.c', what: 'a hunk' });
const EXTRA = [hunk('20/one'), hunk('20/two')];
const OWN = {
  extra: EXTRA,
  ownHunks: [
    {
      path: './my hunks.mjs',
      digest: '00',
      hunks: ['20/one', '20/two'],
      imports: [{ path: '../lib/part.mjs', digest: '01' }],
    },
  ],
};

/** An error with a stack of file URLs, the innermost first. */
function thrown(name: string, ...places: string[]): Error {
  const error = new Error('x is not a function');
  error.name = name;
  error.stack = [`${name}: x`, ...places.map((place) => `    at f (file://${place})`)].join('\n');
  return error;
}
function refused(error: unknown): InputError {
  if (!(error instanceof InputError)) throw new Error('no InputError');
  return error;
}

describe('an error of JavaScript while own hunks are applied', () => {
  test.each([
    ['a module', ['/work/my%20hunks.mjs:12:34'], './my hunks.mjs', 12, 34],
    ['what a module imports', ['/x/lib/part.mjs:5:6'], '../lib/part.mjs', 5, 6],
    [
      'the innermost of several modules',
      ['/src/kernel.js:1:1', '/x/lib/part.mjs:7:8', '/work/my%20hunks.mjs:1:2'],
      ...(['../lib/part.mjs', 7, 8] as const),
    ],
  ] as const)('has the line of %s', (_what, places, file, line, column) => {
    const error = thrown('TypeError', ...places);
    const fault = refused(ownFault(error, OWN, 'setup_arch'));
    expect(fault.code).toBe('E_OWN_HUNK');
    expect(fault.place).toEqual({ file, line, column });
    expect(fault.message).toMatch(/its code threw in step setup_arch: .*x is not a function/);
    expect(fault.cause).toBe(error);
  });

  test.each([
    ['no file', []],
    ['other files', ['/src/kernel.js:1:2', '/work/not my%20hunks.mjs.js:1:2']],
  ])('whose stack has %s names the step and the hunks', (_what, places) => {
    const fault = refused(ownFault(thrown('RangeError', ...places), OWN, 'setup_arch'));
    expect(fault.place).toEqual({ path: 'step setup_arch' });
    expect(fault.message).toMatch(
      /with the own hunks 20\/one, 20\/two the model threw .*x is not a function.*; one of them/,
    );
  });

  test('is returned as it is without own hunks', () => {
    const error = thrown('TypeError', '/work/my%20hunks.mjs:12:34');
    expect(ownFault(error, {}, 'setup_arch')).toBe(error);
    expect(ownFault(error, { extra: [] }, 'setup_arch')).toBe(error);
  });
});

test.each([
  ['an error of the input', new InputError({ code: 'E_SET', reason: 'x' })],
  ['an error of another class', thrown('AbortError', '/work/my%20hunks.mjs:1:2')],
  [
    'an interrupt',
    Object.assign(thrown('Error', '/work/my%20hunks.mjs:1:2'), {
      code: 'ERR_SCRIPT_EXECUTION_INTERRUPTED',
    }),
  ],
])('%s is returned as it is', (_what, error) => {
  expect(ownFault(error, OWN, 'setup_arch')).toBe(error);
});

test('the header has the modules of own hunks, or their ids', () => {
  expect(ownHeader({})).toEqual({});
  expect(ownHeader({ ...OWN, extra: [] })).toEqual({});
  expect(ownHeader({ extra: EXTRA })).toEqual({ ownHunks: [{ hunks: ['20/one', '20/two'] }] });
  expect(ownHeader(OWN)).toEqual({ ownHunks: OWN.ownHunks });
});

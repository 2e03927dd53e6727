import { describe, expect, test } from '@jest/globals';
import { readExpectation } from '../../src/check/expectation.js';
import { isWatchedRun } from '../../src/check/run-section.js';
import { refusal } from '../trace/helpers.js';

const file = (run: string, sections = 'outcome: {kind: halt}'): string =>
  `expect: match\nrun: {scenario: plain, ${run}}\n${sections}\n`;
const EXECUTED = 'kernel: vmlinux, execute: true';

describe('the run of a match file', () => {
  test('may be an executed boot, with its end and its outcomes', () => {
    const text = file(`${EXECUTED}, until: start_kernel, max-instructions: 1000, cmdline: quiet`);
    expect(readExpectation('e.yaml', text)).toMatchObject({
      run: { execute: true, until: 'start_kernel', 'max-instructions': 1000, cmdline: 'quiet' },
      outcome: { kind: { is: 'literal', text: 'halt' } },
    });
  });

  test.each(['halt', 'limit', 'stopped', 'not-modelled', 'triple-fault'])(
    'of an executed boot may end with %s',
    (kind) => {
      const text = file(EXECUTED, `outcome: {kind: ${kind}}`);
      expect(() => readExpectation('e.yaml', text)).not.toThrow();
    },
  );

  test.each([
    ['no image', file('execute: true'), 'run', 'execute needs kernel'],
    ['a stage', file(`${EXECUTED}, stage: 18`), 'run.stage', 'stage would have no effect'],
    ['patch 18', file(`${EXECUTED}, activate: true`), 'run.activate', 'not the model'],
    ['own hunks', file(`${EXECUTED}, hunks: [a.mjs]`), 'run.hunks', 'not the model'],
    ['an outcome of the model', file(EXECUTED, 'outcome: {kind: booted}'), 'outcome.kind', 'halt'],
    ['readers', file(EXECUTED, 'consumed: {initrd: {intact: true}}'), 'consumed', 'not known'],
    [
      'reports without the sanitizer',
      file(EXECUTED, 'match: [{not: {report: {rule: wrong-key-read}}}]'),
      'match[0]',
      'watched only with run.sanitize: true',
    ],
    ['no instructions', file(`${EXECUTED}, max-instructions: 0`), 'run.max-instructions', ''],
  ])('of an executed boot is refused with %s', (_what, text, path, message) => {
    const error = refusal(() => readExpectation('e.yaml', text));
    expect([error.code, error.place.path]).toEqual(['E_EXPECTATION', path]);
    expect(error.message).toContain(message);
  });

  test.each([
    ['until: start_kernel', 'run.until'],
    ['max-instructions: 5', 'run.max-instructions'],
  ])('of a boot of the model is refused with %s', (run, path) => {
    const error = refusal(() => readExpectation('e.yaml', file(run, 'outcome: {kind: booted}')));
    expect([error.code, error.place.path]).toEqual(['E_EXPECTATION', path]);
    expect(error.message).toContain('no effect without execute: true');
  });

  test('of a boot of the model cannot end as an executed one', () => {
    const error = refusal(() => readExpectation('e.yaml', file('stage: 0')));
    expect(error.place.path).toBe('outcome.kind');
  });

  test('is watched by default, unless it is executed', () => {
    expect(isWatchedRun({ scenario: 'a' })).toBe(true);
    expect(isWatchedRun({ scenario: 'a', sanitize: false })).toBe(false);
    expect(isWatchedRun({ scenario: 'a', execute: true })).toBe(false);
    expect(isWatchedRun({ scenario: 'a', execute: true, sanitize: true })).toBe(true);
  });
});

import { describe, expect, test } from '@jest/globals';
import { parseTrace } from '../../src/trace/yaml-in.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { FULL_REPORT, refusal, REPORT, reported, smallTrace } from './helpers.js';

const good = printTrace(smallTrace());
/** The small trace with one part of its text replaced. */
function changed(from: string, to: string): string {
  expect(good).toContain(from);
  return good.replace(from, to);
}
const lineOf = (part: string): number => good.slice(0, good.indexOf(part)).split('\n').length;

describe('a trace is refused', () => {
  test.each([
    ['another schema version', 'schema: 2', 'schema: 3', 'schema', 'expected 1 or 2, found 3'],
    ['an unknown key', 'stage: 8', 'stages: 8', 'header', undefined],
    ['an unknown field', 'type: WB', 'typ: WB', 'steps[1].events[0].typ', 'unknown key "typ"'],
    [
      'a field of another kind',
      'ebx: 0x16f',
      'flags: RW',
      'steps[0].events[0].flags',
      'unknown key "flags"',
    ],
    [
      'an unknown kind of event',
      '{cpuid:',
      '{cpuidd:',
      'steps[0].events[0]',
      'expected an event, one of enter, cpuid',
    ],
    [
      'an event of two kinds',
      'ebx: 0x16f',
      'map: 0x16f',
      'steps[0].events[0].map',
      'one kind, this one is cpuid and map',
    ],
    ['a value that is a list', 'C: 1', 'C: [1]', 'steps[1].events[0].C', 'found a list'],
    [
      'a patch 0',
      'C: 1, type: WB, in: map, file: arch/x86/mm/mem_encrypt.c, patch: 8',
      'patch: 0',
      'steps[1].events[0].patch',
      'at least 1',
    ],
    [
      'a label twice',
      'label: reserve_initrd',
      'label: startup_64',
      'steps[1].label',
      'startup_64 again',
    ],
    ['an unknown state', 'ciphertext', 'garbage', 'final.regions[0].state', 'found "garbage"'],
    ['an unknown outcome', 'kind: panic', 'kind: fine', 'outcome.kind', 'found "fine"'],
  ])('with %s', (_what, from, to, path, message) => {
    const error = refusal(() => parseTrace('t.yaml', changed(from, to)));
    expect(error.code).toBe('E_TRACE');
    expect(error.place.file).toBe('t.yaml');
    expect(error.place.path?.startsWith(path)).toBe(true);
    if (message !== undefined) {
      expect(error.message).toContain(message);
      expect(error.place.line).toBe(lineOf(from));
    }
  });

  test.each([
    ['without a step', /^steps:\n[^]*?(?=^consumed)/m, 'steps: []\n', 'expected not empty'],
    ['without an event', /events:\n(?: {6}.*\n)+/g, 'events: []\n', 'found an empty trace'],
    ['with findings', /$/, 'findings: []\n', 'findings'],
    [
      'without the sanitizer and with reports',
      /$/,
      'reports: []\n',
      'reports: expected no reports',
    ],
    [
      'with the sanitizer and without reports',
      / {2}sanitize: false\n/,
      '',
      'expected reports ([]: there are none), or sanitize: false in the header, found neither',
    ],
  ])('%s', (_what, from, to, message) => {
    const error = refusal(() => parseTrace('t.yaml', good.replace(from, to)));
    expect([error.code, error.message]).toEqual(['E_TRACE', expect.stringContaining(message)]);
  });

  test.each(['', '# nothing\n', '[]', 'text'])('if it is %j', (text) => {
    expect(refusal(() => parseTrace('t.yaml', text)).code).toBe('E_TRACE');
  });
});

describe('a trace of version 1', () => {
  const old = changed('schema: 2', 'schema: 1').replace('  sanitize: false\n', '');

  test('is without the sanitizer, unless its header says that it was on', () => {
    expect(parseTrace('t.yaml', old)).toEqual({ ...smallTrace(), schema: 1 });
    const on = old.replace('  image:', '  sanitize: true\n  image:');
    expect(parseTrace('t.yaml', on)).toEqual({ ...reported(), schema: 1 });
  });

  test('has no reports', () => {
    expect(refusal(() => parseTrace('t.yaml', `${old}reports: []\n`)).message).toBe(
      'E_TRACE: t.yaml:1:9, schema: expected 2, for a trace with reports, found 1',
    );
  });
});

test('a trace of version 2 whose header says that the sanitizer was on is read', () => {
  const text = printTrace(reported(REPORT)).replace('  image:', '  sanitize: true\n  image:');
  expect(parseTrace('t.yaml', text)).toEqual(reported(REPORT));
});

describe('a report is refused', () => {
  const text = printTrace(reported(REPORT, FULL_REPORT));
  test.each([
    ['without a rule', 'rule: wrong-key-read, ', '', 'reports[0].rule', 'found nothing'],
    ['whose rule is not kebab-case', 'wrong-key-read', 'Wrong key', 'reports[0].rule', 'Wrong key'],
    ['with an unknown key', 'n: 3', 'count: 3', 'reports[1].count', 'unknown key "count"'],
    ['of a count of one', 'n: 3', 'n: 1', 'reports[1].n', 'at least 2'],
    ['with another C-bit', 'C: 1, in: sme', 'C: 2, in: sme', 'reports[1].C', 'expected 0 or 1'],
    [
      'with another outcome',
      'outcome: data lost',
      'outcome: lost',
      'reports[1].outcome',
      'found "lost"',
    ],
    [
      'with an unknown key of the earlier event',
      'earlier: {what: written',
      'earlier: {how: x, what: written',
      'reports[1].earlier.how',
      'unknown key "how"',
    ],
    [
      'about a step that the trace does not have',
      'step: reserve_initrd',
      'step: reserve_initr',
      'reports[0].step',
      'did you mean reserve_initrd?',
    ],
  ])('%s', (_what, from, to, path, message) => {
    expect(text).toContain(from);
    const error = refusal(() => parseTrace('t.yaml', text.replace(from, to)));
    expect([error.code, error.place.path, error.message]).toEqual([
      'E_TRACE',
      path,
      expect.stringContaining(message),
    ]);
    expect(error.place.line).toBeGreaterThan(1);
  });
});

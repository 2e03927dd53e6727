import { describe, expect, test } from '@jest/globals';
import { readYaml } from '../../src/base/yaml-source.js';
import { compare } from '../../src/check/compare.js';
import { plainPainter } from '../../src/check/compare-text.js';
import { changeSummary, exactFailures } from '../../src/check/exact-failures.js';
import type { Failure } from '../../src/check/result.js';
import type { Trace, TraceEvent } from '../../src/trace/trace.js';
import { parseTrace } from '../../src/trace/yaml-in.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { traceWith } from '../trace/helpers.js';

const call = (name: string): TraceEvent => ({
  enter: name,
  in: 'start_kernel',
  file: 'init/main.c',
});
const map = (C: 0 | 1): TraceEvent => ({ map: '0x1000..0x1fff', pa: '0x1000..0x1fff', C, in: 'f' });
const STEPS = { early: [call('a'), call('b')], late: [call('c'), map(1), call('d')] };

const TEXT = printTrace(traceWith(STEPS));
const EXPECTED = parseTrace('t.yaml', TEXT);
const lineOf = (part: string, text = TEXT): number =>
  text.slice(0, text.indexOf(part)).split('\n').length;

const failuresOf = (found: Trace, text = TEXT): Failure[] =>
  exactFailures(compare(EXPECTED, found), { expected: EXPECTED, found }, readYaml('t.yaml', text));
/** The line of each failure in its file. */
const linesOf = (found: Trace, text = TEXT): unknown[] =>
  failuresOf(found, text).map(({ place }) => place.line);

describe('the failure of a step', () => {
  test('is at the event that changed, with those around it in the boot', () => {
    const found = traceWith({ ...STEPS, late: [call('x'), map(0), call('d')] });
    const other = traceWith({ ...STEPS, late: [call('c'), map(0), call('d')] });
    const [failure, ...more] = failuresOf(other);
    expect(more).toEqual([]);
    const line = lineOf('{map: ');
    expect(failure?.place).toMatchObject({ file: 't.yaml', line });
    expect(failure?.headline).toMatch(/^late: ~ \{map: .*\} C: expected 1, found 0$/);
    expect(failure?.lines).toEqual([
      expect.stringMatching(new RegExp(`^t\\.yaml:${line}(?::\\d+)?: late:$`)),
      expect.stringMatching(/^ {2}~ \{map: .*C: 0/),
      '      C: expected 1, found 0',
      '      before: late: {enter: c, in: start_kernel}',
      '      after:  late: {enter: d, in: start_kernel}',
    ]);
    // The second difference follows the events around the first.
    expect(failuresOf(found)[0]?.lines.slice(3)).toEqual([
      '      before: early: {enter: b, in: start_kernel}',
      expect.stringMatching(/^ {6}after: {2}late: \{map: .*C: 0/),
      expect.stringMatching(/^ {2}~ \{map: .*C: 0/),
      '      C: expected 1, found 0',
    ]);
  });

  test('is at a missing event, with those around it in the expected trace', () => {
    const [failure] = failuresOf(traceWith({ ...STEPS, late: [map(1), call('d')] }));
    expect(failure?.place.line).toBe(lineOf('{enter: c'));
    expect(failure?.lines.slice(1)).toEqual([
      '  - {enter: c, in: start_kernel, file: init/main.c}',
      '      before: early: {enter: b, in: start_kernel}',
      expect.stringMatching(/^ {6}after: {2}late: \{map: /),
    ]);
  });

  test('is at its label for one more event, with those around that in the boot', () => {
    const found = traceWith({ ...STEPS, early: [map(0), call('a'), call('b')] });
    const [failure] = failuresOf(found);
    expect(failure?.place.line).toBe(lineOf('- label: early'));
    expect(failure?.lines.slice(1)).toEqual([
      expect.stringMatching(/^ {2}\+ \{map: /),
      '      after:  early: {enter: a, in: start_kernel}',
    ]);
  });

  test('has no event after the last of the boot', () => {
    const found = traceWith({ ...STEPS, late: [call('c'), map(1), call('d'), map(0)] });
    expect(failuresOf(found)[0]?.lines.slice(2)).toEqual([
      '      before: late: {enter: d, in: start_kernel}',
    ]);
  });

  test('is at its first event if the step is missing, at the steps if it is extra', () => {
    expect(linesOf(traceWith({ early: STEPS.early }))).toEqual([lineOf('{enter: c')]);
    expect(linesOf(traceWith({ ...STEPS, more: [call('e')] }))).toEqual([lineOf('- label: early')]);
  });

  test('is at the same event of a trace under a key', () => {
    const nested = `expect: exact\ntrace:\n${TEXT.replace(/^(?=.)/gm, '  ')}`;
    const found = traceWith({ ...STEPS, late: [call('c'), map(0), call('d')] });
    expect(linesOf(found, nested)).toEqual([lineOf('{map: ') + 2]);
  });

  test.each([
    ['a changed step', '    - {step: late, events: []}\n', 5],
    ['an added step', '    - add: {label: late, events: []}\n', 5],
    ['another step', '    - {step: early, events: []}\n', 2],
  ])('is at %s of a difference, else at the base', (_what, edit, line) => {
    const text = `expect: exact\nbase: b.yaml\nchanges:\n  steps:\n${edit}`;
    const found = traceWith({ ...STEPS, late: [call('c'), map(0), call('d')] });
    expect(linesOf(found, text)).toEqual([line]);
  });
});

test('the failure of another section is at its first field', () => {
  const trace = traceWith(STEPS);
  const found: Trace = {
    ...trace,
    header: { ...trace.header, stage: 9, image: { ...trace.header.image, digest: 'ffff' } },
    consumed: [],
    outcome: { ...trace.outcome, where: 'elsewhere' },
  };
  expect(failuresOf(found).map(({ place, headline }) => [place.line, headline])).toEqual([
    [lineOf('  stage: 8'), 'header: stage: expected 8, found 9'],
    [lineOf('  - {name: initrd, by'), expect.stringMatching(/^consumed: /)],
    [lineOf('  where: panic'), 'outcome: where: expected panic, found elsewhere'],
  ]);
  expect(failuresOf(found)[0]?.lines.slice(1)).toEqual([
    '  stage: expected 8, found 9',
    '  image.digest: expected abcd, found ffff',
  ]);
});

test('a painter colours the heading with its place', () => {
  const found = traceWith({ early: STEPS.early });
  const paint = { ...plainPainter, heading: (text: string) => `<${text}>` };
  const traces = { expected: EXPECTED, found };
  const failures = exactFailures(compare(EXPECTED, found), traces, readYaml('t', TEXT), paint);
  expect(failures[0]?.lines[0]).toMatch(/^<t:\d+(?::\d+)?: late: \(missing\)>$/);
  expect(failures[0]?.headline).toMatch(/^late: \(missing\): - \{enter: c/);
});

test('the summary of a change counts events by what happened to them, and the fields of a section', () => {
  const found = traceWith({ early: [call('a')], late: [call('c'), map(0), call('d'), call('e')] });
  expect(changeSummary(compare(EXPECTED, found))).toBe(
    '1 event changed, 1 event added, 1 event removed; first in early: - {enter: b, in: start_kernel, file: init/main.c}',
  );
  const fewer = traceWith({ early: [], late: STEPS.late });
  const more = { ...fewer, outcome: { kind: 'hung' as const } };
  expect(changeSummary(compare(EXPECTED, more))).toMatch(
    /^2 events removed, 3 of outcome; first in early: - \{enter: a/,
  );
  expect(changeSummary(compare(EXPECTED, EXPECTED))).toBe('the form only');
});

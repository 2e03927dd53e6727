import { expect, test } from '@jest/globals';
import type { Place } from '../../src/base/errors.js';
import { readExpectation } from '../../src/check/expectation.js';
import { match, type MatchResult } from '../../src/check/match.js';
import type { Trace } from '../../src/trace/trace.js';
import { printReport } from '../../src/trace/yaml-out.js';
import { matchFailures, matchText } from '../../src/check/match-text.js';
import { REPORT, reported, traceWith } from '../trace/helpers.js';

const boot = traceWith({
  first: [{ console: 'a' }, { map: '0x1', C: 0 }],
  second: [{ panic: 'b' }],
});

function resultOf(text: string, trace: Trace = boot): MatchResult {
  const read = readExpectation('m.yaml', `expect: match\nrun: {scenario: plain}\n${text}`);
  if (read.expect !== 'match') throw new Error('not a match file');
  return match(read, trace);
}

const bad = resultOf(`
match:
  - expect: {console: $x}
  - expect: {map: $x, C: 1}
  - not: {panic: /./}
  - {count: {map: /./}, times: {min: 2}}
  - {expect: {map: /./}, step: third}
final: {dtb: {state: plaintext}, initrd: {state: plaintext}}
outcome: {kind: panic}
`);

test('a report has a line for each directive, with details below one that failed', () => {
  const stateAt = (step: string): string => `CR3 at ${step}\nCR4`;
  expect(matchText(bad, { rerun: 'sme-boot run plain --stage 8', stateAt })).toBe(
    `match[0] expect {console: $x}: found
match[1] expect {map: $x, C: 1}: not found
  no {map: $x (a), C: 1} from first
  nearest: first: {map: 0x1, C: 0}
    map: expected $x (a), found 0x1
    C: expected 1, found 0
    before: first: {console: a}
    after:  second: {panic: b}
  at first:
    CR3 at first
    CR4
match[2] not {panic: /./}: found, but forbidden
  at second: {panic: b}
    before: first: {map: 0x1, C: 0}
  at second:
    CR3 at second
    CR4
match[3] count {map: /./} times at least 2: wrong count
  found 1
  first: first: {map: 0x1, C: 0}
    before: first: {console: a}
    after:  second: {panic: b}
match[4] expect {map: /./} (in third): unused
  the trace has no boot step third
final dtb: not in the trace
final initrd: differs
  state: expected plaintext, found ciphertext
outcome: as expected
rerun: sme-boot run plain --stage 8
`,
  );
});

test('a report without failures has neither a state nor a command', () => {
  const good = resultOf('match: [{not: {fill: /./}}, {count: {map: /./}, times: 1}]');
  const context = { rerun: 'sme-boot run', stateAt: () => 'CR3' };
  expect(matchText(good, context)).toBe(
    'match[0] not {fill: /./}: absent, as required\n' +
      'match[1] count {map: /./} times 1: counted\n',
  );
});

test('a report names a pattern whose kind has no event in the trace', () => {
  const none = resultOf('match: [{expect: {panic: /./}}, {expect: {dma: /./}}]');
  expect(matchText(none)).toContain('no event of this kind in the trace');
  expect(matchText(none)).toContain('no {dma: /./} after the last event');
});

test('a report says between which lines the search began where no event is near', () => {
  const none = resultOf('match: [{expect: {console: a}}, {expect: {dma: /./}}]');
  expect(matchText(none)).toContain(
    '  the search began between\n' +
      '    before: first: {console: a}\n    after:  first: {map: 0x1, C: 0}\n',
  );
});

test('a report of a count has the first and the last line that counts, or the nearest', () => {
  const counts = resultOf(`
match:
  - {count: {console: /./}, times: 0}
  - {count: {map: /./, C: 1}, times: 2}
`);
  expect(matchText(counts)).toBe(
    `match[0] count {console: /./} times 0: wrong count
  found 1
  first: first: {console: a}
    after:  first: {map: 0x1, C: 0}
match[1] count {map: /./, C: 1} times 2: wrong count
  found 0
  nearest: first: {map: 0x1, C: 0}
    C: expected 1, found 0
    before: first: {console: a}
    after:  second: {panic: b}
`,
  );
});

test('a failure has the place of its directive, and its first mismatch in one line', () => {
  const place = (path: readonly (string | number)[]): Place => ({
    file: 'm.yaml',
    line: path.length,
    column: 3,
  });
  const failures = matchFailures(bad, { place });
  expect(failures.map(({ headline }) => headline)).toEqual([
    'match[1] expect {map: $x, C: 1}: not found',
    'match[2] not {panic: /./}: found, but forbidden',
    'match[3] count {map: /./} times at least 2: wrong count',
    'match[4] expect {map: /./} (in third): unused',
    'final dtb: not in the trace',
    'final initrd: state: expected plaintext, found ciphertext',
  ]);
  expect(failures[0]?.lines.slice(0, 2)).toEqual([
    'm.yaml:2:3: match[1] expect {map: $x, C: 1}: not found',
    '  no {map: $x (a), C: 1} from first',
  ]);
  expect(matchText(bad, { place })).toContain('\nm.yaml:2:3: final dtb: not in the trace\n');
});

test('a report marks a nearest event outside the range searched', () => {
  const outside = resultOf('match: [{expect: {panic: b}}, {expect: {console: a}}]');
  expect(matchText(outside)).toContain('nearest (outside the range searched): first: {console: a}');
});

test('a report is coloured by the painter of its context', () => {
  const paint = {
    heading: (text: string) => `H${text}`,
    gone: (text: string) => `G${text}`,
    added: (text: string) => `A${text}`,
    changed: (text: string) => `C${text}`,
  };
  const marks = matchText(bad, { paint })
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(0, 1));
  expect(marks.join('')).toBe('AGCCCCCCGCCGCCCCGCGGCA');
});

test('directives about reports have lines like those about events', () => {
  const text = `
match:
  - report: {rule: wrong-key-read}
  - {report: {rule: wrong-key-read, in: f, earlier: {in: loader}}, step: reserve_initrd}
  - not: {report: {rule: wrong-key-read}}
  - {count: {report: {rule: /./}}, times: 3}
`;
  const line = printReport(REPORT);
  expect(matchText(resultOf(text, reported(REPORT)))).toBe(
    `match[0] report {rule: wrong-key-read}: found
match[1] report {rule: wrong-key-read, in: f, earlier.in: loader} (in reserve_initrd): not reported
  no {rule: wrong-key-read, in: f, earlier.in: loader}: among 1 reports
  nearest: reserve_initrd: ${line}
    in: expected f, found unpack_to_rootfs
    earlier.in: expected loader, found (none)
match[2] not report {rule: wrong-key-read}: found, but forbidden
  at reserve_initrd: ${line}
match[3] count report {rule: /./} times 3: wrong count
  found 1
  first: reserve_initrd: ${line}
`,
  );
  expect(matchText(resultOf('match: [{report: {in: f}}]'))).toContain(
    'no {in: f}: there are no reports\n',
  );
});

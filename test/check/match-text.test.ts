import { expect, test } from '@jest/globals';
import { readExpectation } from '../../src/check/expectation.js';
import { match, type MatchResult } from '../../src/check/match.js';
import { matchText } from '../../src/check/match-text.js';
import { traceWith } from '../trace/helpers.js';

const boot = traceWith({
  first: [{ console: 'a' }, { map: '0x1', C: 0 }],
  second: [{ panic: 'b' }],
});

function resultOf(text: string): MatchResult {
  const read = readExpectation('m.yaml', `expect: match\nrun: {scenario: plain}\n${text}`);
  if (read.expect !== 'match') throw new Error('not a match file');
  return match(read, boot);
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
  at first:
    CR3 at first
    CR4
match[2] not {panic: /./}: found, but forbidden
  at second: {panic: b}
  at second:
    CR3 at second
    CR4
match[3] count {map: /./} times at least 2: wrong count
  found 1
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
  expect(marks.join('')).toBe('AGCCCCGCGCGCGGCA');
});

import { describe, expect, test } from '@jest/globals';
import { readExpectation } from '../../src/check/expectation.js';
import { printTrace, printTraceJson } from '../../src/trace/yaml-out.js';
import { refusal, smallTrace } from '../trace/helpers.js';

const indented = printTrace(smallTrace()).replace(/^/gm, '  ');

describe('an exact expectation', () => {
  test.each([
    ['a trace file unchanged', printTrace(smallTrace())],
    ['a trace in JSON', printTraceJson(smallTrace())],
    ['a trace with expect: exact', `expect: exact\ntrace:\n${indented}`],
  ])('is %s', (_what, text) => {
    expect(readExpectation('e.yaml', text)).toEqual({
      expect: 'exact',
      trace: smallTrace(),
      misfits: [],
    });
  });

  test('has the place of an error in its trace, relative to the file', () => {
    const text = `expect: exact\ntrace:\n${indented.replace('type: WB', 'typ: WB')}`;
    const error = refusal(() => readExpectation('e.yaml', text));
    expect(error.code).toBe('E_TRACE');
    expect(error.place).toMatchObject({ file: 'e.yaml', path: 'trace.steps[1].events[0].typ' });
  });
});

describe('a match expectation', () => {
  test('has the run, directives, final, outcome and consumed of its file', () => {
    const text = `
expect: match
run: {scenario: plain, stage: 8, activate: true, without: [09/initrd], set: {cache: 0}}
match:
  - expect: {encrypt: /./, bytes: 4096}
final: {initrd: {state: ciphertext}}
outcome: {kind: booted, message: ~}
consumed: {initrd: {intact: true, by: unpack_to_rootfs}}
`;
    const read = readExpectation('e.yaml', text);
    expect(read).toMatchObject({
      expect: 'match',
      run: { scenario: 'plain', stage: 8, activate: true, set: { cache: 0 } },
      directives: [{ kind: 'expect' }],
      final: [['initrd', { state: { is: 'literal', text: 'ciphertext' } }]],
      outcome: { kind: { is: 'literal', text: 'booted' }, message: { is: 'absent' } },
    });
  });

  const head = 'expect: match\nrun: {scenario: plain}\n';
  test.each([
    ['match', 'match: [{expect: {console: x}}]'],
    ['final', 'final: {initrd: {digest: /./}}'],
    ['outcome', 'outcome: {kind: hung}'],
    ['consumed', 'consumed: {initrd: {intact: false}}'],
  ])('may have %s alone', (section, text) => {
    expect(readExpectation('e.yaml', head + text)).toHaveProperty(
      section === 'match' ? 'directives' : section,
    );
  });

  test.each([
    ['nothing', head, undefined, 'it expects nothing'],
    ['no match', `${head}match: []`, 'match', 'not empty'],
    ['no regions', `${head}final: {}`, undefined, 'it expects nothing'],
    ['a region without fields', `${head}final: {a: {}}`, 'final.a', 'at least one'],
    ['an outcome without fields', `${head}outcome: {}`, 'outcome', 'at least one'],
    ['an unknown key', `${head}machts: []`, 'machts', 'unknown key'],
    ['an unknown flag', 'expect: match\nrun: {scenario: a, stge: 1}', 'run.stge', 'unknown key'],
    ['no scenario', 'expect: match\nrun: {}\noutcome: {kind: hung}', 'run.scenario', 'text'],
    ['no run', 'expect: match\noutcome: {kind: hung}', 'run', 'a mapping'],
    ['an unknown state', `${head}final: {a: {state: x}}`, 'final.a.state', 'plaintext or'],
    ['a key of consumed misspelt', `${head}consumed: {a: {intakt: true}}`, 'consumed.a.intakt', ''],
    ['a bad expression', `${head}outcome: {where: /(/}`, 'outcome.where', 'missing closing )'],
    ['another form', 'expect: fuzzy', 'expect', 'found "fuzzy"'],
    ['no form', 'run: {}', 'expect', 'expected expect: exact'],
    ['no text', '', 'expect', 'found nothing'],
    ['a second trace', 'expect: exact\ntrace: {}\nmore: 1', 'more', 'unknown key'],
  ])('is refused with %s', (_what, text, path, message) => {
    const error = refusal(() => readExpectation('e.yaml', text));
    expect([error.code, error.place.path]).toEqual(['E_EXPECTATION', path]);
    expect(error.message).toContain(message);
  });
});

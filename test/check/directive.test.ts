import { describe, expect, test } from '@jest/globals';
import { checkUse, directiveOf, type Directive } from '../../src/check/directive.js';
import { readYaml } from '../../src/base/yaml-source.js';
import { refusal } from '../trace/helpers.js';

/** The directives of a list in YAML, parsed and checked. */
function directives(text: string): Directive[] {
  const source = readYaml('m.yaml', `match:\n${text.replace(/^/gm, '  ')}`);
  const count = (source.value as { match: unknown[] }).match.length;
  const list = Array.from({ length: count }, (_, index) => directiveOf(source, ['match', index]));
  checkUse(source, list);
  return list;
}

describe('a directive', () => {
  test('of each kind is parsed', () => {
    const list = directives(
      [
        '- expect: {map: $va, C: 1}',
        '- next: {unmap: $va}',
        '- not: {panic: /./}',
        '  step: setup_arch',
        '- any-order: [{console: a}, {console: b}]',
        '- count: {fill: /./}',
        '  times: 3',
        '- count: {fill: /./}',
        '  times: {min: 1}',
        '- count: {fill: /./}',
        '  times: {max: 2}',
      ].join('\n'),
    );
    expect(list.map(({ kind, patterns }) => [kind, patterns.length])).toEqual([
      ['expect', 1],
      ['next', 1],
      ['not', 1],
      ['any-order', 2],
      ['count', 1],
      ['count', 1],
      ['count', 1],
    ]);
    expect(list[0]?.patterns).toEqual([
      { map: { is: 'capture', name: 'va' }, C: { is: 'literal', text: '1' } },
    ]);
    expect(list.map(({ step }) => step).filter(Boolean)).toEqual(['setup_arch']);
    expect(list.slice(4).map(({ times }) => times)).toEqual([
      { min: 3, max: 3 },
      { min: 1, max: Number.MAX_SAFE_INTEGER },
      { min: 0, max: 2 },
    ]);
  });

  test.each([
    ['of an unknown kind', '- exepct: {map: x}', 'match[0]', 'expected one of expect, next, not'],
    ['of two kinds', '- {expect: {map: x}, not: {map: y}}', 'match[0]', 'found expect, not'],
    ['written as text', '- expect', 'match[0]', 'found "expect"'],
    ['with an unknown key', '- {expect: {map: x}, stp: a}', 'match[0].stp', 'unknown key'],
    ['with times but not count', '- {expect: {map: x}, times: 1}', 'match[0].times', ''],
    ['count without times', '- {count: {map: x}}', 'match[0].times', ''],
    ['with an empty range', '- {count: {map: x}, times: {}}', 'match[0].times', 'min or max'],
    ['with min above max', '- {count: {map: x}, times: {min: 2, max: 1}}', 'match[0].times', ''],
    ['with an empty pattern', '- {expect: {}}', 'match[0].expect', 'one kind of event'],
    ['without a kind of event', '- {expect: {C: 1}}', 'match[0].expect', 'found none'],
    [
      'with two kinds of event',
      '- {expect: {map: x, unmap: x}}',
      'match[0].expect',
      'map and unmap',
    ],
    [
      'with an absent kind of event',
      '- {expect: {map: ~}}',
      'match[0].expect.map',
      'cannot be absent',
    ],
    [
      'with a field misspelt',
      '- {not: {map: x, typ: WP}}',
      'match[0].not.typ',
      'unknown key "typ"',
    ],
    ['with a bad expression', '- {expect: {map: /(/}}', 'match[0].expect.map', 'missing closing )'],
    ['any-order with one pattern', '- any-order: [{map: x}]', 'match[0].any-order', 'at least 2'],
    [
      'any-order with an unknown key',
      '- any-order: [{map: x}, {map: x, q: 1}]',
      'match[0].any-order[1].q',
      'unknown key',
    ],
    ['next with nothing before', '- next: {map: x}', 'match[0].next', 'a directive before it'],
    [
      'next after a count only',
      '- {count: {map: x}, times: 1}\n- next: {map: x}',
      'match[1].next',
      'a directive before it',
    ],
    [
      'not before a next, where nothing can be',
      '- expect: {map: x}\n- not: {map: y}\n- next: {map: z}',
      'match[1]',
      'unused',
    ],
    [
      'not before a next with a count in between',
      '- expect: {map: x}\n- not: {map: y}\n- {count: {map: y}, times: 1}\n- next: {map: z}',
      'match[1]',
      'unused',
    ],
    ['not with an unbound capture', '- not: {map: $va}', 'match[0].not', '$va is not bound'],
    [
      'count with an unbound capture',
      '- {count: {map: $va}, times: 1}',
      'match[0].count',
      '$va is not bound',
    ],
  ])('is refused: %s', (_what, text, path, message) => {
    const error = refusal(() => directives(text));
    expect([error.code, error.place.path]).toEqual(['E_EXPECTATION', path]);
    expect(error.message).toContain(message);
    expect(error.place.line).toBeGreaterThan(1);
  });

  test('not may use a capture that was bound before it', () => {
    expect(directives('- expect: {map: $va}\n- not: {unmap: $va}')).toHaveLength(2);
  });
});

describe('a directive about a report', () => {
  const rules = ['wrong-key-read', 'mixed-key-line'];
  const parse = (text: string): Directive => directiveOf(readYaml('m.yaml', text), [], rules);

  test('is parsed, with the fields of the earlier event', () => {
    expect(parse('{report: {rule: wrong-key-read, earlier: {in: $x}}, step: a}')).toEqual({
      kind: 'report',
      about: 'reports',
      step: 'a',
      patterns: [
        {
          rule: { is: 'literal', text: 'wrong-key-read' },
          'earlier.in': { is: 'capture', name: 'x' },
        },
      ],
    });
    expect(parse('{not: {report: {C: 1}}}')).toMatchObject({ kind: 'not', about: 'reports' });
    expect(parse('{not: {read: {C: 1}}}'.replace('{C: 1}', 'x'))).not.toHaveProperty('about');
  });

  test.each([
    ['of no field', '{report: {}}', 'report', 'at least one field'],
    ['of no field of the earlier event', '{report: {earlier: {}}}', 'report', 'at least one'],
    ['with an unknown key', '{report: {rul: x}}', 'report.rul', 'did you mean rule?'],
    [
      'with an unknown key below',
      '{report: {earlier: {fn: x}}}',
      'report.earlier.fn',
      'unknown key',
    ],
    ['about its suppression', '{report: {suppressed: x}}', 'report.suppressed', 'unknown key'],
    ['with a list', '{report: {at: [x]}}', 'report.at', ''],
    ['with a bad expression', '{report: {at: /(/}}', 'report.at', 'RE2 syntax'],
    [
      'of a rule that there is not',
      '{report: {rule: wrong-key-reed}}',
      'report.rule',
      'did you mean wrong-key-read?',
    ],
    [
      'of a forbidden rule that there is not',
      '{not: {report: {rule: mixed}}}',
      'not.report.rule',
      'found mixed',
    ],
    ['beside an event', '{not: {report: {C: 1}, map: x}}', 'not.map', 'unknown key'],
    ['in the place of an event', '{expect: {report: {C: 1}}}', 'expect.report', ''],
    ['written as text', '{not: {report: wrong-key-read}}', 'not', 'one kind of event'],
  ])('is refused: %s', (_what, text, path, message) => {
    const error = refusal(() => parse(text));
    expect([error.code, error.place.path]).toEqual(['E_EXPECTATION', path]);
    expect(error.message).toContain(message);
  });

  test('may name any rule where the rules are not known', () => {
    const text = '{report: {rule: of-a-later-version}}';
    expect(directiveOf(readYaml('m.yaml', text), [])).toMatchObject({ kind: 'report' });
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readExpectation, type MatchExpectation } from '../../src/check/expectation.js';
import type { InputError } from '../../src/base/errors.js';
import { match, matchDirective, type MatchResult } from '../../src/check/match.js';
import { matchFailures, matchText } from '../../src/check/match-text.js';
import type { Trace, TraceEvent } from '../../src/trace/trace.js';
import {
  anyEvent,
  FULL_REPORT,
  refusal,
  REPORT,
  reported,
  smallTrace,
  traceWith,
} from '../trace/helpers.js';

function expectationOf(text: string): MatchExpectation {
  const read = readExpectation('m.yaml', `expect: match\nrun: {scenario: plain}\n${text}`);
  if (read.expect !== 'match') throw new Error('not a match file');
  return read;
}
const run = (trace: Trace, ...directives: string[]): MatchResult =>
  match(expectationOf(`match:\n${directives.map((each) => `  - ${each}\n`).join('')}`), trace);
const statuses = (result: MatchResult): string[] =>
  result.directives.map(({ verdict }) => verdict.status);

const map = (va: string, C: 0 | 1): TraceEvent => ({ map: va, C, in: 'f' });
const boot = traceWith({
  first: [{ console: 'a' }, map('0x1', 0), map('0x2', 1)],
  second: [{ unmap: '0x1' }, { unmap: '0x2' }, { fill: '0x9', n: 5 }, { console: 'a' }],
});

describe('expect and next', () => {
  test.each<[string, string[], string[]]>([
    ['match events in order', ['expect: {map: /./}', 'expect: {unmap: "0x2"}'], ['found', 'found']],
    [
      'do not match an event before the last match',
      ['expect: {unmap: "0x1"}', 'expect: {map: /./}'],
      ['found', 'not-found'],
    ],
    [
      'match an event only once',
      ['expect: {fill: /./}', 'expect: {fill: /./}'],
      ['found', 'not-found'],
    ],
    ['match the very next event', ['expect: {map: "0x1"}', 'next: {map: /./}'], ['found', 'found']],
    [
      'do not skip an event at next',
      ['expect: {console: a}', 'next: {map: "0x2"}'],
      ['found', 'not-found'],
    ],
    [
      'continue from one boot step into the next',
      ['expect: {map: "0x2"}', 'next: {unmap: "0x1"}'],
      ['found', 'found'],
    ],
    [
      'are restricted to a boot step',
      ['{expect: {console: a}, step: second}', '{expect: {console: a}, step: second}'],
      ['found', 'not-found'],
    ],
    [
      'do not go back to a boot step',
      ['expect: {unmap: /./}', '{expect: {map: /./}, step: first}'],
      ['found', 'not-found'],
    ],
    [
      'use captures of earlier directives',
      ['expect: {map: $va, C: 1}', 'expect: {unmap: $va}'],
      ['found', 'found'],
    ],
    [
      'do not match another value than that of a bound capture',
      ['expect: {console: $x}', 'expect: {map: $x}'],
      ['found', 'not-found'],
    ],
    [
      'continue after one that was not found',
      ['expect: {map: "0x7"}', 'expect: {map: "0x1"}'],
      ['not-found', 'found'],
    ],
    [
      'have an unused next after one that was not found',
      ['expect: {map: "0x7"}', 'next: {console: a}'],
      ['not-found', 'unused'],
    ],
    [
      'match nothing after the last event',
      ['expect: {fill: /./}', 'next: {console: a}', 'next: {console: a}'],
      ['found', 'found', 'not-found'],
    ],
    [
      'are unused in a step that the trace does not have',
      ['{expect: {console: a}, step: third}'],
      ['unused'],
    ],
  ])('%s', (_what, directives, verdicts) => {
    expect(statuses(run(boot, ...directives))).toEqual(verdicts);
  });

  test('report the nearest event, and the fields that differ', () => {
    const [result] = run(boot, 'expect: {map: "0x2", C: 0, in: f}').directives;
    expect(result?.verdict).toMatchObject({
      status: 'not-found',
      from: 'first',
      nearest: {
        step: 'first',
        event: { map: '0x1' },
        differs: [{ field: 'map', expected: '0x2', found: '0x1' }],
      },
    });
  });

  test('report a match outside the range searched if the range has none of the kind', () => {
    const [, result] = run(boot, 'expect: {unmap: "0x1"}', 'expect: {map: "0x1"}').directives;
    expect(result?.verdict).toMatchObject({ nearest: { step: 'first', differs: [] } });
  });

  test('report the event that is at the position of next', () => {
    const [, result] = run(boot, 'expect: {console: a}', 'next: {unmap: "0x1"}').directives;
    expect(result?.verdict).toMatchObject({
      nearest: { event: { map: '0x1' }, differs: [{ field: 'unmap' }] },
    });
  });
});

describe('any-order', () => {
  test.each<[string, string[], string[]]>([
    ['matches events in either order', ['any-order: [{unmap: "0x2"}, {unmap: "0x1"}]'], ['found']],
    [
      'matches a distinct event for each pattern',
      ['any-order: [{map: /./}, {map: "0x1"}]'],
      ['found'],
    ],
    [
      'fails if one pattern has no event',
      ['any-order: [{map: "0x1"}, {map: "0x3"}]'],
      ['not-found'],
    ],
    [
      'fails if there are fewer events than patterns',
      ['any-order: [{fill: /./}, {fill: /./}]'],
      ['not-found'],
    ],
    [
      'continues after the last of its events',
      ['any-order: [{unmap: "0x2"}, {console: a}]', 'next: {fill: /./}'],
      ['found', 'found'],
    ],
    [
      'binds captures in the order of the patterns',
      ['any-order: [{unmap: $va}, {map: $va, C: 1}]'],
      ['found'],
    ],
  ])('%s', (_what, directives, verdicts) => {
    expect(statuses(run(boot, ...directives))).toEqual(verdicts);
  });

  test('reports the pattern that no event matches', () => {
    const [result] = run(boot, 'any-order: [{map: "0x1"}, {map: "0x3"}]').directives;
    expect(result?.verdict).toMatchObject({ pattern: { map: { text: '0x3' } } });
  });

  describe('of a trace with many events that match', () => {
    const many = traceWith({
      a: Array.from({ length: 300 }, (_, index) => ({ console: `x${index}` })),
    });
    const patterns = Array.from({ length: 15 }, () => '{console: /x/}').join(', ');

    test('is not found if a pattern matches no event, whatever the others do', () => {
      expect(statuses(run(many, `any-order: [${patterns}, {console: y}]`))).toEqual(['not-found']);
    });

    test('is given up, and says so, if no assignment exists within the limit', () => {
      // One event fewer than patterns: each is matched, but not all at once.
      const few = traceWith({ a: Array.from({ length: 14 }, (_, i) => ({ console: `x${i}` })) });
      const { directives } = run(few, ...Array<string>(1000).fill(`any-order: [${patterns}]`));
      expect(directives).toHaveLength(1000);
      for (const { verdict } of directives) {
        expect(verdict).toMatchObject({
          status: 'unused',
          reason: 'the any-order directives compare more than 200000 events',
        });
      }
    });
  });
});

describe('not', () => {
  test.each<[string, string[], string[]]>([
    ['forbids an event anywhere', ['not: {fill: /./}'], ['forbidden']],
    ['passes if no event matches', ['not: {panic: /./}'], ['absent']],
    [
      'is checked only between the matches around it',
      ['expect: {map: "0x1"}', 'not: {console: a}', 'expect: {fill: /./}'],
      ['found', 'absent', 'found'],
    ],
    [
      'is checked up to the match after it',
      ['expect: {map: "0x1"}', 'not: {map: "0x2"}', 'expect: {unmap: /./}'],
      ['found', 'forbidden', 'found'],
    ],
    [
      'is checked up to the end after the last match',
      ['expect: {unmap: "0x2"}', 'not: {console: a}'],
      ['found', 'forbidden'],
    ],
    [
      'is checked up to the first event of any-order, in whatever order its patterns are',
      ['expect: {map: "0x1"}', 'not: {fill: /./}', 'any-order: [{console: a}, {unmap: "0x2"}]'],
      ['found', 'absent', 'found'],
    ],
    [
      'is forbidden before the first event of any-order',
      ['expect: {map: "0x1"}', 'not: {unmap: "0x1"}', 'any-order: [{console: a}, {unmap: "0x2"}]'],
      ['found', 'forbidden', 'found'],
    ],
    [
      'is checked from the last event of any-order on',
      ['any-order: [{console: a}, {unmap: "0x2"}]', 'not: {map: /./}'],
      ['found', 'absent'],
    ],
    [
      'is checked after the last event of any-order',
      ['any-order: [{map: "0x2"}, {console: a}]', 'not: {unmap: "0x2"}'],
      ['found', 'forbidden'],
    ],
    [
      'may be the last of several, each of which is checked up to the end',
      ['expect: {unmap: "0x1"}', 'not: {map: /./}', 'not: {panic: /./}', 'not: {console: a}'],
      ['found', 'absent', 'absent', 'forbidden'],
    ],
    ['may be restricted to a boot step', ['{not: {unmap: /./}, step: first}'], ['absent']],
    [
      'is unused in a boot step that ends with the match before it',
      ['expect: {map: "0x2"}', '{not: {map: /./}, step: first}'],
      ['found', 'unused'],
    ],
    [
      'is unused in a boot step that begins with the match after it',
      ['{not: {fill: /./}, step: second}', 'expect: {unmap: "0x1"}'],
      ['unused', 'found'],
    ],
    [
      'is checked in a boot step of which one event is between the matches',
      ['{not: {unmap: "0x1"}, step: second}', 'expect: {unmap: "0x2"}'],
      ['forbidden', 'found'],
    ],
    [
      'is unused in a boot step that is not between the matches around it',
      ['expect: {unmap: "0x1"}', '{not: {map: /./}, step: first}'],
      ['found', 'unused'],
    ],
    [
      'is unused in a boot step that the trace does not have',
      ['{not: {map: /./}, step: x}'],
      ['unused'],
    ],
    [
      'uses captures that were bound before it',
      ['expect: {map: $va, C: 1}', 'not: {unmap: $va}'],
      ['found', 'forbidden'],
    ],
  ])('%s', (_what, directives, verdicts) => {
    expect(statuses(run(boot, ...directives))).toEqual(verdicts);
  });

  test('is absent from a boot step without events, wherever that is', () => {
    const trace = traceWith({ first: [map('0x1', 0)], empty: [], second: [{ unmap: '0x1' }] });
    const directives = ['expect: {unmap: "0x1"}', '{not: {map: /./}, step: empty}'];
    expect(statuses(run(trace, ...directives))).toEqual(['found', 'absent']);
  });

  test('reports the step of the forbidden event', () => {
    const [result] = run(boot, 'not: {fill: /./}').directives;
    expect(result?.verdict).toMatchObject({ at: { step: 'second', event: { fill: '0x9' } } });
  });
});

describe('count', () => {
  test.each([
    ['{count: {console: a}, times: 2}', 'counted'],
    ['{count: {console: a}, times: 1}', 'wrong-count'],
    ['{count: {console: a}, times: 1, step: first}', 'counted'],
    ['{count: {fill: /./}, times: 5}', 'counted'],
    ['{count: {fill: /./}, times: {min: 6}}', 'wrong-count'],
    ['{count: {fill: /./}, times: {min: 5}}', 'counted'],
    ['{count: {fill: /./}, times: {max: 5}}', 'counted'],
    ['{count: {fill: /./}, times: {max: 4}}', 'wrong-count'],
    ['{count: {panic: /./}, times: 0}', 'counted'],
    ['{count: {panic: /./}, times: 0, step: third}', 'unused'],
  ])('%s: %s', (directive, verdict) => {
    expect(statuses(run(boot, directive))).toEqual([verdict]);
  });

  test('does not move the position from which other directives search', () => {
    const directives = [
      '{count: {fill: /./}, times: 5}',
      'expect: {console: a}',
      'next: {map: /./}',
    ];
    expect(run(boot, ...directives).ok).toBe(true);
  });
});

describe('a verdict tells', () => {
  const [a, one, two] = [{ console: 'a' }, map('0x1', 0), map('0x2', 1)];
  const placed = (step: string, event: TraceEvent): object => ({ step, event });
  const verdictsOf = (...directives: string[]): unknown[] =>
    run(boot, ...directives).directives.map(({ verdict }) => verdict);

  test('where its events were found, in the order of the patterns', () => {
    expect(verdictsOf('any-order: [{map: "0x2"}, {console: a}]')).toEqual([
      {
        status: 'found',
        at: [
          expect.objectContaining(placed('first', two)),
          expect.objectContaining(placed('first', a)),
        ],
      },
    ]);
  });

  test('the first and the last event that were counted, with the events around them', () => {
    const [wrong] = verdictsOf('{count: {console: a}, times: 1}');
    expect(wrong).toMatchObject({
      status: 'wrong-count',
      times: 2,
      first: { ...placed('first', a), after: placed('first', one) },
      last: { ...placed('second', a), before: placed('second', { fill: '0x9', n: 5 }) },
    });
    expect(wrong).not.toHaveProperty('first.before');
    expect(wrong).not.toHaveProperty('last.after');
    expect(wrong).not.toHaveProperty('nearest');
  });

  test('one event only, if one was counted, and the nearest, if none was', () => {
    const [single, none, nothing] = verdictsOf(
      '{count: {fill: /./}, times: 4}',
      '{count: {map: "0x1", C: 1, in: f}, times: 1}',
      '{count: {panic: /./}, times: 1}',
    );
    expect(single).toMatchObject({ times: 5, first: placed('second', { fill: '0x9', n: 5 }) });
    expect(Object.keys(single ?? {})).toEqual(['status', 'times', 'first']);
    expect(none).toMatchObject({
      times: 0,
      nearest: { ...placed('first', one), before: placed('first', a) },
    });
    expect(Object.keys(none ?? {})).toEqual(['status', 'times', 'nearest']);
    expect(nothing).toEqual({ status: 'wrong-count', times: 0 });
  });

  test('of several events with mismatches the one with the fewest, of two alike the first', () => {
    const nearest = (directive: string): unknown => verdictsOf(directive)[0];
    expect(nearest('expect: {map: "0x2", C: 1, in: g}')).toMatchObject({ nearest: { event: two } });
    expect(nearest('expect: {map: "0x3", in: g}')).toMatchObject({ nearest: { event: one } });
  });

  test('where the search began, and no event where the trace has none', () => {
    expect(verdictsOf('expect: {panic: /./}')).toEqual([
      expect.objectContaining({
        status: 'not-found',
        from: 'first',
        began: { after: expect.objectContaining(placed('first', a)) },
      }),
    ]);
    const [, end] = verdictsOf(
      'expect: {fill: /./}',
      'expect: {map: "0x1"}',
      'expect: {panic: /./}',
    );
    expect(end).toMatchObject({
      from: 'second',
      began: { before: placed('second', { fill: '0x9', n: 5 }) },
    });
    const [, , last] = verdictsOf(
      'expect: {fill: /./}',
      'next: {console: a}',
      'expect: {panic: /./}',
    );
    expect(last).toMatchObject({ status: 'not-found', began: { before: placed('second', a) } });
    for (const key of ['from', 'nearest', 'began.after']) expect(last).not.toHaveProperty(key);
  });

  test('why it is unused', () => {
    const reasons = (...directives: string[]): unknown[] =>
      run(boot, ...directives).directives.map(({ verdict }) =>
        verdict.status === 'unused' ? verdict.reason : verdict.status,
      );
    const before = 'the match before it was not found';
    expect(reasons('expect: {panic: /./}', 'next: {map: /./}', 'next: {map: /./}')).toEqual([
      'not-found',
      before,
      before,
    ]);
    // A count of an unknown boot step is no match that `next` could follow; another directive is.
    const unknown = 'the trace has no boot step third';
    const count = '{count: {console: a}, times: 1, step: third}';
    expect(reasons('expect: {console: a}', count, 'next: {map: /./}')).toEqual([
      'found',
      unknown,
      'found',
    ]);
    expect(reasons('{expect: {console: a}, step: third}', 'next: {console: a}')).toEqual([
      unknown,
      before,
    ]);
    expect(reasons('expect: {unmap: "0x1"}', '{not: {map: /./}, step: first}')).toEqual([
      'found',
      'the boot step first is not between the matches around it',
    ]);
  });
});

describe('final, outcome and consumed', () => {
  const trace = smallTrace();
  test.each([
    ['final: {initrd: {state: ciphertext, bytes: 4096, pa: /^0x100000/}}', true],
    ['final: {initrd: {state: plaintext}}', false],
    ['final: {dtb: {state: plaintext}}', false],
    ['outcome: {kind: panic, message: /mount root/}', true],
    ['outcome: {kind: booted}', false],
    ['outcome: {kind: panic, where: ~}', false],
    ['consumed: {initrd: {intact: false, firstDifference: 2}}', true],
    ['consumed: {initrd: {intact: false, by: unpack_to_rootfs}}', true],
    ['consumed: {initrd: {intact: true}}', false],
    ['consumed: {initrd: {intact: false, by: load_ucode_bsp}}', false],
    ['consumed: {dtb: {intact: true}}', false],
  ])('%s: %p', (text, ok) => {
    expect(match(expectationOf(text), trace).ok).toBe(ok);
  });

  test('results name the section, the name and the fields that differ', () => {
    const text =
      'final: {initrd: {state: plaintext}, initr: {state: plaintext}}\n' +
      'consumed: {initrd: {intact: false}}\noutcome: {kind: booted}';
    const { ok, required } = match(expectationOf(text), trace);
    const differs = (field: string): unknown => [expect.objectContaining({ field })];
    const result = (section: string, name: string, fields: object): object => ({
      ...{ section, name, ok: false, known: true, differs: [] },
      ...fields,
    });
    expect(ok).toBe(false);
    expect(required).toEqual([
      result('final', 'initrd', { differs: differs('state') }),
      result('final', 'initr', { known: false, suggestion: 'initrd' }),
      result('consumed', 'initrd', { ok: true }),
      result('outcome', 'outcome', { differs: differs('kind') }),
    ]);
  });

  test('a directive by itself is evaluated against the steps of a trace', () => {
    const [directive] = expectationOf('match: [{not: {fill: /./}}]').directives;
    if (directive === undefined) throw new RangeError('no directive');
    expect(matchDirective(directive, boot.steps).verdict.status).toBe('forbidden');
    expect(matchDirective(directive, []).verdict.status).toBe('absent');
  });

  test('consumed is required of every consumer, or of the one that `by` names', () => {
    const consumed = [
      { name: 'initrd', by: 'a', intact: true },
      { name: 'initrd', by: 'b', intact: false },
    ];
    const two = { ...trace, consumed };
    const ok = (fields: string): boolean =>
      match(expectationOf(`consumed: {initrd: {${fields}}}`), two).ok;
    expect(ok('intact: true')).toBe(false);
    expect(ok('intact: true, by: a')).toBe(true);
    expect(ok('intact: true, by: b')).toBe(false);
    expect(ok('by: /c/')).toBe(false);
  });
});

test('every event of a trace is matched by a pattern of its own literal fields', () => {
  const escaped = (event: TraceEvent): string =>
    JSON.stringify(
      Object.fromEntries(
        Object.entries(event).map(([key, value]) => [
          key,
          typeof value === 'string' && /^[/$]/.test(value) ? `\\${value}` : value,
        ]),
      ),
    );
  const plain = anyEvent.filter((event) =>
    Object.values(event).every((value) => typeof value !== 'string' || !value.startsWith('\\')),
  );
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 6 }), (events) => {
      const directives = events.map((event, index) =>
        index === 0 ? `expect: ${escaped(event)}` : `next: ${escaped(event)}`,
      );
      const [first, ...rest] = statuses(run(traceWith({ a: events }), ...directives));
      expect(first).toBe('found');
      expect(rest.every((status) => status === 'found')).toBe(true);
    }),
  );
});

describe('directives about reports', () => {
  const trace = reported(REPORT, FULL_REPORT, { ...REPORT, cpu: 1, hunk: '09/initrd' });
  test.each<[string, string[], string[]]>([
    ['match any report', ['report: {rule: wrong-key-read, at: initrd}'], ['found']],
    [
      'do not depend on the order of events, nor change where the next search begins',
      [
        'expect: {map: /./}',
        'report: {rule: mixed-key-line}',
        'next: {outcome: panic}',
        'report: {rule: wrong-key-read}',
      ],
      ['found', 'found', 'found', 'found'],
    ],
    [
      'match fields of the earlier event',
      [
        'report: {earlier: {in: copy_bootdata, C: 0}}',
        'report: {earlier: {in: loader}}',
        'report: {rule: wrong-key-read, earlier: null}',
        'report: {rule: mixed-key-line, earlier: null}',
      ],
      ['found', 'not-reported', 'found', 'not-reported'],
    ],
    [
      'match by address, symbol, expression and absence',
      [
        'report: {at: 0x100000..0x100fff}',
        'report: {at: /workarea/, va: /^0xffff88/}',
        'report: {rule: wrong-key-read, cpu: null}',
        'report: {rule: mixed-key-line, cpu: null}',
      ],
      ['found', 'found', 'found', 'not-reported'],
    ],
    [
      'are restricted to a boot step',
      [
        '{report: {rule: mixed-key-line}, step: startup_64}',
        '{report: {rule: mixed-key-line}, step: reserve_initrd}',
        '{not: {report: {rule: mixed-key-line}}, step: reserve_initrd}',
        '{report: {rule: mixed-key-line}, step: no_such}',
      ],
      ['found', 'not-reported', 'absent', 'unused'],
    ],
    [
      'forbid a report',
      ['not: {report: {rule: wrong-key-read}}', 'not: {report: {rule: stale-translation}}'],
      ['forbidden', 'absent'],
    ],
    [
      'count reports, a folded one by its n',
      [
        '{count: {report: {rule: wrong-key-read}}, times: 2}',
        '{count: {report: {rule: mixed-key-line}}, times: 3}',
        '{count: {report: {rule: /./}}, times: {min: 6}}',
        '{count: {report: {rule: stale-translation}}, times: 0}',
      ],
      ['counted', 'counted', 'wrong-count', 'counted'],
    ],
    [
      'bind and use captures',
      ['report: {rule: wrong-key-read, in: $fn}', 'not: {report: {rule: mixed-key-line, in: $fn}}'],
      ['found', 'absent'],
    ],
  ])('%s', (_what, list, expected) => {
    expect(statuses(run(trace, ...list))).toEqual(expected);
  });

  test('of a trace without reports do not match, and have no nearest one', () => {
    const [result] = run(smallTrace(), 'report: {rule: wrong-key-read}').directives;
    expect(result?.verdict).toMatchObject({ status: 'not-reported', reported: 0 });
    expect(result?.verdict).not.toHaveProperty('nearest');
  });

  test('name the nearest report and what differs', () => {
    const [result] = run(trace, 'report: {rule: wrong-key-read, in: f, cpu: 1}').directives;
    expect(result?.verdict).toMatchObject({
      nearest: { event: { cpu: 1 }, differs: [{ field: 'in', expected: 'f' }] },
    });
  });
});

describe('suppress', () => {
  const { suppressed: _judged, ...open } = FULL_REPORT;
  const trace = reported(REPORT, open);
  const judge = (entries: string, ...directives: string[]): MatchResult =>
    match(
      expectationOf(
        `match:\n${directives.map((each) => `  - ${each}\n`).join('')}suppress:\n${entries}`,
      ),
      trace,
    );
  const known = '  - {rule: wrong-key-read, at: initrd, reason: known}\n';

  test('hides the reports that it covers from the directives', () => {
    const result = judge(
      known,
      'not: {report: {rule: wrong-key-read}}',
      '{count: {report: {rule: /./}}, times: 3}',
    );
    expect([result.ok, statuses(result)]).toEqual([true, ['absent', 'counted']]);
    expect(result.suppress).toEqual({ accepted: 1, unused: [] });
    expect(matchText(result)).toContain('suppress: 1 report accepted\n');
    expect(statuses(judge(known, 'report: {rule: wrong-key-read}'))).toEqual(['not-reported']);
  });

  test('has an entry that covers no report as a failure at its line', () => {
    const result = judge(
      `${known}  - {rule: mixed-key-line, at: dtb, reason: r}\n`,
      'report: {rule: mixed-key-line}',
    );
    expect(result.ok).toBe(false);
    const place = (): { file: string } => ({ file: 'm.yaml' });
    expect(matchFailures(result, { place })).toEqual([
      {
        place: expect.objectContaining({ line: 7, path: 'suppress[1]' }),
        headline: 'suppress: no report of mixed-key-line at dtb: remove the entry',
        lines: [expect.stringContaining('m.yaml:7:5: suppress: no report of')],
      },
    ]);
  });

  test.each([
    ['an entry without a reason', '  - {rule: wrong-key-read, at: initrd}\n', 'E_SUPPRESSION'],
    ['neither a list nor a path', '  rule: wrong-key-read\n', 'E_SUPPRESSION'],
    ['a file, which only a program with files can read', '  known.yaml\n', 'E_EXPECTATION'],
  ])('with %s is refused', (_what, entries, code) => {
    expect(refusal(() => judge(entries, 'report: {rule: mixed-key-line}'))).toMatchObject({
      code,
      place: { file: 'm.yaml' },
    });
  });

  test('and directives about reports are refused where the sanitizer is off', () => {
    const of = (rest: string): InputError =>
      refusal(() =>
        readExpectation(
          'm.yaml',
          `expect: match\nrun: {scenario: plain, sanitize: false}\n${rest}`,
        ),
      );
    const text = 'it is about reports, and run.sanitize: false turns the sanitizer off';
    expect(of('match:\n  - expect: {map: /./}\n  - not: {report: {rule: x}}\n').message).toBe(
      `E_EXPECTATION: m.yaml:5:5, match[1]: ${text}`,
    );
    expect(of(`outcome: {kind: booted}\nsuppress:\n${known}`).message).toBe(
      `E_EXPECTATION: m.yaml:5:3, suppress: ${text}`,
    );
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { goldenName, goldenText } from '../../../src/analysis/matrix/golden.js';
import type { MatrixRow } from '../../../src/analysis/matrix/report.js';
import { readExpectation, type MatchExpectation } from '../../../src/check/expectation.js';
import { patternText } from '../../../src/check/pattern.js';
import { initrdRow, row } from './reports.js';

/** The expectations in a row's file, as parsed by `check`. */
function goldenOf(given: MatrixRow): MatchExpectation {
  const expectation = readExpectation('golden.yaml', goldenText(given));
  if (expectation.expect !== 'match') throw new Error('not a match file');
  return expectation;
}
const texts = (pattern: MatchExpectation['outcome']): Record<string, string> =>
  Object.fromEntries(Object.entries(pattern ?? {}).map(([name, p]) => [name, patternText(p)]));
const event = { map: '0x1000..0x1fff', C: 1, in: '__early_ioremap', hunk: '07/ioremap', n: 3 };
type Difference = NonNullable<MatrixRow['difference']>;
const differing = (changes: Partial<Difference> = {}): MatrixRow =>
  initrdRow({
    difference: { step: 'reserve_initrd', change: 'changed', event, was: 'C 0 → 1', ...changes },
  });

describe('the match file of a row', () => {
  test('is named after its hunk', () => {
    expect(goldenName(initrdRow())).toBe('09-initrd.yaml');
  });

  test('has the file and the settings of its scenario', () => {
    const set = ['machine.ram=256MiB', 'cmdline=a=b c', 'machine.cpus=2'];
    const text = goldenText(initrdRow(), { scenario: './my own.yaml', set });
    const fixed = goldenText(initrdRow(), { series: 'my/fixed.yaml' });
    expect(readExpectation('golden.yaml', fixed)).toMatchObject({
      run: { series: 'my/fixed.yaml', without: ['09/initrd'] },
    });
    expect(fixed).not.toContain('stage');
    const expectation = readExpectation('golden.yaml', text);
    expect(expectation).toMatchObject({
      run: {
        scenario: './my own.yaml',
        set: { 'machine.ram': '256MiB', cmdline: 'a=b c', 'machine.cpus': '2' },
      },
    });
  });

  test('has the run, and the cause in a comment', () => {
    expect(goldenOf(initrdRow()).run).toEqual({
      scenario: 'bios-minimal',
      stage: 18,
      without: ['09/initrd'],
    });
    expect(goldenOf(initrdRow({ how: 'stub' })).run.stub).toBe(true);
    const [first, second] = goldenText(initrdRow()).split('\n');
    expect(first).toBe(`# Without: ${initrdRow().what}.`);
    expect(second).toBe(`# ${initrdRow().cause}.`);
  });

  test('expects the outcome, and the wrong read with its reader', () => {
    const { outcome, consumed, directives } = goldenOf(initrdRow());
    expect(texts(outcome)).toEqual({ ...initrdRow().outcome });
    expect(consumed.map(([name, pattern]) => [name, texts(pattern)])).toEqual([
      ['initrd', { by: 'unpack_to_rootfs', intact: 'false' }],
    ]);
    expect(directives).toEqual([]);
  });

  test.each(['added', 'changed'] as const)(
    'expects the event that was %s in its step',
    (change) => {
      const [directive, ...more] = goldenOf(differing({ change })).directives;
      expect(more).toEqual([]);
      expect(directive).toMatchObject({ kind: 'expect', step: 'reserve_initrd' });
      expect(directive?.patterns.map(texts)).toEqual([
        { map: '0x1000..0x1fff', C: '1', in: '__early_ioremap' },
      ]);
    },
  );

  test('expects no event that equals the missing one', () => {
    const [directive] = goldenOf(differing({ change: 'gone' })).directives;
    expect(directive).toMatchObject({ kind: 'count', step: 'reserve_initrd' });
    expect(directive).toMatchObject({ times: { min: 0, max: 0 } });
  });

  test('escapes slashes and dollars at the beginning of a value', () => {
    const given = differing({ event: { enter: '$a', in: '/init', what: '/x/' } });
    const wrong = { name: 'user file page', reader: '/init' };
    const { directives, consumed, outcome } = goldenOf({
      ...given,
      wrong,
      outcome: { kind: 'panic', where: '/init', message: '$1 lost' },
    });
    for (const patterns of [directives[0]?.patterns ?? [], consumed.map(([, p]) => p)]) {
      const values = patterns.flatMap((pattern) => Object.values(pattern));
      expect(values.map(({ is }) => is)).toEqual(values.map(() => 'literal'));
    }
    expect(directives[0]?.patterns.map(texts)).toEqual([{ enter: '$a', in: '/init', what: '/x/' }]);
    expect(texts(consumed[0]?.[1])).toEqual({ by: '/init', intact: 'false' });
    expect(texts(outcome)).toEqual({ kind: 'panic', where: '/init', message: '$1 lost' });
  });

  test('expects each text of the outcome literally', () => {
    const odd = fc.constantFrom(
      ...[
        '0x10',
        '1e3',
        'true',
        'null',
        '~',
        '-',
        '.5',
        '.inf',
        '---',
        '...',
        '/',
        '//',
        '$',
        'no',
      ],
    );
    // Patterns cannot express a text that begins with an escaped slash or dollar.
    const text = fc
      .oneof(odd, fc.string({ unit: 'grapheme' }))
      .filter((each) => !/^\\[/$]/.test(each));
    fc.assert(
      fc.property(text, text, text, (where, message, name) => {
        fc.pre(name !== '__proto__');
        const { outcome, consumed } = goldenOf(
          row({ outcome: { kind: 'hung', where, message }, wrong: { name, reader: where } }),
        );
        expect(texts(outcome)).toEqual({ kind: 'hung', where, message });
        expect(consumed.map(([found, p]) => [found, texts(p).by])).toEqual([[name, where]]);
      }),
    );
  });
});

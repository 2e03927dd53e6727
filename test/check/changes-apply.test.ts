import { describe, expect, test } from '@jest/globals';
import { applyChanges, baseOf, isDifference, type Applied } from '../../src/check/changes-apply.js';
import type { Trace } from '../../src/trace/trace.js';
import { readYaml } from '../../src/base/yaml-source.js';
import { refusal, smallTrace, traceWith } from '../trace/helpers.js';

const BASE: Trace = traceWith({
  startup_64: [
    { cpuid: '0x0', eax: '0xd', in: 'verify_cpu' },
    { map: '0x0..0xfff', C: 0, in: 'startup_64', patch: 3 },
    { enter: 'sme_enable', in: 'sme_enable' },
  ],
  setup_arch: [{ console: 'x', in: 'printk' }],
});

/** What a file with these changes, as YAML in a line, makes of the base. */
function apply(changes: string, base = BASE): Applied {
  return applyChanges(
    base,
    readYaml('t.yaml', `expect: exact\nbase: b.yaml\nchanges: ${changes}\n`),
  );
}
const inStep = (edits: string): string => `{steps: [{step: startup_64, events: [${edits}]}]}`;

describe('a file of changes', () => {
  test('is an exact trace with a base, and says which', () => {
    const source = (text: string) => readYaml('t.yaml', text);
    expect(isDifference(source('{expect: exact, base: b.yaml, changes: {}}'))).toBe(true);
    expect(isDifference(source('{expect: exact, trace: {}}'))).toBe(false);
    expect(isDifference(source('{expect: match, base: b.yaml}'))).toBe(false);
    expect(baseOf(source('{expect: exact, base: b.yaml, changes: {}}'))).toBe('b.yaml');
  });

  test('without changes is the base', () => {
    expect(apply('{}')).toEqual({ trace: BASE, misfits: [] });
  });

  test('gives fields new values, adds some and takes some away', () => {
    const { trace } = apply(
      inStep('{change: {map: 0x0..0xfff}, to: {C: 1, type: WB, patch: null}}'),
    );
    expect(trace.steps[0]?.events[1]).toEqual({
      map: '0x0..0xfff',
      C: 1,
      type: 'WB',
      in: 'startup_64',
    });
  });

  test('leaves the steps that it does not name as they are', () => {
    const { trace } = apply(inStep('{drop: {enter: sme_enable}}'));
    expect(trace.steps[1]).toBe(BASE.steps[1]);
    expect(trace.steps[0]?.events).toHaveLength(2);
  });

  test.each([
    [
      'an event',
      inStep('{drop: {map: 0x0..0x1fff, in: startup_64}}'),
      'changes.steps[0].events[0]',
      '{map: 0x0..0xfff, C: 0, in: startup_64, patch: 3}',
    ],
    [
      'an event that is before the place',
      inStep('{after: {enter: sme_enable}}, {drop: {cpuid: 0x0}}'),
      'changes.steps[0].events[1]',
      'none like it',
    ],
    [
      'as many events',
      inStep('{drop: {cpuid: 0x0}, nth: 2}'),
      'changes.steps[0].events[0]',
      '{cpuid: 0x0, eax: 0xd',
    ],
    ['a step', '{steps: [{drop: run_init}]}', 'changes.steps[0]', 'none like it'],
    [
      'a name',
      '{header: {overlay: [{after: sme_memcpy}]}}',
      'changes.header.overlay[0]',
      'none like it',
    ],
    [
      'a region',
      '{final: {regions: [{drop: {name: bios}}]}}',
      'changes.final.regions[0]',
      'none like it',
    ],
    [
      'a consumed thing',
      '{consumed: [{drop: {name: initrd, by: me}}]}',
      'changes.consumed[0]',
      'name: initrd',
    ],
  ])(
    'that names %s which the base does not have is applied without that, and says so',
    (_what, changes, path, found) => {
      const { trace, misfits } = apply(changes);
      expect(trace).toEqual(BASE);
      expect(misfits).toHaveLength(1);
      expect(misfits[0]).toMatchObject({ code: 'E_APPLY', place: { file: 't.yaml', path } });
      expect(misfits[0]?.place.line).toBe(3);
      expect(misfits[0]?.found).toContain(found);
    },
  );

  test('whose composition does not fit the base is refused: it would be another run', () => {
    expect(refusal(() => apply('{header: {with: [{drop: 09/flush-tlb}]}}'))).toMatchObject({
      code: 'E_APPLY',
      place: { path: 'changes.header.with[0]' },
    });
  });

  test.each([
    ['an unknown key', '{stepz: []}', 'E_CHANGES', /unknown key "stepz"/],
    [
      'an unknown edit',
      inStep('{move: {cpuid: 0x0}}'),
      'E_CHANGES',
      /changes\.steps\[0\]\.events\[0\]/,
    ],
    ['a key without a field', inStep('{drop: {}}'), 'E_CHANGES', /at least one field/],
    ['an nth that is the first', inStep('{drop: {cpuid: 0x0}, nth: 1}'), 'E_CHANGES', /nth/],
    [
      'a new event of no kind',
      inStep('{add: {in: f}}'),
      'E_TRACE',
      /events\[0\]\.add: expected an event/,
    ],
    [
      'a new event with a field of another',
      inStep('{add: {cpuid: 0x0, va: 0x0}}'),
      'E_TRACE',
      /unknown key "va"/,
    ],
    [
      'a field that the kind does not have',
      inStep('{change: {cpuid: 0x0}, to: {va: 0x0}}'),
      'E_CHANGES',
      /to\.?.*unknown key "va"/,
    ],
    [
      'a value that the field cannot have',
      inStep('{change: {cpuid: 0x0}, to: {patch: none}}'),
      'E_CHANGES',
      /to\.patch/,
    ],
    [
      'no kind left',
      inStep('{change: {cpuid: 0x0}, to: {cpuid: null}}'),
      'E_CHANGES',
      /keeps its kind/,
    ],
    [
      'a label twice',
      '{steps: [{add: {label: setup_arch, events: []}}]}',
      'E_TRACE',
      /setup_arch again/,
    ],
    ['no event left', '{steps: [{drop-rest: true}]}', 'E_TRACE', /empty trace/],
    ['no option left', '{header: {optionsNotModelled: []}}', 'E_CHANGES', /an option, or null/],
  ])('with %s is refused with its place', (_what, changes, code, message) => {
    const error = refusal(() => apply(changes));
    expect(error.code).toBe(code);
    expect(error.place).toMatchObject({ file: 't.yaml', line: 3 });
    expect(error.message).toMatch(message);
  });

  test('holds for a base that is otherwise somewhere else', () => {
    const changes = inStep('{change: {map: 0x0..0xfff}, to: {C: 1}}, {add: {rdmsr: SYSCFG}}');
    const [first, ...others] = BASE.steps;
    const events = [{ enter: 'new' }, ...(first?.events ?? [])];
    const other: Trace = { ...BASE, steps: [{ label: 'startup_64', events }, ...others] };
    const { trace, misfits } = apply(changes, other);
    expect(misfits).toEqual([]);
    expect(trace.steps[0]?.events.map((event) => Object.keys(event)[0])).toEqual([
      ...['enter', 'cpuid', 'map', 'rdmsr', 'enter'],
    ]);
  });

  test('keeps the end of a trace that has no screen, an empty one and a filled one apart', () => {
    const { screen: _none, ...final } = smallTrace().final;
    const screens = [undefined, [], ['a']];
    const made = ['{}', '{final: {screen: []}}', '{final: {screen: [{add: a}]}}'].map(
      (changes) => apply(changes, { ...BASE, final }).trace.final.screen,
    );
    expect(made).toEqual(screens);
    const filled: Trace = { ...BASE, final: { ...final, screen: ['a'] } };
    expect(apply('{final: {screen: null}}', filled).trace.final).toEqual(final);
  });
});

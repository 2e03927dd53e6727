import { describe, expect, test } from '@jest/globals';
import { applyChanges, baseOf, isDifference, type Applied } from '../../src/check/changes-apply.js';
import { changesOf } from '../../src/check/changes-of.js';
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

/** The result of a file with these changes, as YAML on one line, applied to the base. */
function apply(changes: string, base = BASE): Applied {
  return applyChanges(
    base,
    readYaml('t.yaml', `expect: exact\nbase: b.yaml\nchanges: ${changes}\n`),
  );
}
const inStep = (edits: string): string => `{steps: [{step: startup_64, events: [${edits}]}]}`;

describe('a file of changes', () => {
  test('is an exact trace with the path of its base', () => {
    const source = (text: string) => readYaml('t.yaml', text);
    expect(isDifference(source('{expect: exact, base: b.yaml, changes: {}}'))).toBe(true);
    expect(isDifference(source('{expect: exact, trace: {}}'))).toBe(false);
    expect(isDifference(source('{expect: match, base: b.yaml}'))).toBe(false);
    expect(baseOf(source('{expect: exact, base: b.yaml, changes: {}}'))).toBe('b.yaml');
  });

  test('without changes is the base', () => {
    expect(apply('{}')).toEqual({ trace: BASE, misfits: [] });
  });

  test('changes, adds and removes fields of an event', () => {
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

  test('does not change the steps that it does not name', () => {
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
      'an event that is before the edit',
      inStep('{after: {enter: sme_enable}}, {drop: {cpuid: 0x0}}'),
      'changes.steps[0].events[1]',
      'none similar',
    ],
    [
      'as many events',
      inStep('{drop: {cpuid: 0x0}, nth: 2}'),
      'changes.steps[0].events[0]',
      '{cpuid: 0x0, eax: 0xd',
    ],
    ['a step', '{steps: [{drop: run_init}]}', 'changes.steps[0]', 'none similar'],
    [
      'a name',
      '{header: {overlay: [{after: sme_memcpy}]}}',
      'changes.header.overlay[0]',
      'none similar',
    ],
    [
      'a region',
      '{final: {regions: [{drop: {name: bios}}]}}',
      'changes.final.regions[0]',
      'none similar',
    ],
    [
      'a report',
      '{reports: [{drop: {rule: stale-translation}}]}',
      'changes.reports[0]',
      'none similar',
    ],
    [
      'a consumed entry',
      '{consumed: [{drop: {name: initrd, by: me}}]}',
      'changes.consumed[0]',
      'name: initrd',
    ],
  ])(
    'that names %s which the base does not have is applied without that edit, and reports it',
    (_what, changes, path, found) => {
      const { trace, misfits } = apply(changes);
      expect(trace).toEqual(BASE);
      expect(misfits).toHaveLength(1);
      expect(misfits[0]).toMatchObject({ code: 'E_APPLY', place: { file: 't.yaml', path } });
      expect(misfits[0]?.place.line).toBe(3);
      expect(misfits[0]?.found).toContain(found);
    },
  );

  test('have no version: that of the base is of the program that wrote the base', () => {
    const base = { ...BASE, header: { ...BASE.header, version: '9.9.9' } };
    expect(apply('{}', base).trace.header).toEqual(BASE.header);
    expect(changesOf(BASE, base)).toEqual({});
  });

  test('whose hunk selection does not apply to the base is refused: it would be another run', () => {
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
      'a new event without a kind',
      inStep('{add: {in: f}}'),
      'E_TRACE',
      /events\[0\]\.add: expected an event/,
    ],
    [
      'a new event with a field of another kind',
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
      'an invalid value of a field',
      inStep('{change: {cpuid: 0x0}, to: {patch: none}}'),
      'E_CHANGES',
      /to\.patch/,
    ],
    [
      'no kind left',
      inStep('{change: {cpuid: 0x0}, to: {cpuid: null}}'),
      'E_CHANGES',
      /kind of an event cannot change/,
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

  test('applies to a base that differs where no edit is', () => {
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

  test('distinguishes no screen, an empty screen and a filled one', () => {
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

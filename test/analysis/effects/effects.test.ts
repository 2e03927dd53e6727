import { describe, expect, test } from '@jest/globals';
import {
  effectBetween,
  outcomeText,
  scriptEffects,
} from '../../../src/analysis/effects/effects.js';
import {
  effectsOf,
  printEffects,
  showsIn,
  viewShows,
  type Effects,
} from '../../../src/analysis/effects/form.js';
import { effectsOn, viewPlans, type EffectSources } from '../../../src/analysis/effects/plan.js';
import { effectsDifferences, effectsText } from '../../../src/analysis/effects/text.js';
import type { HunkSelection } from '../../../src/series/compose.js';
import { withReports, type Trace, type TraceEvent } from '../../../src/trace/trace.js';
import { readYaml } from '../../../src/base/yaml-source.js';
import { FULL_REPORT, HEADER, refusal, REPORT, traceWith } from '../../trace/helpers.js';

const MAP: TraceEvent = {
  map: '0x1000..0x1fff',
  pa: '0x5000..0x5fff',
  C: 0,
  in: 'map',
  file: 'm.c',
};
const ENTER: TraceEvent = { enter: 'f', in: 'f', file: 'f.c' };
const base = traceWith({ start: [MAP, ENTER] });
const withEvents = (...events: TraceEvent[]): Trace => traceWith({ start: events });
/** The one step of a patch's effect. */
const stepOf = (before: Trace, after: Trace, patch = 9): unknown =>
  effectBetween(patch, before, after).steps;

describe('the effect between two traces', () => {
  test('is empty for equal boots with different headers', () => {
    const other = { ...base, header: { ...HEADER, stage: 12, overlay: [] } };
    expect(effectBetween(9, base, other)).toEqual({});
    expect(viewShows({})).toBe(false);
  });

  test('has a changed outcome', () => {
    const after: Trace = { ...base, outcome: { kind: 'booted', where: 'run_init' } };
    expect(effectBetween(9, base, after)).toMatchObject({
      outcome: { before: 'panic in panic: VFS: Unable to mount root fs', after: 'booted' },
    });
    expect(outcomeText({ kind: 'hung' })).toBe('hung');
  });

  test('has reports that came and went, by rule, which show as an effect', () => {
    const step = { step: 'start' };
    const before = withReports(base, [{ ...REPORT, ...step }]);
    const after = withReports(base, [
      { ...FULL_REPORT, ...step },
      { ...REPORT, ...step, n: 2 },
    ]);
    const view = effectBetween(9, before, after);
    expect(view.reports).toEqual([
      { rule: 'mixed-key-line', added: 1, at: ['sme_workarea'] },
      { rule: 'wrong-key-read', changed: 1, at: ['initrd'] },
    ]);
    expect(viewShows(view)).toBe(true);
    const effects = {
      expect: 'effects',
      patch: 9,
      scenario: 'plain',
      views: { stage: view },
    } as const;
    const printed = printEffects(effects);
    expect(printed).toContain(
      '    reports:\n      - {rule: mixed-key-line, added: 1, at: [sme_workarea]}\n',
    );
    expect(effectsOf(readYaml('e.yaml', printed))).toEqual(effects);
    expect(effectsText(effects)).toContain(
      '    reports of mixed-key-line: 1 came (sme_workarea)\n    reports of wrong-key-read: 1 changed (initrd)\n',
    );
    const other = { ...effects, views: { stage: { ...view, reports: view.reports?.slice(1) } } };
    expect(effectsDifferences(effects, other)).toContain(
      'stage.reports.mixed-key-line.added: expected 1, found (none)',
    );
    expect(effectBetween(9, base, withReports(base, []))).toEqual({});
  });

  test('has data read differently, data read now and data no longer read', () => {
    const row = (name: string, intact: boolean): Trace['consumed'][number] => ({
      name,
      by: 'f',
      intact,
    });
    const before = { ...base, consumed: [row('initrd', false), row('a', true), row('b', false)] };
    const after = { ...base, consumed: [row('initrd', true), row('c', true), row('d', false)] };
    expect(effectBetween(9, before, after)).toMatchObject({
      consumed: [{ name: 'initrd', by: 'f', before: 'garbage', after: 'intact' }],
      readNow: { intact: ['c'], garbage: ['d'] },
      readNoMore: { intact: ['a'], garbage: ['b'] },
    });
  });

  test('has the changed state of a region; changed bytes only change the digest', () => {
    const [region] = base.final.regions;
    if (region === undefined) throw new Error('no region');
    const final = (change: object): Trace => ({
      ...base,
      final: { regions: [{ ...region, ...change }] },
    });
    expect(effectBetween(9, base, final({ state: 'plaintext' })).regions).toEqual([
      { name: 'initrd', before: 'ciphertext', after: 'plaintext' },
    ]);
    expect(effectBetween(9, { ...base, final: { regions: [] } }, base).regions).toEqual([
      { name: 'initrd', before: 'none', after: 'ciphertext' },
    ]);
    const bytes = effectBetween(9, base, final({ digest: 'cafe' }));
    expect(Object.keys(bytes)).toEqual(['digest']);
    expect(viewShows(bytes)).toBe(false);
    expect(bytes.digest).not.toBe(effectBetween(9, base, final({ digest: 'f00d' })).digest);
  });

  test('counts differing lines of the screen', () => {
    const screen = (...lines: string[]): Trace => ({
      ...base,
      final: { ...base.final, screen: lines },
    });
    expect(effectBetween(9, screen('a', 'b'), screen('a', 'c', 'd')).screen).toBe(2);
    expect(effectBetween(9, base, screen('a')).screen).toBe(1);
  });

  test('counts events added, removed and changed', () => {
    const after = withEvents(
      { ...MAP, C: 1 },
      { wrmsr: 'SYSCFG', value: '0x1', in: 'g', file: 'g.c' },
    );
    expect(stepOf(base, after)).toEqual([
      {
        label: 'start',
        events: { added: 1, gone: 1, changed: 1 },
        examples: [
          '~ {map: 0x1000..0x1fff, pa: 0x5000..0x5fff, in: map} C: 0 → 1',
          '- {enter: f, in: f}',
          '+ {wrmsr: SYSCFG, value: 0x1, in: g}',
        ],
      },
    ]);
  });

  test.each([
    ['elsewhere', { ...MAP, map: '0x3000..0x3fff', pa: '0x8000..0x8fff' }, { moved: 1 }],
    ['of another patch', { ...MAP, patch: 9, hunk: '09/initrd' }, { credited: 1 }],
  ])('shows no effect if an event differs only in %s', (_title, event, events) => {
    const view = effectBetween(9, base, withEvents(event, ENTER));
    expect(view.steps).toEqual([{ label: 'start', events }]);
    expect(viewShows(view)).toBe(false);
  });

  test.each([
    ['a range is longer', { map: '0x1000..0x2fff' }],
    ['an address has another symbol', { pa: '0x5000..0x5fff initrd' }],
    ['its count differs', { n: 3 }],
  ])('shows an effect if %s', (_title, change) => {
    const view = effectBetween(9, base, withEvents({ ...MAP, ...change }, ENTER));
    expect(view.steps).toMatchObject([{ events: { changed: 1 } }]);
    expect(viewShows(view)).toBe(true);
  });

  test('prefers examples of the patch itself, then those of the C-bit and of failures, then the first', () => {
    const event = (text: string): TraceEvent => ({ console: text, in: text, file: 'c.c' });
    const own: TraceEvent = { ...event('own'), patch: 9, hunk: '09/initrd' };
    const fault: TraceEvent = { fault: '#UD', in: 'x', file: 'x.c' };
    const after = withEvents(MAP, ENTER, event('one'), event('two'), event('three'), fault, own);
    expect(stepOf(base, after)).toMatchObject([
      {
        events: { added: 5 },
        examples: [
          '+ {console: one, in: one}',
          "+ {fault: '#UD', in: x}",
          '+ {console: own, in: own, hunk: 09/initrd}',
        ],
      },
    ]);
  });

  test('lists similar events once, and truncates long lines', () => {
    const more = (text: string): TraceEvent => ({
      fill: '0x9000..0x9fff',
      value: text,
      in: 'g',
      file: 'g.c',
    });
    const before = traceWith({ one: [ENTER], two: [ENTER] });
    const after = traceWith({ one: [ENTER, more('x'.repeat(999))], two: [ENTER, more('y')] });
    const [one, two] = effectBetween(9, before, after).steps ?? [];
    expect(one?.examples).toHaveLength(1);
    expect(one?.examples?.[0]).toMatch(/^\+ .{237}…$/);
    expect(two).toEqual({ label: 'two', events: { added: 1 } });
  });

  test('groups adjacent steps that only one side has', () => {
    const further = traceWith({ start: [MAP, ENTER], two: [ENTER], three: [], four: [ENTER] });
    const step = {
      label: 'two',
      to: 'four',
      events: { added: 2 },
      examples: ['+ {enter: f, in: f}'],
    };
    expect(stepOf(base, further)).toEqual([{ ...step, step: 'added' }]);
    expect(stepOf(further, base)).toMatchObject([{ label: 'two', to: 'four', step: 'gone' }]);
    const empty = traceWith({ start: [MAP, ENTER], two: [] });
    expect(viewShows(effectBetween(9, base, empty))).toBe(true);
  });

  test('is deterministic', () => {
    const after = withEvents({ ...MAP, C: 1 }, ENTER);
    expect(effectBetween(9, base, after)).toEqual(effectBetween(9, base, after));
  });
});

test('results of call scripts are compared field by field', () => {
  const answers = [
    { probe: 'wp', before: { type: 'UC', C: 0 }, after: { type: 'WP', C: 0, n: 1 } },
  ];
  expect(scriptEffects(answers)).toEqual([
    { probe: 'wp', field: 'type', before: 'UC', after: 'WP' },
    { probe: 'wp', field: 'n', after: 1 },
  ]);
});

describe('the two kernels of each view', () => {
  test('are adjacent stages', () => {
    expect(viewPlans(9).stage).toEqual({
      before: { stage: 8, activate: false },
      after: { stage: 9, activate: false },
    });
  });

  test.each([
    [6, /^stage 5 does not link with patch 18 on top: 18 needs sme_enable from 06$/],
    [18, /stage view/],
  ])('do not exist for the activated view of patch %i, with the reason', (patch, why) => {
    expect(viewPlans(patch).activated).toEqual({ none: expect.stringMatching(why) });
  });

  test('leave a patch out if nothing needs its names, else replace it by stubs', () => {
    expect(viewPlans(12).without).toMatchObject({ how: 'removed', before: { without: ['12'] } });
    expect(viewPlans(8).without).toMatchObject({ how: 'stub', before: { stub: true } });
    expect(viewPlans(18).without).toEqual({ none: expect.stringMatching(/is stage 17/) });
  });
});

const SAME: EffectSources = { traceOf: () => base };
/** A patch that adds an event to every kernel that has it. */
const sources = (patch: number): EffectSources => ({
  traceOf: ({ stage, without = [] }: HunkSelection) =>
    stage >= patch && without.length === 0
      ? withEvents(MAP, ENTER, { ...ENTER, enter: 'g' })
      : base,
});

describe('the effects of a patch', () => {
  test('are those of all its views; a reason is dropped if a view shows an effect', () => {
    const found = effectsOn(9, 'mine', sources(9), { reason: 'it cannot be seen' });
    expect(showsIn(found.views)).toEqual(['stage', 'activated', 'without']);
    expect(found).not.toHaveProperty('reason');
    expect(found.views).not.toHaveProperty('probes');
    expect(effectsOn(9, 'mine', SAME, { reason: 'it cannot be seen' }).reason).toBe(
      'it cannot be seen',
    );
  });

  test('are those of the selected views', () => {
    const { views } = effectsOn(9, 'mine', sources(9), { views: ['without'] });
    expect(Object.keys(views)).toEqual(['without']);
    expect(views.without).toMatchObject({ how: 'removed' });
  });

  test('include results of call scripts if a function that provides them is given', () => {
    const scriptsOf = (): { probe: string; before: number; after: number }[] => [
      { probe: 'mask', before: 0, after: 47 },
    ];
    const { views } = effectsOn(3, 'mine', { ...SAME, scriptsOf });
    expect(showsIn(views)).toEqual(['probes']);
    expect(effectsText(effectsOn(3, 'mine', { ...SAME, scriptsOf }))).toContain('mask: 0 → 47');
  });
});

describe('a file of effects', () => {
  const read = (text: string): Effects => effectsOf(readYaml('09.yaml', text));
  const HEAD = 'expect: effects\npatch: 9\nscenario: mine\n';

  test('is parsed back to the printed effects', () => {
    const found = effectsOn(9, 'mine', sources(9));
    expect(read(printEffects(found))).toEqual(found);
    expect(printEffects(read(printEffects(found)))).toBe(printEffects(found));
    const unseen = effectsOn(9, 'mine', SAME, { reason: 'it cannot be seen' });
    expect(read(printEffects(unseen))).toEqual(unseen);
  });

  test.each([
    [
      'has no reason although no view shows an effect',
      `${HEAD}views: {}\n`,
      /reason.*needs a reason/,
    ],
    [
      'has a reason although a view shows an effect',
      `${HEAD}reason: x\nviews: {stage: {screen: 1}}\n`,
      /reason.*shows in stage/,
    ],
    ['has an unknown view', `${HEAD}views: {stages: {}}\n`, /unknown key "stages"/],
    [
      'has an unknown key in a view',
      `${HEAD}views: {stage: {screens: 1}}\n`,
      /unknown key "screens"/,
    ],
    [
      'has a patch number beyond the series',
      'expect: effects\npatch: 19\nscenario: a\nviews: {}\n',
      /patch.*from 1 to 18/,
    ],
    [
      'has more than three examples',
      `${HEAD}views: {stage: {steps: [{label: a, examples: [a, b, c, d]}]}}\n`,
      /examples.*at most 3/,
    ],
  ])('that %s is refused', (_title, text, message) => {
    const error = refusal(() => read(text));
    expect(error.code).toBe('E_EFFECTS');
    expect(error.message).toMatch(message);
  });

  test('that no longer holds lists the differences by name', () => {
    const expected = effectsOn(9, 'mine', sources(9));
    expect(effectsDifferences(expected, expected)).toEqual([]);
    const lines = effectsDifferences(expected, effectsOn(9, 'mine', SAME));
    expect(lines).toContain('stage.steps.start.events.added: expected 1, found (none)');
    expect(lines.at(-1)).toBe('the patch shows in no view now');
  });
});

test('effectsText prints each view, what it compares and the command for the full difference', () => {
  const found = effectsOn(8, 'mine', sources(8));
  const text = effectsText(found, { subject: 'x86: Early', commandOf: (view) => `diff ${view}` });
  expect(text).toContain(
    '08 x86: Early, on mine\n  stage: stage 7 → stage 8\n    start: 1 added\n',
  );
  expect(text).toContain('      + {enter: g, in: f}\n    full difference: diff stage\n');
  expect(text).toContain(
    'without patch 8 (replaced by stubs, since others need its names) → the series',
  );
  const unseen = effectsText(effectsOn(5, 'mine', SAME, { reason: 'so it is' }));
  expect(unseen).toContain(
    'activated: stage 4 → stage 5, patch 18 on top of both\n    stage 4 does not link',
  );
  expect(unseen).toContain('    no difference\n');
  expect(unseen).toContain('shows in no view: so it is');
  expect(effectsText(effectsOn(5, 'mine', SAME, { views: ['probes'] }))).toContain('no such view');
});

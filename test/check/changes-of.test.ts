import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyChanges } from '../../src/check/changes-apply.js';
import { changesOf } from '../../src/check/changes-of.js';
import { printChanges } from '../../src/check/changes-out.js';
import type { SanitizerReport } from '../../src/trace/report.js';
import { withReports, type Trace } from '../../src/trace/trace.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { readYaml } from '../../src/base/yaml-source.js';
import { exhaustiveTest } from '../cases.js';
import {
  anyReport,
  anyTrace,
  FULL_REPORT,
  HEADER,
  refusal,
  REPORT,
  reported,
  smallTrace,
  traceWith,
} from '../trace/helpers.js';

/** The file of a trace as its difference from a base. */
const fileOf = (base: Trace, trace: Trace): string =>
  printChanges('base.yaml', changesOf(base, trace));

/** The trace of a file applied to a base; misfits fail the test. */
function made(base: Trace, text: string): Trace {
  const { trace, misfits } = applyChanges(base, readYaml('t.yaml', text));
  expect(misfits).toEqual([]);
  return trace;
}

/** An arbitrary end of a trace: consumed entries, regions, a screen, an outcome. */
const anyEnd = fc.record({
  consumed: fc.array(
    fc.record(
      {
        name: fc.constantFrom('initrd', 'boot params'),
        by: fc.constantFrom('f', 'g'),
        intact: fc.boolean(),
        firstDifference: fc.nat(3),
      },
      { requiredKeys: ['name', 'by', 'intact'], noNullPrototype: true },
    ),
    { maxLength: 4 },
  ),
  regions: fc.array(
    fc.record(
      {
        name: fc.constantFrom('kernel text', 'initrd', 'trampoline'),
        pa: fc.constantFrom('0x0..0xfff', '0x1000'),
        bytes: fc.nat(2),
        state: fc.constantFrom('plaintext' as const, 'ciphertext' as const),
        digest: fc.constantFrom('00', '1e3'),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 5 },
  ),
  screen: fc.option(fc.array(fc.constantFrom('', 'a', 'b', '  x'), { maxLength: 4 }), {
    nil: undefined,
  }),
  where: fc.option(fc.string(), { nil: undefined }),
  names: fc.array(fc.constantFrom('x', 'y', 'drop', 'add'), { maxLength: 4 }),
  options: fc.option(
    fc.array(fc.constantFrom('quiet', 'nokaslr'), { minLength: 1, maxLength: 3 }),
    { nil: undefined },
  ),
  stub: fc.option(fc.boolean(), { nil: undefined }),
  cache: fc.option(
    fc.record(
      { size: fc.nat(9), writeBack: fc.constantFrom('c0-last', 'seeded') },
      {
        requiredKeys: [],
        noNullPrototype: true,
      },
    ),
    { nil: undefined },
  ),
});

type End = typeof anyEnd extends fc.Arbitrary<infer T> ? T : never;

/** Some reports about the steps of a trace; undefined: the sanitizer was off. */
const reportsFor = ({ steps }: Trace): fc.Arbitrary<SanitizerReport[] | undefined> =>
  fc.option(fc.array(anyReport(steps.map(({ label }) => label)), { maxLength: 4 }), {
    nil: undefined,
  });

/** The trace with this end. */
const ended = (trace: Trace, end: End): Trace => ({
  ...trace,
  header: {
    ...trace.header,
    overlay: end.names,
    without: end.names.slice(1),
    ...(end.stub !== undefined && { stub: end.stub }),
    ...(end.cache !== undefined && { cache: end.cache }),
    ...(end.options !== undefined && { optionsNotModelled: end.options }),
  },
  consumed: end.consumed,
  final: { regions: end.regions, ...(end.screen !== undefined && { screen: end.screen }) },
  outcome: { kind: 'hung', ...(end.where !== undefined && { where: end.where }) },
});

const whole = anyTrace
  .chain((trace) => fc.tuple(fc.constant(trace), anyEnd, reportsFor(trace)))
  .map(([trace, end, reports]) => withReports(ended(trace, end), reports));

/** A trace similar to another: some of its events are missing, doubled or in another order. */
const nearly = (trace: Trace): fc.Arbitrary<Trace> =>
  fc
    .tuple(...trace.steps.map(({ events }) => fc.shuffledSubarray([...events, ...events])))
    .map((lists) => ({
      ...trace,
      steps: trace.steps.map((step, index) => ({
        ...step,
        events: [...step.events.slice(0, 1), ...(lists[index] ?? [])],
      })),
    }))
    .filter(({ steps }) => steps.some(({ events }) => events.length > 0));

describe('the difference of a trace from another', () => {
  exhaustiveTest('applied to any base gives the trace, byte for byte', () => {
    fc.assert(
      fc.property(whole, whole, (base, trace) => {
        expect(printTrace(made(base, fileOf(base, trace)))).toBe(printTrace(trace));
      }),
    );
  });

  test('applied to a similar base gives the trace, byte for byte', () => {
    const pair = whole.chain((trace) => fc.tuple(fc.constant(trace), nearly(trace)));
    fc.assert(
      fc.property(pair, ([base, trace]) => {
        expect(printTrace(made(base, fileOf(base, trace)))).toBe(printTrace(trace));
      }),
    );
  });

  exhaustiveTest('is written as the same bytes when it is computed again', () => {
    fc.assert(
      fc.property(whole, whole, (base, trace) => {
        const text = fileOf(base, trace);
        expect(fileOf(base, made(base, text))).toBe(text);
      }),
    );
  });

  test('has a setting with the name of a property of Object.prototype', () => {
    const withSettings = (settings: Trace['header']['settings']): Trace => ({
      ...smallTrace(),
      header: { ...HEADER, settings },
    });
    const [some, none] = [withSettings({ toString: 0 }), withSettings({})];
    expect(made(some, fileOf(some, none)).header.settings).toEqual({});
    expect(Object.entries(made(none, fileOf(none, some)).header.settings)).toEqual([
      ['toString', 0],
    ]);
  });

  test('names a report by its rule and place, and records only what differs', () => {
    const { earlier } = FULL_REPORT;
    const { n: _n, hunk: _hunk, ...less } = { ...FULL_REPORT, cpu: 3 };
    const trace = reported({ ...less, earlier: { ...earlier, C: 1 } }, REPORT);
    const text = fileOf(reported(FULL_REPORT), trace);
    expect(text).toContain(`  reports:
    - {change: {rule: mixed-key-line, at: 0x9000..0x903f sme_workarea}, to: {cpu: 3, n: null, hunk: null, earlier: {what: written, in: copy_bootdata, file: arch/x86/kernel/head64.c, patch: 9, hunk: 09/copy_bootdata, step: startup_64, C: 1}}}
    - {add: {rule: wrong-key-read, `);
    expect(made(reported(FULL_REPORT), text)).toEqual(trace);
    const none = reported();
    expect(fileOf(trace, none)).toContain('  reports:\n    - {drop-rest: true}\n');
    expect(made(trace, fileOf(trace, none))).toEqual(none);
  });

  test('says whether the sanitizer was on, and edits no reports where it was off', () => {
    const [on, off] = [reported(REPORT), smallTrace()];
    const head = 'expect: exact\nbase: base.yaml\nchanges:\n  header:\n    sanitize: ';
    expect(fileOf(on, off)).toBe(`${head}false\n`);
    expect(made(on, fileOf(on, off))).toEqual(off);
    expect(fileOf(off, on)).toContain(`${head}true\n  reports:\n    - {add: {rule: `);
    expect(made(off, fileOf(off, on))).toEqual(on);
    // As files before had it.
    expect(made(on, `${head}null\n`)).toEqual(off);
    const added = `${head}false\n${fileOf(off, on).split('sanitize: true\n')[1] ?? ''}`;
    expect(refusal(() => made(off, added)).message).toBe(
      'E_CHANGES: t.yaml:7:5, changes.reports: expected no report, since the header has sanitize: false, found 1 report',
    );
  });

  test('does not fit a base with reports about a step that it drops, unless it drops them too', () => {
    const base = reported(REPORT, FULL_REPORT);
    const step = '  steps:\n    - {drop: reserve_initrd}\n';
    const text = `expect: exact\nbase: base.yaml\nchanges:\n${step}`;
    const { trace, misfits } = applyChanges(base, readYaml('t.yaml', text));
    expect(trace.reports).toEqual([FULL_REPORT]);
    expect(misfits.map(({ message }) => message)).toEqual([
      'E_APPLY: t.yaml:4:3, changes.reports: the base has a report about a step that this trace does not have; expected an edit that drops it, found wrong-key-read in reserve_initrd',
    ]);
    const { steps } = trace;
    const short = { ...base, steps, reports: [FULL_REPORT] };
    expect(made(base, fileOf(base, short))).toEqual(short);
  });

  test('from itself is empty', () => {
    expect(changesOf(smallTrace(), smallTrace())).toEqual({});
    expect(fileOf(smallTrace(), smallTrace())).toBe(
      'expect: exact\nbase: base.yaml\nchanges: {}\n',
    );
  });

  test('has a line for each event that is dropped, added or changed, in its step', () => {
    const base = traceWith({
      startup_64: [
        { cpuid: '0x0', in: 'verify_cpu' },
        { map: '0x0..0xfff', pa: '0x1000', C: 0, in: 'startup_64' },
        { enter: 'sme_enable', in: 'sme_enable' },
      ],
      setup_arch: [{ console: 'x', in: 'printk' }],
      run_init: [{ enter: 'run_init', in: 'run_init' }],
    });
    const trace: Trace = {
      ...traceWith({
        startup_64: [
          { cpuid: '0x0', in: 'verify_cpu' },
          { map: '0x0..0xfff', pa: '0x1000', C: 1, in: 'startup_64' },
          { rdmsr: 'SYSCFG', in: 'sme_enable', patch: 18 },
        ],
        initrd: [{ read: 'initrd' }],
        setup_arch: [{ console: 'x', in: 'printk' }],
      }),
      header: {
        ...HEADER,
        stage: 9,
        overlay: ['sme_me_mask', 'sme_memcpy'],
        settings: { cpus: 1 },
      },
      outcome: { kind: 'booted', where: 'run_init' },
    };
    expect(fileOf(base, trace)).toBe(`expect: exact
base: base.yaml
changes:
  header:
    stage: 9
    settings:
      cache: null
      eager: null
    overlay:
      - {after: sme_me_mask}
      - {add: sme_memcpy}
  steps:
    - step: startup_64
      events:
        - {change: {map: 0x0..0xfff, in: startup_64}, to: {C: 1}}
        - {drop: {enter: sme_enable, in: sme_enable}}
        - {add: {rdmsr: SYSCFG, in: sme_enable, patch: 18}}
    - add:
        label: initrd
        events:
          - {read: initrd}
    - {drop: run_init}
  outcome:
    kind: booted
    where: run_init
    message: null
`);
  });
});

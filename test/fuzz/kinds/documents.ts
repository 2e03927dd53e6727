/** YAML and JSON files other than scenarios: traces, match files, differences, call scripts, series, matrix reports. */
import { parse } from 'yaml';
import { decodeUtf8 } from '../../../src/base/utf8.js';
import { readYaml } from '../../../src/base/yaml-source.js';
import { mergeReports, parseMatrix } from '../../../src/analysis/matrix/merge.js';
import { readScript } from '../../../src/analysis/calls/file.js';
import { expectationOf, readExpectation } from '../../../src/check/expectation.js';
import { matchText } from '../../../src/check/match-text.js';
import { match } from '../../../src/check/match.js';
import { readSuppressions, suppress } from '../../../src/check/suppressions.js';
import { RULE_IDS } from '../../../src/sanitizer/rules.js';
import { seriesOf } from '../../../src/series/series-file.js';
import type { Trace } from '../../../src/trace/trace.js';
import { parseTrace } from '../../../src/trace/yaml-in.js';
import { printTrace } from '../../../src/trace/yaml-out.js';
import { documents, type DataEdits } from '../data.js';
import { verify, verifySame, type Kind } from '../kind.js';
import { documentsIn, sampleText } from '../samples.js';

/** An expected trace, cut to some steps and events so that it is read fast. */
function shortTrace(): unknown {
  const full = parse(sampleText('traces/bios-minimal/stage-00.yaml')) as {
    steps: { label: string; events: unknown[] }[];
    final: { regions: unknown[]; screen?: unknown };
    consumed: unknown[];
  };
  return {
    ...full,
    steps: full.steps
      .filter((_step, index) => index % 8 === 1)
      .map((step) => ({ ...step, events: step.events.slice(0, 4) })),
    final: { ...full.final, regions: full.final.regions.slice(0, 3) },
    consumed: full.consumed.slice(0, 3),
  };
}
const SHORT = shortTrace();
const shortText = JSON.stringify(SHORT);

interface Plan {
  readonly name: string;
  readonly what: string;
  readonly bases: readonly unknown[];
  readonly edits?: DataEdits;
  readonly json?: boolean;
  /** Reads a text; `file` is its name. */
  readonly read: (text: string, file: string) => void;
}

function documentKind({ name, what, bases, edits = {}, json = false, read }: Plan): Kind {
  const file = `${name}.${json ? 'json' : 'yaml'}`;
  return {
    name,
    what,
    ext: json ? 'json' : 'yaml',
    inputs: 2000,
    share: 1,
    arbitrary: documents(bases, { changed: 4, mutated: 3, json, ...edits }),
    read(bytes) {
      read(decodeUtf8(file, bytes), file);
      return true;
    },
  };
}

const tracePlan: Plan = {
  name: 'trace',
  what: 'traces',
  bases: [SHORT],
  // A field of an event has few valid values.
  edits: { changed: 3, mutated: 3, most: 1 },
  read(text, file) {
    const trace = parseTrace(file, text);
    const printed = printTrace(trace);
    verify(
      printTrace(parseTrace(file, printed)) === printed,
      'printed and parsed again it prints differently',
    );
  },
};

const baseTrace = (): Trace => parseTrace('base.yaml', shortText);
let known: Trace | undefined;

const DIRECTIVES = [
  { expect: { console: '/./' } },
  { expect: { wrmsr: '$reg', value: '$value' } },
  { not: { encrypt: '/(?<name>.*)/' } },
  { next: { console: '/^e820/' } },
  { 'any-order': [{ console: '/a/' }, { console: '/b/' }] },
  { count: { console: '/./' }, times: 3 },
  { expect: { write: '/(a+)+$/', in: null }, step: 'startup_64' },
];
const RUN = { scenario: 'bios-minimal', stage: 18 };
const matchBases = [
  ...documentsIn('traces/match', 1500),
  ...DIRECTIVES.map((each) => ({ expect: 'match', run: RUN, match: [each] })),
  { expect: 'match', run: RUN, match: DIRECTIVES.slice(0, 4) },
  {
    expect: 'match',
    run: RUN,
    final: { initrd: { state: '/./' } },
    outcome: { kind: 'booted' },
    consumed: { initrd: { intact: true } },
  },
];

const matchPlan: Plan = {
  name: 'match',
  what: 'match files, matched against a trace',
  bases: matchBases,
  edits: { changed: 4, mutated: 3 },
  read(text, file) {
    const expectation = readExpectation(file, text);
    if (expectation.expect !== 'match') return;
    known ??= baseTrace();
    const result = match(expectation, known);
    verifySame(match(expectation, known), result, 'matched again');
    const told = matchText(result);
    verify(matchText(result) === told, 'told differently');
  },
};

const changesPlan: Plan = {
  name: 'changes',
  what: 'traces stored as differences, applied to their base',
  bases: [
    { base: 'base.yaml' },
    ...documentsIn('traces/bios-minimal', 1500).filter((each) =>
      JSON.stringify(each).includes('"base"'),
    ),
    ...documentsIn('traces/epyc-efi', 1500).filter((each) =>
      JSON.stringify(each).includes('"base"'),
    ),
  ],
  read(text, file) {
    known ??= baseTrace();
    const source = readYaml(file, text);
    const expectation = expectationOf(source, () => known ?? baseTrace());
    if (expectation.expect !== 'exact') return;
    const printed = printTrace(expectation.trace);
    verify(printTrace(parseTrace(file, printed)) === printed, 'the trace does not parse to itself');
  },
};

const probePlan: Plan = {
  name: 'probe',
  what: 'call scripts',
  bases: documentsIn('probes'),
  read(text, file) {
    const { probe } = readScript(file, text);
    verifySame(readScript(file, JSON.stringify(probe)).probe, probe, 'printed and parsed again');
  },
};

const seriesPlan: Plan = {
  name: 'series',
  what: 'series files',
  bases: [
    ...documentsIn('patches/series'),
    { name: 'x', title: 't', source: 's', stage: 12, activate: true },
    { name: 'y', title: 't', source: 's', without: ['09/initrd', '16'], stub: true },
    { name: 'z', title: 't', source: 's', without: ['09'], stub: true, with: ['10/kexec-plain'] },
  ],
  read(text, file) {
    const series = seriesOf(readYaml(file, text));
    verifySame(
      seriesOf(readYaml(file, JSON.stringify(series))),
      series,
      'printed and parsed again',
    );
  },
};

const outcome = { kind: 'booted', where: 'run_init' };
const row = (scenario: string, hunk: string): unknown => ({
  scenario,
  hunk,
  file: 'arch/x86/kernel/setup.c',
  what: 'decrypts',
  how: 'out',
  firstUse: 'startup_64',
  outcome,
  same: false,
  wrong: { name: 'initrd', reader: 'unpack', readC: 1, writer: 'loader', writeC: 0, pa: '0x1000' },
  lost: ['initrd'],
  gained: [],
  difference: {
    step: 'startup_64',
    change: 'gone',
    event: { console: 'x', n: 1, b: true },
    was: 'console x',
  },
  encrypted: true,
  cause: 'c',
  command: 'sme-boot run',
});
const matrixBase = {
  'sme-boot-matrix': 1,
  series: '--stage 18',
  scenarios: ['a', 'b'].map((name) => ({ name, digest: 'd', outcome, garbage: [] })),
  rows: [row('a', '09/initrd'), row('a', '09/boot-params'), row('b', '09/initrd')],
  missing: ['b 09/boot-params'],
};

const matrixPlan: Plan = {
  name: 'matrix',
  what: 'parts of a matrix report, merged',
  bases: [matrixBase, { ...matrixBase, rows: [], missing: [] }],
  json: true,
  edits: { changed: 4, mutated: 2, most: 1 },
  read(text, file) {
    const report = parseMatrix(file, text);
    verifySame(parseMatrix(file, JSON.stringify(report)), report, 'printed and parsed again');
    const merged = mergeReports([report, parseMatrix('base.json', JSON.stringify(matrixBase))], []);
    verify(merged.rows.length >= report.rows.length, 'the merged report has less rows');
  },
};

const REPORTS = (['wrong-key-read', 'key-disagreement', 'cbit-on-mmio'] as const).map((rule) => ({
  rule,
  step: 'start_kernel',
  at: '0xa0000..0xa0fff initrd+0x1000',
  in: 'nic',
  what: 'w',
  outcome: 'nothing yet' as const,
}));

const suppressionsPlan: Plan = {
  name: 'suppressions',
  what: 'suppressions of reports',
  bases: [
    [{ rule: 'wrong-key-read', at: 'initrd+0x1000', reason: 'r' }],
    [
      { rule: 'key-disagreement', in: 'nic', reason: 'its own engine' },
      { rule: 'cbit-on-mmio', at: '0xa0000..0xbffff', in: 'vga_init', reason: 'x' },
    ],
    [],
  ],
  edits: { changed: 4, mutated: 3, most: 1 },
  read(text, file) {
    const { entries } = readSuppressions(file, text, RULE_IDS);
    const again = readSuppressions(file, JSON.stringify(entries), RULE_IDS);
    verifySame(again.entries, entries, 'printed and parsed again');
    const result = suppress(REPORTS, again);
    verify(result.reports.length === REPORTS.length, 'reports are lost');
  },
};

export const DOCUMENTS: readonly Kind[] = [
  tracePlan,
  changesPlan,
  matchPlan,
  probePlan,
  seriesPlan,
  matrixPlan,
  suppressionsPlan,
].map(documentKind);

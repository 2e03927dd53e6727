/** `sme-boot list` and `schema`. */
import { own } from '../base/own.js';
import { Argument, Command } from 'commander';
import { hex } from '../machine/address.js';
import { effectsJsonSchema } from '../analysis/effects/form.js';
import { LABELS } from '../sequencer/boot.js';
import { scriptJsonSchema } from '../analysis/calls/file.js';
import { scenarioJsonSchema } from '../scenario/scenario.js';
import { baseJsonSchema } from '../review/base.js';
import { allHunks, alternatives } from '../series/patches.js';
import { OPTIONS, reasonOf } from '../linux/options/options.js';
import { seriesJsonSchema } from '../series/series-file.js';
import { findingJsonSchema } from '../series/finding.js';
import { patchJsonSchema } from '../series/record.js';
import { questionJsonSchema } from '../check/question.js';
import { changesJsonSchema } from '../check/changes.js';
import { expectationJsonSchema } from '../check/expectation.js';
import { printable } from '../base/printable.js';
import { RULES } from '../sanitizer/rules.js';
import { suppressionsJsonSchema } from '../check/suppressions.js';
import type { RuleInfo } from '../trace/report.js';
import { traceJsonSchema } from '../trace/trace.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { table } from './columns.js';
import { addOutput, formOf, openResult, writeResult, type OutputFlags } from './output.js';
import { patchRecords } from './records.js';
import { loadSeries, seriesNames } from './series.js';
import {
  addRunOptions,
  DEFAULT_SCENARIO,
  loadScenario,
  prepareUnwatched,
  scenarioNames,
  type RunFlags,
} from './run-options.js';
import { refuseArgument, refuseUnused } from './usage.js';

const FORMS = ['text', 'json'] as const;

type OutFlags = OutputFlags<(typeof FORMS)[number]>;
interface Flags extends RunFlags, OutFlags {}

type Row = Readonly<Record<string, string | number>>;

/** The rows of each kind of list; regions and symbols are those of a boot that has not begun. */
const LISTS: Readonly<Record<string, (scenario: string, flags: RunFlags) => Row[]>> = {
  scenarios: () =>
    scenarioNames().map((name) => ({ name, title: loadScenario(name, {}).scenario.title })),
  series: () =>
    seriesNames().map((name) => {
      const { title, source } = loadSeries(name);
      return { name, title, source };
    }),
  labels: () => LABELS.map((label) => ({ label })),
  options: () =>
    OPTIONS.map(([name, kind, file, mark]) => {
      const reason = reasonOf(mark);
      const why = reason === undefined ? mark : `without effect: ${reason}`;
      return { name, kind, file, modelled: mark === 'named' ? 'not modelled' : why };
    }).sort((a, b) => (a.name < b.name ? -1 : 1)),
  patches: () => patchRecords().map(({ number, status, subject }) => ({ number, status, subject })),
  rules: () =>
    RULES.map(({ id, title, needs }: RuleInfo) => ({
      id,
      title,
      needs: needs === undefined ? '' : `needs ${needs.join(', ')}`,
    })),
  hunks: () => allHunks().map(({ id, file, what }) => ({ id, file, what })),
  alternatives: () =>
    alternatives().map(({ id, instead, file, what, source }) => ({
      id,
      instead: instead ?? '(on top)',
      file,
      what,
      source,
    })),
  regions: (scenario, flags) =>
    prepareUnwatched(scenario, flags)
      .regions()
      .map(({ name, base, size }) => ({ name, base: hex(base), bytes: size })),
  symbols: (scenario, flags) =>
    [...prepareUnwatched(scenario, flags).program.modelled()]
      .sort(([, a], [, b]) => a.address - b.address)
      .map(([name, { address, size }]) => ({ address: hex(address), bytes: size, name })),
};

/** The lists that depend on the scenario and the options of a boot. */
const OF_A_BOOT: ReadonlySet<string> = new Set(['regions', 'symbols']);

export function listCommand(io: Io): Command {
  const command = new Command('list')
    .description(
      'list scenarios, series, labels, options, patches, hunks, alternatives, rules, regions or symbols',
    )
    .addArgument(new Argument('<WHAT>', 'what to list').choices(Object.keys(LISTS)))
    .argument('[SCENARIO]', 'scenario of the regions or symbols', DEFAULT_SCENARIO);
  addRunOptions(command, { unwatched: true });
  return addOutput(command, { formats: FORMS })
    .addHelpText(
      'after',
      `
Examples:
  sme-boot list labels
  sme-boot list options
  sme-boot list hunks --format json
  sme-boot list alternatives
  sme-boot list rules
  sme-boot list symbols --stage 9
${exitHelp()}`,
    )
    .action((what: string, scenario: string, flags: Flags, self: Command) => {
      if (!OF_A_BOOT.has(what)) {
        const reason = `"list ${what}" is the same for every boot`;
        refuseUnused(self, ['--format', '--output'], reason);
        refuseArgument(self, 1, reason);
      }
      print(io, own(LISTS, what)?.(scenario, flags) ?? [], flags);
    });
}

/** Rows as columns, or as JSON. */
function print(io: Io, rows: readonly Row[], flags: Flags): void {
  const out = openResult(io, flags.output);
  if (formOf(flags, FORMS) === 'json') out.write(`${JSON.stringify(rows, null, 2)}\n`);
  else
    out.print(
      table(
        rows.map((row) => Object.values(row).map((cell) => printable(String(cell)))),
        out.columns,
      ),
    );
  out.end();
}

const SCHEMAS: Readonly<Record<string, () => Record<string, unknown>>> = {
  scenario: scenarioJsonSchema,
  series: seriesJsonSchema,
  trace: traceJsonSchema,
  changes: changesJsonSchema,
  expectation: expectationJsonSchema,
  patch: patchJsonSchema,
  base: baseJsonSchema,
  finding: findingJsonSchema,
  probe: scriptJsonSchema,
  effects: effectsJsonSchema,
  question: questionJsonSchema,
  suppressions: suppressionsJsonSchema,
};

/** The text of the JSON Schema of a kind of file. */
export const schemaText = (kind: string): string =>
  `${JSON.stringify(own(SCHEMAS, kind)?.(), null, 2)}\n`;

export function schemaCommand(io: Io): Command {
  const command = new Command('schema')
    .description('print the JSON Schema (draft-07) of a kind of file, for editors and other tools')
    .addArgument(new Argument('<KIND>', 'kind of file').choices(Object.keys(SCHEMAS)))
    .addHelpText(
      'after',
      `\nExamples:\n  sme-boot schema scenario > scenario.schema.json\n${exitHelp()}`,
    )
    .action((kind: string, { output }: OutputFlags) => {
      writeResult(io, output, schemaText(kind));
    });
  return addOutput(command, { formats: ['json'], what: 'the schema' });
}

/** `sme-boot matrix`: the series without each hunk in turn, on each scenario. */
import { LIMITS } from '../base/limits.js';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ChalkInstance } from 'chalk';
import { Command } from 'commander';
import { makeFolder, readText, writeWhole } from '../node/files.js';
import { inFile, isName, nameIn } from '../node/relative-paths.js';
import { streamsSoFar } from '../node/stdin.js';
import { runOnWorkers } from '../node/workers.js';
import { removableHunks, withoutHunk } from '../analysis/matrix/matrix.js';
import { goldenName, goldenText } from '../analysis/matrix/golden.js';
import { matrixHtml } from '../analysis/matrix/html.js';
import { mergeReports, parseMatrix } from '../analysis/matrix/merge.js';
import {
  pairsOf,
  parseShard,
  reportOf,
  shardOf,
  tasksOf,
  type Made,
  type Pair,
  type Shard,
} from '../analysis/matrix/plan.js';
import {
  missingOf,
  type MatrixReport,
  type MatrixRow,
  type MatrixScenario,
} from '../analysis/matrix/report.js';
import { matrixMarkdown, matrixText, type MatrixPainter } from '../analysis/matrix/text.js';
import { compose } from '../series/compose.js';
import { allHunks } from '../series/patches.js';
import { canonicalName, unknownHunk } from '../series/without.js';
import { InputError } from '../base/errors.js';
import { jsonText, printable } from '../base/printable.js';
import { EXIT, exitHelp } from './exit-codes.js';
import { optional } from '../base/optional.js';
import type { Io } from './io.js';
import { jobsNumber } from './jobs.js';
import { matrixLinks } from './matrix-links.js';
import { runTask, type MatrixMessage, type MatrixTask } from './matrix-task.js';
import {
  addOutput,
  checkOutput,
  formOf,
  openResult,
  type OutputFlags,
  type Result,
} from './output.js';
import { Progress } from './progress.js';
import {
  bootOptions,
  DEFAULT_SCENARIO,
  hunksOption,
  repeated,
  scenarioNames,
  type RunFlags,
} from './run-options.js';
import { addSanitizeOption, isWatched, type SanitizeFlags } from './sanitize-option.js';
import { unknownName } from './unknown.js';
import { refuseUnused } from './usage.js';

const FORMS = ['text', 'markdown', 'json', 'html'] as const;
type Form = (typeof FORMS)[number];
/** Missing rows that "merge" names on stderr; the report has all (our choice). */
const NAMED = 5;
/** The worker's script, in the folder of the bundle. */
const WORKER = new URL('./matrix-worker.js', import.meta.url);

interface Flags extends SanitizeFlags, OutputFlags<Form> {
  only?: string[];
  series?: string;
  hunks?: string[];
  set?: string[];
  shard?: Shard;
  jobs?: number;
  keep?: string;
}

const EXAMPLES = `
Scenarios are names or files; "all" means every built-in scenario. A hunk that defines names which others need is
replaced by stubs that do nothing ("stub"); any other hunk is left out ("out").

Examples:
  sme-boot matrix                              the default scenario
  sme-boot matrix all -o matrix.html           every scenario, a page to filter
  sme-boot matrix bios-minimal --only 09/initrd 08
                                               some hunks or patches
  sme-boot matrix all --shard 2/5 -o part-2.json
                                               one fifth of the rows
  sme-boot matrix merge part-*.json -o all.md  the shards joined
${exitHelp({ interrupted: 'interrupted by Ctrl-C; the rows finished until then are printed' })}`;

export function matrixCommand(io: Io): Command {
  const command = new Command('matrix')
    .description('leave out each hunk of the series in turn and report the outcome')
    .argument('[SCENARIOS...]', `names of scenarios, or files (default: ${DEFAULT_SCENARIO})`)
    .option('--only <HUNK...>', 'leave out only these hunks (09/initrd) or patches (10)')
    .option('--series <NAME>', 'name of a series, or a file (default: the series as posted)')
    .addOption(hunksOption())
    .option('--set <PATH=VALUE>', 'change one value of each scenario; can be repeated', repeated)
    .option('--shard <I/N>', 'run part I of N; "matrix merge" joins the parts', parseShard)
    .option('--jobs <N>', 'number of worker threads (default: one per processor)', jobsNumber)
    .option('--keep <DIR>', 'also write each row to DIR as a match file for "check"')
    .addHelpText('after', EXAMPLES)
    .action(async (scenarios: string[], flags: Flags) => {
      await matrix(io, scenarios, flags);
    });
  addSanitizeOption(command);
  const merge = new Command('merge')
    .description('join the JSON reports of shards')
    .argument('<FILES...>', 'reports written by "matrix --format json"')
    .addHelpText('after', exitHelp({ mismatch: 'a shard or a row is missing' }))
    .action((files: string[], flags: OutputFlags<Form>) => {
      refuseUnused(command, ['--format', '--output'], '"matrix merge" boots nothing');
      const output = outputOf(command, flags);
      const order = allHunks().map((hunk) => hunk.id);
      const reports = files.map((file) => parseMatrix(file, readText(file, LIMITS.matrixFile)));
      const merged = mergeReports(reports, order);
      write(io, merged, output);
      reportMissing(io, merged);
    });
  for (const each of [command, merge]) {
    addOutput(each, { formats: FORMS, what: 'the report', formerOutput: '--out <FILE>' });
  }
  return command.addCommand(merge);
}

/** The output flags of "merge", which may be before or after the word. Throws E_USAGE for one that is given twice. */
function outputOf(command: Command, flags: OutputFlags<Form>): OutputFlags<Form> {
  const before = command.opts<OutputFlags<Form>>();
  for (const key of ['format', 'output'] as const) {
    if (before[key] === undefined || flags[key] === undefined) continue;
    throw new InputError({
      code: 'E_USAGE',
      place: { path: 'matrix merge' },
      reason: `--${key} is given twice`,
      found: `${before[key]} and ${flags[key]}`,
    });
  }
  const output = { ...before, ...flags };
  checkOutput(output.output);
  return output;
}

/** Names on stderr what a merged report lacks, and sets the exit status. */
function reportMissing(io: Io, report: MatrixReport): void {
  const missing = missingOf(report);
  if (missing.length === 0) return;
  const more = missing.length > NAMED ? `, and ${String(missing.length - NAMED)} more` : '';
  const names = missing.slice(0, NAMED).map(printable).join(', ');
  io.stderr.write(`sme-boot: missing: ${names}${more}\n`);
  io.exitCode = EXIT.mismatch;
}

async function matrix(io: Io, named: readonly string[], flags: Flags): Promise<void> {
  const run: RunFlags = {
    ...(flags.set === undefined ? {} : { set: flags.set }),
    ...(flags.series === undefined ? {} : { series: flags.series }),
    ...(flags.hunks === undefined ? {} : { hunks: flags.hunks }),
    ...(!isWatched(flags) && { sanitize: false }),
  };
  checkFirst(named[0]);
  const all = named.flatMap((name) => (name === 'all' ? scenarioNames() : [name]));
  const scenarios = [...new Set(all.length === 0 ? [DEFAULT_SCENARIO] : all)];
  checkOutput(flags.output);
  // Errors in a scenario are reported before anything boots.
  const [options] = scenarios.map((scenario) => bootOptions(scenario, run));
  if (options === undefined) return;
  const removable = removableHunks(options);
  const hunks = chosen(
    removable.map(({ hunk }) => hunk.id),
    flags.only,
  );
  // An own hunk may have no stub.
  for (const each of removable) {
    if (hunks.includes(each.hunk.id)) compose(withoutHunk(options, each));
  }
  const whole = pairsOf(scenarios, hunks);
  const plan = flags.shard === undefined ? whole : shardOf(whole, flags.shard);
  const part = flags.shard && { shard: flags.shard, rows: whole.length };
  // After every refusal, before the first boot.
  if (flags.keep !== undefined) makeFolder(flags.keep);
  const made = { scenarios: new Map<string, MatrixScenario>(), rows: [] as MatrixRow[] };
  const bar = new Progress(io, 0);
  const interrupted = await make(plan, run, flags.jobs, (message) => {
    if ('row' in message) made.rows.push(message.row);
    else made.scenarios.set(message.task, message.scenario);
    progress(bar, made.rows.length, plan.length, message);
  });
  bar.clear();
  const of = { series: flags.series ?? 'rfc-v1', ...optional({ ownHunks: options.ownHunks }) };
  write(io, reportOf({ ...of, ...made }, plan, part), flags);
  if (flags.keep !== undefined) keep(flags.keep, made, run);
  if (!interrupted) return;
  io.stderr.write(`interrupted: ${String(made.rows.length)} of ${String(plan.length)} rows\n`);
  io.exitCode = EXIT.interrupted;
}

/** Throws E_SCENARIO_UNKNOWN for a first word that is neither a scenario nor the word of a subcommand. */
function checkFirst(word = 'all'): void {
  const names = scenarioNames();
  if (word === 'all' || !isName(word) || names.includes(word)) return;
  throw unknownName('E_SCENARIO_UNKNOWN', word, [...names, 'merge']);
}

/** Writes each row as a match file; with several scenarios, in one folder per scenario. */
function keep(directory: string, { scenarios, rows }: Omit<Made, 'series'>, run: RunFlags): void {
  const given = new Map([...scenarios].map(([nameOrFile, { name }]) => [name, nameOrFile]));
  for (const row of rows) {
    const folder = scenarios.size > 1 ? join(directory, row.scenario) : directory;
    const scenario = given.get(row.scenario) ?? row.scenario;
    makeFolder(folder);
    const file = join(folder, goldenName(row));
    const named = {
      ...(run.series !== undefined && { series: nameIn(file, run.series) }),
      ...(run.hunks !== undefined && { hunks: run.hunks.map((module) => inFile(file, module)) }),
    };
    writeWhole(file, goldenText(row, { ...run, ...named, scenario: nameIn(file, scenario) }));
  }
}

/** The ids of `ids` that `--only` selects, in their order. Throws E_HUNK if a name selects none. */
function chosen(ids: readonly string[], only: readonly string[] | undefined): string[] {
  if (only === undefined) return [...ids];
  const selected = only
    .flatMap((text) => text.split(','))
    .map((given) => {
      const name = canonicalName(given);
      const found = ids.filter((id) => id === name || id.slice(0, 2) === name);
      if (found.length > 0) return found;
      const among = allHunks().filter(({ id }) => ids.includes(id));
      throw unknownHunk(given, among, 'no such hunk or patch');
    });
  const all = new Set(selected.flat());
  return ids.filter((id) => all.has(id));
}

/** Runs the boots of a plan; true if Ctrl-C interrupted it. */
async function make(
  plan: readonly Pair[],
  flags: RunFlags,
  jobs: number | undefined,
  onMessage: (message: MatrixMessage) => void,
): Promise<boolean> {
  const abort = new AbortController();
  const onInterrupt = (): void => {
    abort.abort();
  };
  // Up to here Ctrl-C ends the command; a listener works only when this code has returned once.
  await setImmediate();
  process.once('SIGINT', onInterrupt);
  try {
    const workers = Math.min(jobs ?? availableParallelism(), plan.length);
    const more = { flags, streams: streamsSoFar() };
    const tasks = tasksOf(plan, workers).map((task): MatrixTask => ({ ...task, ...more }));
    // Run from its sources, the program has no bundled worker.
    if (workers > 1 && existsSync(WORKER)) {
      await runOnWorkers(WORKER, tasks, workers, onMessage, abort.signal);
    } else {
      for (const task of tasks) {
        for (const message of runTask(task)) {
          onMessage(message);
          // Signal handlers run between two rows.
          await setImmediate();
          if (abort.signal.aborted) return true;
        }
      }
    }
    return abort.signal.aborted;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** Shows the rows that are done, as a bar. */
function progress(bar: Progress, done: number, total: number, message: MatrixMessage): void {
  const width = 20;
  const full = Math.round((done / Math.max(1, total)) * width);
  const what = 'row' in message ? `${message.row.scenario} ${message.row.hunk}` : message.task;
  bar.show(
    `[${'='.repeat(full)}${' '.repeat(width - full)}] ${String(done)}/${String(total)} ${what}`,
  );
}

function write(io: Io, report: MatrixReport, flags: OutputFlags<Form>): void {
  const form = formOf(flags, FORMS);
  const out = openResult(io, flags.output);
  out.write(textOf(out, report, form));
  out.end();
}

function textOf(out: Result, report: MatrixReport, form: Form): string {
  switch (form) {
    case 'json':
      return jsonText(report);
    case 'markdown':
      return matrixMarkdown(report);
    case 'html':
      return matrixHtml(report, matrixLinks(report));
    case 'text':
      return matrixText(report, painter(out.paint), out.columns);
  }
}

function painter(paint: ChalkInstance): MatrixPainter {
  return {
    heading: (text) => paint.bold(text),
    quiet: (text) => paint.dim(text),
    good: (text) => paint.green(text),
    bad: (text) => paint.red(text),
  };
}

/** `sme-boot check`: runs the boot of every expected trace and compares. */
import { appendFileSync, existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { parseShard, type Shard } from '../analysis/matrix/plan.js';
import { printEffects } from '../analysis/effects/form.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { report, REPORT_FORMS, resultText, type ReportForm } from '../check/report.js';
import { githubSummary } from '../check/report-github.js';
import { countsText, isFine } from '../check/result.js';
import { fileError } from '../node/file-errors.js';
import { makeFolder, writeWhole } from '../node/files.js';
import { STDIN } from '../node/stdin.js';
import { schemaOption } from '../node/schema-path.js';
import { baseName, changesText, TraceFiles } from '../node/trace-files.js';
import { askingTakes } from './check-ask.js';
import { bootAhead } from './check-boots.js';
import { Check, checkReason, exactText, type Checked, type Takes } from './check-file.js';
import { nameOf, planOf, selectFiles, type Planned } from './check-plan.js';
import { defaultFolders } from './default-folder.js';
import { effectsOfRuns } from './effects.js';
import { GOLDEN_EFFECTS, GOLDEN_RUNS } from './golden.js';
import { EXIT, exitHelp, exitOf } from './exit-codes.js';
import type { Io } from './io.js';
import { jobsNumber } from './jobs.js';
import { obsoleteLines, staleLines } from './obsolete.js';
import {
  addOutput,
  formOf,
  openResult,
  type OutputFlags,
  type Result as Written,
} from './output.js';
import { Progress } from './progress.js';
import type { RunCommand } from './question-run.js';
import { repeated } from './run-options.js';
import { Runs } from './runs.js';
import { onTerminal } from './terminal.js';
import { yamlFiles } from './yaml-files.js';

interface Flags extends OutputFlags<ReportForm> {
  update?: boolean;
  interactive?: boolean;
  filter?: string[];
  shard?: Shard;
  jobs?: number;
  failFast?: boolean;
  list?: boolean;
}

const EXAMPLES = `
Examples:
  sme-boot check                              all below ./traces and ./questions
  sme-boot check traces/bios-minimal          one directory
  sme-boot check --filter 'match/*-iommu*'    glob, /regex/ or part of a name
  sme-boot check --list --filter initrd       what each boots; boot nothing
  sme-boot check --shard 2/5 --fail-fast      a fifth, up to the first failure
  sme-boot check --update                     rewrite traces and effects after an intended change
  sme-boot check --interactive                show each change and ask
  sme-boot check --format junit --output report.xml
  sme-boot check --format github              annotations and a summary

A file can name modules of own hunks (run --hunks): their code is run, with your
rights.
${exitHelp({
  ok: 'everything is as expected',
  mismatch: 'at least one file failed',
  usage: 'a file is invalid (the others are checked), or bad usage',
})}`;

export function checkCommand(io: Io, run: RunCommand): Command {
  const command = new Command('check')
    .description('run the boots of the expected traces and questions and compare')
    .argument(
      '[PATHS...]',
      'files or directories (default: ./traces and ./questions if there is one of them, else those of sme-boot)',
    )
    .option('--update', 'rewrite exact traces and effects; refused if CI is set in the environment')
    .option(
      '--interactive',
      'show each change of an exact trace or effects and ask whether to take it',
    )
    .option(
      '--filter <PATTERN>',
      'check only files whose names match: a glob, /regular expression/ or part of the name; can be repeated',
      repeated,
    )
    .option('--shard <I/N>', 'check part I of N of the files', parseShard)
    .option('--jobs <N>', 'number of boots at a time (default: one per processor)', jobsNumber)
    .option('--fail-fast', 'stop after the first file that fails')
    .option('--list', 'list the files with what they boot, and boot nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (paths: string[], flags: Flags) => {
      await check(io, run, paths, flags);
    });
  return addOutput(command, {
    formats: REPORT_FORMS,
    what: 'the report',
    formerFormat: '--reporter <FORM>',
  });
}

const usage = (reason: string): InputError => new InputError({ code: 'E_USAGE', reason });

/** Throws for options that exclude each other. */
function checkFlags(io: Io, paths: readonly string[], flags: Flags, form: ReportForm): void {
  const rewrites = flags.update === true || flags.interactive === true;
  const name = flags.update === true ? '--update' : '--interactive';
  if (rewrites && (io.env.CI ?? '') !== '') {
    throw new InputError({
      code: 'E_CI',
      reason: `${name} is refused while CI is set in the environment; update locally and commit the change`,
    });
  }
  if (flags.update === true && flags.interactive === true) {
    throw usage('--update takes every change, --interactive asks for each: give one of them');
  }
  if (rewrites && flags.list === true) throw usage(`--list changes nothing: leave out ${name}`);
  if (rewrites && flags.shard !== undefined) {
    throw usage(
      `a file may be the difference from one of another shard: ${name} needs all of them`,
    );
  }
  if (rewrites && paths.includes(STDIN)) throw usage(`${name} needs files, not -`);
  for (const [given, option] of [
    [flags.interactive, '--interactive'],
    [flags.list, '--list'],
  ] as const) {
    if (given === true && form !== 'text') throw usage(`${option} prints text: leave out --format`);
  }
  if (flags.interactive === true && io.ask === undefined) {
    throw usage('--interactive needs a terminal on stdin and stdout; see --update');
  }
}

async function check(
  io: Io,
  run: RunCommand,
  paths: readonly string[],
  flags: Flags,
): Promise<void> {
  const form = formOf(flags, ['text', ...REPORT_FORMS]);
  checkFlags(io, paths, flags, form);
  const update = flags.update === true;
  const out = openResult(io, flags.output);
  const progress = new Progress(io);
  const runs = new Runs(progress.step);
  const instead = paths.length === 0 ? defaultFolders(io, ['traces', 'questions']) : [];
  const given = instead.length === 0 ? paths : instead.map(({ folder }) => folder);
  const traces = instead.find(({ folder }) => basename(folder) === 'traces');
  if (update && traces?.shipped === true && flags.filter === undefined) {
    updateGolden(io, runs, traces.folder);
  }
  const files = selectFiles(yamlFiles(given, 'no expected trace found'), flags);
  const planned = plan(progress, files, update || flags.interactive === true);
  if (flags.list === true) {
    out.print(planned.map(listLine).join(''));
    out.end();
    if (planned.some(({ kind }) => kind === 'invalid')) io.exitCode = EXIT.usage;
    return;
  }
  const takes: Takes | undefined = update
    ? () => Promise.resolve(true)
    : flags.interactive === true && io.ask !== undefined
      ? askingTakes(io, io.ask)
      : undefined;
  const boots = bootAhead(runs, planned, flags.jobs ?? availableParallelism());
  const check = new Check(planned, {
    io,
    runs,
    run,
    ...(takes !== undefined && { takes }),
    ...(boots !== undefined && { ready: boots.ready }),
  });
  let results: Checked[];
  try {
    results = await checkAll(check, planned, {
      progress,
      failFast: flags.failFast === true,
      ...(form === 'text' && { out }),
    });
  } finally {
    await boots?.stop();
  }
  if (form === 'text') out.print(`\n${countsText(results)}\n`);
  else out.write(report(form, form === 'github' ? inWorkspace(io, results) : results));
  out.end();
  if (form === 'github') writeSummary(io, results);
  // Reports go to files: what keeps a file from being checked is said here as well.
  const errors = results.flatMap(({ error }) => error?.message ?? []);
  for (const line of [
    ...errors.map((message) => `sme-boot: ${message}`),
    ...staleLines(check.rewritten, planned),
    ...obsoleteLines(planned, results),
  ]) {
    io.stderr.write(onTerminal(io, `${line}\n`));
  }
  io.exitCode = statusOf(results);
}

/** Reads the files. `rewrites`: those that differ may be rewritten. */
function plan(progress: Progress, files: readonly string[], rewrites: boolean): Planned[] {
  const read = new TraceFiles();
  const planned = files.map((file, index) => {
    progress.next(index, files.length, `reading ${nameOf(file)}`);
    return planOf(file, read, rewrites);
  });
  progress.clear();
  return planned;
}

/** A line of `--list`: the file, its kind, and what it boots. */
const listLine = ({ name, kind, group, error }: Planned): string =>
  `${name}  ${kind}  ${error === undefined ? group.join(' ') : error.message}\n`;

/** How the files are checked. */
interface CheckAll {
  readonly progress: Progress;
  readonly failFast: boolean;
  /** Where each result is printed at once. */
  readonly out?: Written;
}

/** The results of all files in their order. */
async function checkAll(
  check: Check,
  planned: readonly Planned[],
  { progress, failFast, out }: CheckAll,
): Promise<Checked[]> {
  const results: Checked[] = [];
  let failed = false;
  for (const [index, each] of planned.entries()) {
    if (failed && failFast) {
      const { name, group } = each;
      results.push({ name, group, status: 'skipped', failures: [], lines: [], note: SKIPPED });
      continue;
    }
    progress.next(index, planned.length, each.name);
    const result = await check.result(each);
    progress.clear();
    out?.print(resultText(result));
    results.push(result);
    failed ||= !isFine(result);
  }
  return results;
}

const SKIPPED = 'not run: --fail-fast';

function statusOf(results: readonly Checked[]): number {
  const codes = results.flatMap(({ error }) => exitOf(error) ?? []);
  if (codes.includes(EXIT.usage)) return EXIT.usage;
  return codes[0] ?? (results.every(isFine) ? EXIT.ok : EXIT.mismatch);
}

/** The results with the files as GitHub names them: relative to the root of the repository. */
function inWorkspace({ env }: Io, results: readonly Checked[]): Checked[] {
  const root = env.GITHUB_WORKSPACE ?? '';
  const named = (file: string | undefined): string | undefined =>
    file === undefined || root === '' ? file : relative(root, resolve(file));
  return results.map((result) => ({
    ...result,
    failures: result.failures.map((failure) => ({
      ...failure,
      place: { ...failure.place, ...optional({ file: named(failure.place.file) }) },
    })),
  }));
}

/** Appends the summary to the file that a workflow of GitHub names in the environment. */
function writeSummary(io: Io, results: readonly Checked[]): void {
  const file = io.env.GITHUB_STEP_SUMMARY ?? '';
  if (file === '') return;
  try {
    appendFileSync(file, `${githubSummary(results)}\n`);
  } catch (error) {
    throw fileError('E_WRITE', file, error);
  }
}

/** Writes the golden files that do not exist yet; the check rewrites the existing ones. */
function updateGolden(io: Io, runs: Runs, traces: string): void {
  const write = (file: string, textOf: () => string): void => {
    const path = join(traces, file);
    if (existsSync(path)) return;
    makeFolder(dirname(path));
    writeWhole(path, textOf());
    io.stderr.write(`wrote ${relative('.', path)}\n`);
  };
  for (const { file, base, ...run } of GOLDEN_RUNS) {
    write(file, () => {
      const from = GOLDEN_RUNS.find((each) => each.file === base);
      const found = runs.trace(run);
      const path = join(traces, file);
      if (base === undefined || from === undefined) return exactText(path, found);
      return changesText(path, baseName(path, join(traces, base)), runs.trace(from), found);
    });
  }
  for (const { file, ...golden } of GOLDEN_EFFECTS) {
    write(file, () => {
      const found = effectsOfRuns(runs, golden);
      checkReason(`traces/${file}`, found);
      return printEffects(found, schemaOption(join(traces, file), 'effects'));
    });
  }
}

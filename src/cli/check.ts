/** `sme-boot check`: runs the boot of every expected trace and compares. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { makeFolder, readText, writeWhole } from '../node/files.js';
import { STDIN } from '../node/stdin.js';
import {
  baseName,
  basePath,
  changesText,
  fileKey,
  MAX_BASES,
  TraceFiles,
} from '../node/trace-files.js';
import { effectsOf, printEffects, showsIn, type Effects } from '../analysis/effects/form.js';
import { effectsDifferences } from '../analysis/effects/text.js';
import { baseOf, isDifference } from '../check/changes-apply.js';
import { InputError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { commandLine } from '../base/shell-words.js';
import { compare, isSame } from '../check/compare.js';
import { differenceText } from '../check/compare-text.js';
import type {
  ExactExpectation,
  Expectation,
  MatchExpectation,
  RunOf,
} from '../check/expectation.js';
import { match } from '../check/match.js';
import { matchText } from '../check/match-text.js';
import { report, REPORT_FORMS, type ReportForm, type Result } from '../check/report.js';
import type { Trace } from '../trace/trace.js';
import { printTrace } from '../trace/yaml-out.js';
import { readYaml, valueAt, type YamlSource } from '../base/yaml-source.js';
import { EXIT, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { effectsOfRuns } from './effects.js';
import { GOLDEN_EFFECTS, GOLDEN_RUNS } from './golden.js';
import { painterOf } from './painter.js';
import { packageRoot } from './paths.js';
import { addOutput, formOf, openResult, type OutputFlags } from './output.js';
import { Progress } from './progress.js';
import { assignments, commandOf, runOfHeader, Runs, type Run } from './runs.js';
import { TRACE_SCHEMA_FILE } from './trace.js';
import { yamlFiles } from './yaml-files.js';

interface Flags extends OutputFlags<ReportForm> {
  update?: boolean;
}

const EXAMPLES = `
Examples:
  sme-boot check                              every expected trace of the project
  sme-boot check traces/bios-minimal          one directory
  sme-boot check --update                     rewrite traces and effects after an intended change
  sme-boot check --format junit --output report.xml
${exitHelp({ ok: 'everything is as expected', mismatch: 'at least one file failed' })}`;

export function checkCommand(io: Io): Command {
  const command = new Command('check')
    .description('run the boots of the expected traces and compare')
    .argument('[PATHS...]', "files or directories (default: the project's traces)")
    .option('--update', 'rewrite exact traces and effects; refused if CI is set in the environment')
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: Flags) => {
      check(io, paths, flags);
    });
  return addOutput(command, {
    formats: REPORT_FORMS,
    what: 'the report',
    formerFormat: '--reporter <FORM>',
  });
}

function check(io: Io, paths: readonly string[], flags: Flags): void {
  if (flags.update === true && (io.env.CI ?? '') !== '') {
    throw new InputError({
      code: 'E_CI',
      reason:
        '--update is refused while CI is set in the environment; update locally and commit the change',
    });
  }
  const traces = join(packageRoot(), 'traces');
  const update = flags.update === true;
  if (update && paths.includes(STDIN)) {
    throw new InputError({ code: 'E_USAGE', reason: '--update needs files', found: STDIN });
  }
  const out = openResult(io, flags.output);
  const progress = new Progress(io);
  const runs = new Runs(progress.step);
  if (update && paths.length === 0) updateGolden(io, runs, traces);
  const given = paths.length === 0 ? [traces] : paths;
  const files = yamlFiles(given, 'no expected trace found');
  const check = new Check(io, runs, files, update);
  const results = files.map((file, index) => {
    progress.next(index, files.length, relative('.', file));
    return check.result(file);
  });
  progress.clear();
  check.reportObsolete();
  const failed = results.filter(({ ok }) => !ok).length;
  if (failed > 0) io.exitCode = EXIT.mismatch;
  const form = formOf(flags, ['text', ...REPORT_FORMS]);
  if (form !== 'text') out.write(report(form, results));
  else {
    out.print(report(form, results));
    out.print(`\n${String(results.length - failed)} passed, ${String(failed)} failed\n`);
  }
  out.end();
}

/** The files of one check and their results. */
class Check {
  private readonly files = new TraceFiles();
  private readonly given: ReadonlySet<string>;
  private readonly results = new Map<string, Result>();
  private readonly rewritten = new Set<string>();
  /** Files whose bases are being checked first. */
  private readonly pending = new Set<string>();

  constructor(
    private readonly io: Io,
    private readonly runs: Runs,
    given: readonly string[],
    private readonly update: boolean,
  ) {
    this.given = new Set(given.map(fileKey));
  }

  /** Checks a file once. Throws for a file that cannot be read or parsed: that ends the whole command. */
  result(file: string): Result {
    const key = fileKey(file);
    const result = this.results.get(key) ?? this.checkFile(file);
    this.results.set(key, result);
    return result;
  }

  private checkFile(file: string): Result {
    const name = relative('.', file);
    const known = this.files.get(file);
    if (known !== undefined) return this.exact(file, known);
    const source = readYaml(name, readText(file));
    if (valueAt(source.value, ['expect']) === 'effects') {
      return effects(this.runs, file, source, this.update);
    }
    const base = this.update && isDifference(source) ? basePath(file, baseOf(source)) : undefined;
    // The difference must be from the updated base.
    if (base !== undefined && this.given.has(fileKey(base))) this.updateFirst(file, base);
    try {
      const expectation = this.files.read(file, source);
      return expectation.expect === 'match'
        ? this.match(name, expectation)
        : this.exact(file, expectation);
    } catch (error) {
      // A difference that does not fit its base fails this file only: the others are checked.
      if (!(error instanceof InputError) || error.code !== 'E_APPLY' || this.update) throw error;
      return { name, ok: false, text: `${error.message}\n` };
    }
  }

  /** Checks, and thereby updates, a base before a file that is the difference from it. */
  private updateFirst(file: string, base: string): void {
    // A cycle, or a chain that is too long: reading the file reports it.
    if (this.pending.has(fileKey(base)) || this.pending.size > MAX_BASES) return;
    this.pending.add(fileKey(file));
    this.result(base);
    this.pending.delete(fileKey(file));
  }

  private match(name: string, expectation: MatchExpectation): Result {
    const run = runOf(name, expectation);
    const result = match(expectation, this.runs.trace(run));
    const text = result.ok ? '' : matchText(result, { rerun: commandOf(run) });
    return { name, ok: result.ok, text };
  }

  private exact(file: string, expectation: ExactExpectation): Result {
    const name = relative('.', file);
    const run = runOf(name, expectation);
    const found = this.runs.trace(run);
    const difference = compare(expectation.trace, found);
    const { base, misfits } = expectation;
    if (isSame(difference) && misfits.length === 0) return { name, ok: true, text: '' };
    if (this.update) {
      writeWhole(file, this.textOf(file, found, base));
      this.files.set(file, found, base);
      this.rewritten.add(file);
      return { name, ok: true, text: '' };
    }
    const text = [
      ...misfits.map(({ message }) => `${message}\n`),
      differenceText(difference, painterOf(this.io.paint)),
      `${printable(`Rerun: ${commandOf(run)} --output -`)}\n`,
    ].join('');
    return { name, ok: false, text };
  }

  /** The text of a file in its present format: whole, or as the difference from its base. */
  private textOf(file: string, found: Trace, base: string | undefined): string {
    if (base === undefined) return exactText(found);
    return changesText(base, this.files.trace(basePath(file, base)), found);
  }

  /** Prints to stderr the files, not among those given, whose base was rewritten: they now describe another trace. */
  reportObsolete(): void {
    if (this.rewritten.size === 0) return;
    const keys = new Set([...this.rewritten].map(fileKey));
    const folders = new Set([...this.rewritten].map((file) => dirname(fileKey(file))));
    const traces = fileKey(join(packageRoot(), 'traces'));
    if ([...folders].some((folder) => folder.startsWith(traces))) folders.add(traces);
    const candidates = new Set([...folders].flatMap((folder) => yamlFiles([folder], '')));
    for (const file of candidates) {
      if (this.given.has(fileKey(file))) continue;
      const [, base] = /^base: (.+)$/m.exec(readText(file)) ?? [];
      if (base === undefined || !keys.has(fileKey(basePath(file, base)))) continue;
      const name = relative('.', file);
      this.io.stderr.write(
        `${name} is a difference from a file that was rewritten: check it too\n`,
      );
    }
  }
}

/** Checks a file of effects. */
function effects(runs: Runs, file: string, source: YamlSource, update: boolean): Result {
  const name = source.file;
  const expected = effectsOf(source);
  const found = effectsOfRuns(runs, expected, { reason: expected.reason });
  const lines = effectsDifferences(expected, found);
  if (lines.length === 0) return { name, ok: true, text: '' };
  if (update) {
    checkReason(name, found);
    writeWhole(file, printEffects(found));
    return { name, ok: true, text: '' };
  }
  const { patch, scenario } = expected;
  const rerun = `Rerun: ${commandLine(['sme-boot', 'effects', scenario, String(patch)])}`;
  return { name, ok: false, text: `${[...lines, rerun].join('\n')}\n` };
}

/** Throws E_EFFECTS for effects that show in no view and state no reason: the reason must be written by hand. */
function checkReason(file: string, { views, reason, patch, scenario }: Effects): void {
  if (reason !== undefined || showsIn(views).length > 0) return;
  throw new InputError({
    code: 'E_EFFECTS',
    place: { file, path: 'reason' },
    reason:
      `patch ${String(patch)} shows in no view on ${scenario}: write the file by hand with expect, patch, scenario, ` +
      'views: {} and the reason, then update again',
  });
}

/** The run of an expectation. */
function runOf(file: string, expectation: Expectation): Run {
  if (expectation.expect === 'match') return fromRun(expectation.run);
  const { header } = expectation.trace;
  if (header.image.name !== 'built-in') {
    throw new InputError({
      code: 'E_IMAGE',
      place: { file, path: 'header.image.name' },
      reason: 'only traces of the built-in image can be rerun from their header',
    });
  }
  return runOfHeader(header);
}

function fromRun(run: RunOf): Run {
  const {
    scenario,
    series,
    stage,
    activate,
    without,
    neutral,
    stub = neutral,
    with: extra,
    set,
  } = run;
  return {
    scenario,
    flags: {
      ...(series === undefined ? {} : { series }),
      ...(stage === undefined ? {} : { stage }),
      ...(activate === undefined ? {} : { activate }),
      ...(without === undefined ? {} : { without }),
      ...(stub === undefined ? {} : { stub }),
      ...(extra === undefined ? {} : { with: extra }),
      ...(set === undefined ? {} : { set: assignments(set) }),
    },
  };
}

const exactText = (trace: Trace): string => printTrace(trace, { schema: TRACE_SCHEMA_FILE });

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
      if (base === undefined || from === undefined) return exactText(found);
      return changesText(baseName(join(traces, file), join(traces, base)), runs.trace(from), found);
    });
  }
  for (const { file, ...golden } of GOLDEN_EFFECTS) {
    write(file, () => {
      const found = effectsOfRuns(runs, golden);
      checkReason(`traces/${file}`, found);
      return printEffects(found);
    });
  }
}

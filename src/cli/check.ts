/** `sme-boot check`: runs every expected trace and compares. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { readText, writeWhole } from '../node/files.js';
import { effectsOf, printEffects, showsIn, type Effects } from '../review/effects-form.js';
import { effectsDifferences } from '../review/effects-text.js';
import { InputError } from '../trace/errors.js';
import { compare, isSame } from '../trace/compare.js';
import { differenceText } from '../trace/compare-text.js';
import { expectationOf, type Expectation, type RunOf } from '../trace/expectation.js';
import { match } from '../trace/match.js';
import { matchText } from '../trace/match-text.js';
import { report, REPORT_FORMS, type ReportForm, type Result } from '../trace/report.js';
import type { Trace, TraceHeader } from '../trace/trace.js';
import { printTrace } from '../trace/yaml-out.js';
import { readYaml, valueAt, type YamlSource } from '../trace/yaml-source.js';
import type { Io } from './io.js';
import { effectsOfRuns } from './effects.js';
import { KEPT_EFFECTS, KEPT_RUNS } from './ladder.js';
import { painterOf } from './painter.js';
import { packageRoot } from './paths.js';
import { progress } from './progress.js';
import { commandOf, Runs, type Run } from './runs.js';
import { yamlFiles } from './yaml-files.js';

interface Flags {
  update?: boolean;
  reporter: ReportForm;
}

const EXAMPLES = `
Examples:
  sme-boot check                              every expected trace of the project
  sme-boot check traces/bios-minimal          one directory
  sme-boot check --update                     rewrite traces and effects after a change that was meant
  sme-boot check --reporter junit > report.xml`;

export function checkCommand(io: Io): Command {
  return new Command('check')
    .description('run every expected trace and compare')
    .argument('[PATHS...]', "files or directories (default: the project's traces)")
    .option('--update', 'rewrite exact traces and effects; refused when CI is set')
    .addOption(
      new Option('--reporter <FORM>', 'how results are reported')
        .choices([...REPORT_FORMS])
        .default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: Flags) => {
      check(io, paths, flags);
    });
}

function check(io: Io, paths: readonly string[], flags: Flags): void {
  if (flags.update === true && (io.env.CI ?? '') !== '') {
    throw new InputError({
      code: 'E_CI',
      reason:
        'expected traces are not rewritten where CI is set; update them and commit the change',
    });
  }
  const traces = join(packageRoot(), 'traces');
  const runs = new Runs();
  if (flags.update === true && paths.length === 0) updateKept(io, runs, traces);
  const given = paths.length === 0 ? [traces] : paths;
  const files = yamlFiles(given, 'there is no expected trace to check');
  const results = files.map((file, index) => {
    progress(io, index, files.length, relative('.', file));
    return one(io, runs, file, flags.update === true);
  });
  progress(io, files.length, files.length, '');
  io.stdout.write(report(flags.reporter, results));
  const failed = results.filter(({ ok }) => !ok).length;
  if (flags.reporter === 'text') {
    io.stdout.write(`\n${String(results.length - failed)} passed, ${String(failed)} failed\n`);
  }
  if (failed > 0) io.exitCode = 1;
}

/** Checks one file; a wrong file is an error of the whole command. */
function one(io: Io, runs: Runs, file: string, update: boolean): Result {
  const name = relative('.', file);
  const source = readYaml(name, readText(file));
  if (valueAt(source.value, ['expect']) === 'effects') return effects(runs, file, source, update);
  const expectation = expectationOf(source);
  const run = runOf(name, expectation);
  const found = runs.trace(run);
  const rerun = `Run it again: ${commandOf(run)} --trace -`;
  if (expectation.expect === 'match') {
    const result = match(expectation, found);
    const text = result.ok ? '' : matchText(result, { rerun: commandOf(run) });
    return { name, ok: result.ok, text };
  }
  const difference = compare(expectation.trace, found);
  if (isSame(difference)) return { name, ok: true, text: '' };
  if (update) {
    writeWhole(file, exactText(found));
    return { name, ok: true, text: '' };
  }
  return { name, ok: false, text: `${differenceText(difference, painterOf(io.paint))}${rerun}\n` };
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
  const rerun = `Run it again: sme-boot effects ${String(patch)} --scenario ${scenario}`;
  return { name, ok: false, text: `${[...lines, rerun].join('\n')}\n` };
}

/** Throws E_EFFECTS for effects that show nowhere and have no reason: only a person knows it. */
function checkReason(file: string, { views, reason, patch, scenario }: Effects): void {
  if (reason !== undefined || showsIn(views).length > 0) return;
  throw new InputError({
    code: 'E_EFFECTS',
    place: { file, path: 'reason' },
    reason:
      `patch ${String(patch)} shows in no view on ${scenario}: write the file with expect, patch, scenario, ` +
      'views: {} and the reason, and update again',
  });
}

/** The run that an expectation is about. */
function runOf(file: string, expectation: Expectation): Run {
  if (expectation.expect === 'match') return fromRun(expectation.run);
  const { header } = expectation.trace;
  if (header.image.name !== 'built-in') {
    throw new InputError({
      code: 'E_IMAGE',
      place: { file, path: 'header.image.name' },
      reason: 'only traces of the built-in image can be run again from their header',
    });
  }
  return fromHeader(header);
}

const assignments = (settings: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(settings).map(([path, value]) => `${path}=${String(value)}`);

function fromRun(run: RunOf): Run {
  const { scenario, series, stage, activate, without, neutral, with: extra, set } = run;
  return {
    scenario,
    flags: {
      ...(series === undefined ? {} : { series }),
      ...(stage === undefined ? {} : { stage }),
      ...(activate === undefined ? {} : { activate }),
      ...(without === undefined ? {} : { without }),
      ...(neutral === undefined ? {} : { neutral }),
      ...(extra === undefined ? {} : { with: extra }),
      ...(set === undefined ? {} : { set: assignments(set) }),
    },
  };
}

function fromHeader(header: TraceHeader): Run {
  const { scenario, stage, activate, without, neutral, with: extra, settings } = header;
  const { cmdline, ...others } = settings;
  return {
    scenario,
    flags: {
      stage,
      activate,
      ...(without.length === 0 ? {} : { without }),
      ...(neutral === undefined ? {} : { neutral }),
      ...(extra.length === 0 ? {} : { with: extra }),
      set: assignments(others),
      ...(cmdline === undefined ? {} : { cmdline: String(cmdline) }),
    },
  };
}

const exactText = (trace: Trace): string =>
  printTrace(trace, { schema: '../../schemas/trace.schema.json' });

/** Writes the kept files that are not there yet; those that are, the check itself rewrites. */
function updateKept(io: Io, runs: Runs, traces: string): void {
  const write = (file: string, textOf: () => string): void => {
    const path = join(traces, file);
    if (existsSync(path)) return;
    mkdirSync(dirname(path), { recursive: true });
    writeWhole(path, textOf());
    io.stderr.write(`wrote ${relative('.', path)}\n`);
  };
  for (const { file, ...run } of KEPT_RUNS) write(file, () => exactText(runs.trace(run)));
  for (const { file, ...kept } of KEPT_EFFECTS) {
    write(file, () => {
      const found = effectsOfRuns(runs, kept);
      checkReason(`traces/${file}`, found);
      return printEffects(found);
    });
  }
}

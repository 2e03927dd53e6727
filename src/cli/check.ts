/** `sme-boot check`: runs every expected trace and compares. */
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { readText, writeWhole } from '../node/files.js';
import { InputError } from '../trace/errors.js';
import { compare, isSame } from '../trace/compare.js';
import { differenceText } from '../trace/compare-text.js';
import { readExpectation, type Expectation, type RunOf } from '../trace/expectation.js';
import { match } from '../trace/match.js';
import { matchText } from '../trace/match-text.js';
import { report, REPORT_FORMS, type ReportForm, type Result } from '../trace/report.js';
import type { Trace, TraceHeader } from '../trace/trace.js';
import { printTrace } from '../trace/yaml-out.js';
import type { Io } from './io.js';
import { KEPT_RUNS } from './ladder.js';
import { painterOf } from './painter.js';
import { packageRoot } from './paths.js';
import { prepareBoot, type RunFlags } from './run-options.js';

interface Flags {
  update?: boolean;
  reporter: ReportForm;
}

/** A run: a scenario by name or file, and the flags of `run`. */
interface Run {
  readonly scenario: string;
  readonly flags: RunFlags;
}

const EXAMPLES = `
Examples:
  sme-boot check                              every expected trace of the project
  sme-boot check traces/bios-minimal          one directory
  sme-boot check --update                     rewrite the exact ones after a change that was meant
  sme-boot check --reporter junit > report.xml`;

export function checkCommand(io: Io): Command {
  return new Command('check')
    .description('run every expected trace and compare')
    .argument('[PATHS...]', "files or directories (default: the project's traces)")
    .option('--update', 'rewrite the exact traces; refused when CI is set')
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
  if (flags.update === true && paths.length === 0) updateKept(io, traces);
  const files = filesOf(paths.length === 0 ? [traces] : paths);
  const results = files.map((file, index) => {
    progress(io, index, files.length, file);
    return one(io, file, flags.update === true);
  });
  progress(io, files.length, files.length, '');
  io.stdout.write(report(flags.reporter, results));
  const failed = results.filter(({ ok }) => !ok).length;
  if (flags.reporter === 'text') {
    io.stdout.write(`\n${String(results.length - failed)} passed, ${String(failed)} failed\n`);
  }
  if (failed > 0) io.exitCode = 1;
}

/** Shows on a terminal's stderr how far it is. */
function progress(io: Io, done: number, total: number, file: string): void {
  if (!io.stderr.isTTY) return;
  const text = done < total ? `[${String(done + 1)}/${String(total)}] ${relative('.', file)}` : '';
  io.stderr.write(`\r\u001b[K${text.slice(0, (io.stderr.columns ?? 80) - 1)}`);
}

/** All expectation files below paths, sorted. Throws E_READ for a path that is not there, E_NOTHING for none. */
function filesOf(paths: readonly string[]): string[] {
  const files = paths.flatMap((path) => {
    if (!existsSync(path)) readText(path);
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(path, name));
  });
  if (files.length > 0) return files.sort();
  throw new InputError({
    code: 'E_NOTHING',
    reason: 'there is no expected trace to check',
    ...(paths[0] === undefined ? {} : { place: { file: paths[0] } }),
  });
}

/** Checks one file; a wrong file is an error of the whole command. */
function one(io: Io, file: string, update: boolean): Result {
  const name = relative('.', file);
  const expectation = readExpectation(name, readText(file));
  const run = runOf(name, expectation);
  const found = boot(run);
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

/** The one line that runs the same boot. */
function commandOf({ scenario, flags }: Run): string {
  const quote = (text: string): string => (/^[\w./=-]+$/.test(text) ? text : `'${text}'`);
  return [
    'sme-boot run',
    scenario,
    ...(flags.series === undefined ? [] : [`--series ${quote(flags.series)}`]),
    ...(flags.stage === undefined ? [] : [`--stage ${String(flags.stage)}`]),
    ...(flags.activate === true ? ['--activate'] : []),
    ...(flags.without ?? []).map((hunk) => `--without ${hunk}`),
    ...(flags.neutral === true ? ['--neutral'] : []),
    ...(flags.with ?? []).map((id) => `--with ${id}`),
    ...(flags.cmdline === undefined ? [] : [`--cmdline ${quote(flags.cmdline)}`]),
    ...(flags.set ?? []).map((assignment) => `--set ${quote(assignment)}`),
  ].join(' ');
}

const boot = ({ scenario, flags }: Run): Trace => prepareBoot(scenario, flags).run();

const exactText = (trace: Trace): string =>
  printTrace(trace, { schema: '../../schemas/trace.schema.json' });

/** Writes the kept traces that are not there yet; those that are, the check itself rewrites. */
function updateKept(io: Io, traces: string): void {
  for (const { file, scenario, flags } of KEPT_RUNS) {
    const path = join(traces, file);
    if (existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeWhole(path, exactText(boot({ scenario, flags })));
    io.stderr.write(`wrote ${relative('.', path)}\n`);
  }
}

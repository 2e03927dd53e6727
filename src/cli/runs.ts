/** Runs of a command with many boots: each is booted once; its trace is cached until the command ends. */
import { interruptible } from '../node/interrupt.js';
import { optional } from '../base/optional.js';
import { commandLine } from '../base/shell-words.js';
import { LAST_STAGE } from '../series/patches.js';
import { selectionFlags, type HunkSelection } from '../series/compose.js';
import type { Trace, TraceHeader } from '../trace/trace.js';
import { namedFiles } from './run-files.js';
import { preparedTrace } from './executed-trace.js';
import type { RunFlags } from './run-options.js';
import { isWatched } from './sanitize-option.js';

/** A run: a scenario by name or file, and the flags of `run`. */
export interface Run {
  readonly scenario: string;
  readonly flags: RunFlags;
}

/** The scenario and options of a run, in the form that `sme-boot run` and `sme-boot diff` parse. */
export function wordsOf({ scenario, flags }: Run): string {
  return commandLine([
    // A file whose name begins with a dash would be read as an option.
    /^-./.test(scenario) ? `./${scenario}` : scenario,
    ...optionWords(flags),
  ]);
}

/** The options of a run, as words. */
function optionWords(flags: Run['flags']): string[] {
  const file = (option: string, path: string | undefined): string[] =>
    path === undefined ? [] : [option, path];
  return [
    ...(flags.series === undefined ? [] : ['--series', flags.series]),
    ...selectionFlags(flags),
    ...(flags.hunks ?? []).flatMap((module) => ['--hunks', module]),
    ...file('--kernel', flags.kernel),
    ...file('--system-map', flags.systemMap),
    ...file('--initrd', flags.initrd),
    ...file('--dtb', flags.dtb),
    ...(flags.cmdline === undefined ? [] : ['--cmdline', flags.cmdline]),
    ...(flags.set ?? []).flatMap((assignment) => ['--set', assignment]),
    ...(flags.execute === true ? executeWords(flags) : []),
    ...sanitizeWords(flags),
  ];
}

function executeWords({ entry, until, maxInstructions: most }: Run['flags']): string[] {
  return [
    '--execute',
    ...(entry === undefined || entry === 'kernel' ? [] : ['--entry', entry]),
    ...(until === undefined ? [] : ['--until', until]),
    ...(most === undefined ? [] : ['--max-instructions', String(most)]),
  ];
}

/** The option that is not the default: an executed boot is not watched. */
function sanitizeWords(flags: Run['flags']): string[] {
  if (flags.execute === true) return flags.sanitize === true ? ['--sanitize'] : [];
  return isWatched(flags) ? [] : ['--no-sanitize'];
}

/** The options of a run, as a command line has them; empty for none. */
export const optionsText = (flags: Run['flags']): string => commandLine(optionWords(flags));

/** The command line of the same boot. */
export const commandOf = (run: Run): string => `sme-boot run ${wordsOf(run)}`;

/** The run of a hunk selection on a scenario. */
export function runOfSelection(scenario: string, selection: HunkSelection): Run {
  const { stage, activate, without, stub, with: alternative } = selection;
  return {
    scenario,
    flags: {
      stage,
      ...(activate && { activate }),
      ...(without !== undefined && { without: [...without] }),
      ...(stub !== undefined && { stub }),
      ...(alternative !== undefined && { with: [...alternative] }),
    },
  };
}

/** Settings in the form of `--set`. */
export const assignments = (settings: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(settings).map(([path, value]) => `${path}=${String(value)}`);

/** The run that the header of a trace records; `file` is the trace's file. */
export function runOfHeader(header: TraceHeader, file: string): Run {
  const { stage, activate, without, stub, with: extra, settings, sanitize } = header;
  const { cmdline, ...others } = settings;
  const { scenario, ...files } = namedFiles(header, file);
  if (header.execute === true) return executedRun(header, scenario, files);
  return {
    scenario,
    flags: {
      stage,
      activate,
      ...(without.length === 0 ? {} : { without }),
      ...(stub === undefined ? {} : { stub }),
      ...(extra.length === 0 ? {} : { with: extra }),
      ...files,
      set: assignments(others),
      ...(cmdline === undefined ? {} : { cmdline: String(cmdline) }),
      ...(sanitize === undefined ? {} : { sanitize }),
    },
  };
}

function executedRun(
  { settings, entry, until, maxInstructions, sanitize }: TraceHeader,
  scenario: string,
  files: Omit<ReturnType<typeof namedFiles>, 'scenario'>,
): Run {
  const { cmdline, ...others } = settings;
  return {
    scenario,
    flags: {
      execute: true,
      ...files,
      set: assignments(others),
      // Reports in a trace are those of --sanitize.
      sanitize: sanitize !== false,
      ...optional({
        entry,
        until,
        maxInstructions,
        cmdline: cmdline === undefined ? undefined : String(cmdline),
      }),
    },
  };
}

/** A text that is equal for equal runs. */
export const runKey = (run: Run): string =>
  run.flags.execute === true
    ? wordsOf(run)
    : wordsOf({ ...run, flags: { ...run.flags, stage: run.flags.stage ?? LAST_STAGE } });

/** Traces by their runs. The boots are not retained: a trace takes a hundredth of a boot's memory. */
export class Runs {
  private readonly traces = new Map<string, Trace>();

  /** `onStep` is called with the label of each step of a boot before it runs. */
  constructor(readonly onStep?: (label: string) => void) {}

  /** The trace of a run; boots on the first call only. */
  trace(run: Run): Trace {
    const key = runKey(run);
    const known = this.traces.get(key);
    if (known !== undefined) return known;
    const trace = interruptible(() => preparedTrace(run.scenario, run.flags, this.onStep)());
    this.traces.set(key, trace);
    return trace;
  }

  /** Adds the trace of a run that was booted elsewhere. */
  add(run: Run, trace: Trace): void {
    this.traces.set(runKey(run), trace);
  }
}

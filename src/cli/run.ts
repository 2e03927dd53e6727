/** `sme-boot run`: boots, prints a summary, writes the trace. */
import { Command } from 'commander';
import { predicateOf, type Predicate } from '../analysis/bisect/predicate.js';
import { interruptible } from '../node/interrupt.js';
import type { Boot } from '../sequencer/boot.js';
import { ciphertextSamples } from '../sequencer/ciphertext-samples.js';
import type { CounterSample } from '../trace/perfetto.js';
import { dataNames } from '../sequencer/data-names.js';
import { differences } from '../sequencer/expected.js';
import { RULE_IDS } from '../sanitizer/rules.js';
import { EXIT, exitHelp } from './exit-codes.js';
import { exposureSummary } from './exposure-text.js';
import type { Io } from './io.js';
import { addOutput, checkOutput, type Result } from './output.js';
import { numberOf } from './numbers.js';
import { LastWriters } from './last-writers.js';
import { Progress } from './progress.js';
import { checkMatchOut, writeMatchOut } from './match-out.js';
import { addRunOptions, DEFAULT_SCENARIO, prepareBoot, repeated } from './run-options.js';
import { addExecuteOptions, checkExecute } from './execute-options.js';
import {
  addReportOptions,
  isReportForm,
  judged,
  placesFor,
  refuseUnusedEntries,
  reportedRun,
  reportOptions,
  usesOfReports,
  writeReports,
  type ReportOptions,
} from './run-reports.js';
import { runExecuted, type ExecutedFlags } from './run-executed.js';
import {
  allHold,
  checkFormOutput,
  FORMS,
  formOfOutput,
  isTraceForm,
  summaryOutput,
  writeTrace,
  type Form,
} from './run-output.js';
import type { ReportPlaces } from '../check/report-words.js';
import { commandOf, wordsOf } from './runs.js';
import { refuseUnwatched } from './sanitize-option.js';
import { summaryEnd, summaryHead, summaryStep } from './summary.js';

type Flags = ExecutedFlags;

const EXAMPLES = `
Examples:
  sme-boot run                                     the default scenario with all patches
  sme-boot run bios-minimal --stage 6 --activate   encryption on while patches 07 to 09 are missing
  sme-boot run epyc-efi --series fixed             with fixes for the findings in docs/findings.md
  sme-boot run bios-minimal --without 09/initrd    the series without one hunk
  sme-boot run --set machine.ram=4GiB --output boot.yaml
  sme-boot run --kernel vmlinuz --initrd initrd.img --output - > real.yaml
  sme-boot run --without 09/initrd --expect outcome=panic --expect garbage=initrd
  sme-boot run bios-minimal --match-out initrd.yaml --match-step reserve_initrd
  sme-boot run epyc-efi --format sarif --output reports.sarif --tree linux-4.6.5
  sme-boot run epyc-efi --suppress known.yaml --fail-on-report
  sme-boot run firmware-syscfg --kernel vmlinuz --execute --until mem_encrypt_init

With --output, the trace is written, unless --format is text (the summary) or
junit, sarif or github (the reports of the sanitizer).

With --expect the exit status is that of the expressions alone; what the boot
did is printed with each. console=/REGEX/ is about a line of the console; of an
executed boot (--execute) only console, outcome, event and, with --sanitize,
report are known. Reports of the sanitizer do not change the exit status
without --fail-on-report.
${exitHelp({
  ok: 'the boot ended, in whatever way; with --expect: all expressions hold; with --fail-on-report: also no report',
  mismatch:
    'the boot of the whole series is not what the scenario expects; with --expect: an expression does not hold; with --fail-on-report: the sanitizer made a report; with --until: it did not come to the function',
  undecided:
    'with --execute and --expect: an expression does not hold, and the boot stopped at something that is not modelled',
})}`;

export function runCommand(io: Io): Command {
  const command = new Command('run')
    .description('boot a scenario and print a summary of the boot')
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addExecuteOptions(addRunOptions(command), { until: true })
    .option(
      '--gdb <PORT>',
      'with --execute: let gdb connect at 127.0.0.1 before the first instruction; 0: any port (docs/gdb.md)',
      numberOf('E_USAGE', '--gdb', 0, 65_535),
    )
    .option('--snapshot <FILE>', 'with --execute: write the state at the end of the run to a file')
    .option('--from <FILE>', 'with --execute: go on from a file of --snapshot');
  addOutput(command, {
    formats: FORMS,
    anyName: true,
    what: 'the trace',
    formerOutput: '--trace <FILE>',
    formerFormat: '--trace-format <FORMAT>',
  })
    .option(
      '--expect <EXPR>',
      'exit with 0 if this holds, else with 1: outcome=KIND, garbage=NAME, intact=NAME, report=RULE, event={…}, console=TEXT; can be repeated',
      repeated,
    )
    .option('--match-out <FILE>', 'write a match file for "check" from this boot (-: stdout)')
    .option('--match-step <LABEL>', 'only events of this boot step; can be repeated', repeated)
    .option('--match-kind <KIND>', 'only events of this kind; can be repeated', repeated)
    .addHelpText('after', EXAMPLES)
    .action((scenario: string, flags: Flags, self: Command) => {
      checkExecute(self, flags);
      return flags.execute === true ? runExecuted(io, scenario, flags) : run(io, scenario, flags);
    });
  return addReportOptions(command);
}

async function run(io: Io, scenario: string, flags: Flags): Promise<void> {
  const form = formOfOutput(flags);
  refuseUnwatched(flags, usesOfReports(flags, form));
  checkMatchOut(flags, form);
  const reporting = reportOptions(flags, form);
  checkFormOutput(io, form, flags.output);
  checkOutput(flags.matchOut);
  const boot = prepareBoot(scenario, flags);
  const names = { data: dataNames(boot.options.scenario), rules: RULE_IDS };
  const predicates = flags.expect?.map((text) => predicateOf(text, names));
  const places = await placesFor(form, scenario, flags);
  interruptible(() => {
    runPrepared(io, { scenario, flags, form, boot, predicates, reporting, places });
  });
}

/** A run whose options are checked and whose files are read. */
interface Prepared {
  readonly scenario: string;
  readonly flags: Flags;
  readonly form: Form;
  readonly boot: Boot;
  readonly predicates: readonly Predicate[] | undefined;
  readonly reporting: ReportOptions;
  readonly places: ReportPlaces | undefined;
}

function runPrepared(
  io: Io,
  { scenario, flags, form, boot, predicates, reporting, places }: Prepared,
): void {
  const summary = summaryOutput(io, form, flags);
  summary.print(summaryHead(boot, summary.paint));
  const writers = new LastWriters(boot);
  const counters: CounterSample[] = [];
  runSteps(boot, io, summary, writers, () => {
    if (form === 'perfetto') counters.push(...ciphertextSamples(boot));
  });
  const { sanitize: _sanitize, ...boots } = flags;
  const exposed = exposureSummary(boot, wordsOf({ scenario, flags: boots }));
  const { trace, unused, fails } = judged(boot.finish(), reporting);
  const { expected } = boot;
  const unexpected = expected === undefined ? [] : differences(expected, trace);
  if ((unexpected.length > 0 && predicates === undefined) || fails) io.exitCode = EXIT.mismatch;
  if (isReportForm(form) && places !== undefined) {
    const done = reportedRun(trace, {
      rerun: commandOf({ scenario, flags }),
      unexpected: predicates === undefined ? unexpected : [],
      predicates: predicates ?? [],
    });
    writeReports(io, flags.output, form, done, places);
  } else if (isTraceForm(form)) writeTrace(io, flags.output, form, trace, counters);
  writeMatchOut(io, scenario, flags, trace);
  summary.print(
    summaryEnd(
      trace,
      unexpected,
      summary.paint,
      summary.columns,
      exposed,
      writers,
      boot.recorder.searches,
    ),
  );
  if (predicates !== undefined && !allHold(predicates, trace, summary)) {
    io.exitCode = EXIT.mismatch;
  }
  summary.end();
  refuseUnusedEntries(io, unused);
}

/**
 * Runs the steps and prints each when it has ended; shows progress on stderr if it is a terminal. `ended` is called after each.
 */
function runSteps(
  boot: Boot,
  io: Io,
  summary: Result,
  writers: LastWriters,
  ended: () => void,
): void {
  const progress = new Progress(io, 0);
  const total = boot.ahead.length;
  for (;;) {
    const label = boot.ahead[0];
    if (label === undefined) break;
    progress.next(total - boot.ahead.length, total, label);
    writers.beforeStep();
    boot.step();
    ended();
    progress.clear();
    summary.print(summaryStep(boot, label, summary.paint));
  }
}

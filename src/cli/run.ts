/** `sme-boot run`: boots, prints a summary, writes the trace. */
import { Command } from 'commander';
import type { Boot } from '../sequencer/boot.js';
import { differences } from '../sequencer/expected.js';
import { printTrace, printTraceJson } from '../trace/yaml-out.js';
import type { Trace } from '../trace/trace.js';
import { EXIT, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import {
  addOutput,
  checkOutput,
  formOf,
  onStderr,
  openResult,
  toFile,
  writeResult,
  type OutputFlags,
  type Result,
} from './output.js';
import { Progress } from './progress.js';
import { addRunOptions, DEFAULT_SCENARIO, prepareBoot, type RunFlags } from './run-options.js';
import { summaryEnd, summaryHead, summaryStep } from './summary.js';

const FORMS = ['text', 'yaml', 'json'] as const;
type Form = (typeof FORMS)[number];

interface Flags extends RunFlags, OutputFlags<Form> {}

/** With an output, the trace is written, unless `--format` or its name says otherwise. */
const TRACE_FORMS = ['yaml', 'json', 'text'] as const;

const EXAMPLES = `
Examples:
  sme-boot run                                     the default scenario with all patches
  sme-boot run bios-minimal --stage 6 --activate   encryption on while patches 07 to 09 are missing
  sme-boot run epyc-efi --series fixed             with fixes for the findings in docs/findings.md
  sme-boot run bios-minimal --without 09/initrd    the series without one hunk
  sme-boot run --set machine.ram=4GiB --output boot.yaml
  sme-boot run --kernel vmlinuz --initrd initrd.img --output - > real.yaml
${exitHelp({
  ok: 'the boot ended, in whatever way',
  mismatch: 'the boot of the whole series is not what the scenario expects',
})}`;

export function runCommand(io: Io): Command {
  const command = new Command('run')
    .description('boot a scenario and print a summary of the boot')
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addRunOptions(command);
  addOutput(command, {
    formats: FORMS,
    what: 'the trace (--format text: the summary)',
    formerOutput: '--trace <FILE>',
    formerFormat: '--trace-format <FORMAT>',
  })
    .addHelpText('after', EXAMPLES)
    .action((scenario: string, flags: Flags) => {
      run(io, scenario, flags);
    });
  return command;
}

function run(io: Io, scenario: string, flags: Flags): void {
  const form = formOf(flags, flags.output === undefined ? FORMS : TRACE_FORMS);
  if (form !== 'text') checkOutput(flags.output);
  const boot = prepareBoot(scenario, flags);
  const summary = summaryOutput(io, form, flags.output);
  summary.print(summaryHead(boot, summary.paint));
  const trace = runSteps(boot, io, summary);
  const { expected } = boot;
  const unexpected = expected === undefined ? [] : differences(expected, trace);
  if (unexpected.length > 0) io.exitCode = EXIT.mismatch;
  if (form !== 'text') {
    writeResult(io, flags.output, form === 'json' ? printTraceJson(trace) : printTrace(trace));
  }
  summary.print(summaryEnd(trace, unexpected, summary.paint, summary.columns));
  summary.end();
}

/** Where the summary goes: it is the result itself, or beside the trace. With the trace on stdout it is on stderr. */
function summaryOutput(io: Io, form: Form, output: string | undefined): Result {
  if (form === 'text') return openResult(io, output);
  return toFile(output) ? openResult(io, undefined) : onStderr(io);
}

/** Runs the steps and prints each when it has ended; shows progress on stderr if it is a terminal. */
function runSteps(boot: Boot, io: Io, summary: Result): Trace {
  const progress = new Progress(io, 0);
  const total = boot.ahead.length;
  for (;;) {
    const label = boot.ahead[0];
    if (label === undefined) break;
    progress.next(total - boot.ahead.length, total, label);
    boot.step();
    progress.clear();
    summary.print(summaryStep(boot, label, summary.paint));
  }
  return boot.finish();
}

/** `sme-boot run`: boots, prints a summary, writes the trace. */
import { Command, Option } from 'commander';
import { checkWritable, writeWhole } from '../node/files.js';
import type { Boot } from '../sequencer/boot.js';
import { differences } from '../sequencer/expected.js';
import { printTrace, printTraceJson } from '../trace/yaml-out.js';
import type { Trace } from '../trace/trace.js';
import { EXIT, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { addRunOptions, DEFAULT_SCENARIO, prepareBoot, type RunFlags } from './run-options.js';
import { summaryEnd, summaryHead, summaryStep } from './summary.js';

interface Flags extends RunFlags {
  trace?: string;
  traceFormat: 'yaml' | 'json';
}

const EXAMPLES = `
Examples:
  sme-boot run                                     the default scenario with all patches
  sme-boot run bios-minimal --stage 6 --activate   encryption on while patches 07 to 09 are missing
  sme-boot run epyc-efi --series fixed             with fixes for the findings in docs/findings.md
  sme-boot run bios-minimal --without 09/initrd    the series without one hunk
  sme-boot run --set machine.ram=4GiB --trace boot.yaml
  sme-boot run --kernel vmlinuz --initrd initrd.img --trace - > real.yaml
${exitHelp({
  ok: 'the boot ended, in whatever way',
  mismatch: 'the boot of the whole series is not what the scenario expects',
})}`;

export function runCommand(io: Io): Command {
  const command = new Command('run')
    .description('boot a scenario and print a summary of the boot')
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addRunOptions(command)
    .option('--trace <FILE>', 'write the trace to a file, or to stdout (-)')
    .addOption(
      new Option('--trace-format <FORMAT>', 'format of the trace')
        .choices(['yaml', 'json'])
        .default('yaml'),
    )
    .addHelpText('after', EXAMPLES)
    .action((scenario: string, flags: Flags) => {
      run(io, scenario, flags);
    });
  return command;
}

function run(io: Io, scenario: string, flags: Flags): void {
  if (flags.trace !== undefined && flags.trace !== '-') checkWritable(flags.trace);
  const boot = prepareBoot(scenario, flags);
  // With the trace on stdout, the summary is on stderr.
  const summary = flags.trace === '-' ? io.stderr : io.stdout;
  summary.write(summaryHead(boot, io.paint));
  const trace = printRemarks(boot, io, (text) => {
    summary.write(text);
  });
  if (flags.trace !== undefined) {
    const text = flags.traceFormat === 'json' ? printTraceJson(trace) : printTrace(trace);
    if (flags.trace === '-') io.stdout.write(text);
    else writeWhole(flags.trace, text);
  }
  const { expected } = boot;
  const unexpected = expected === undefined ? [] : differences(expected, trace);
  summary.write(summaryEnd(trace, unexpected, io.paint, summary.columns));
  if (unexpected.length > 0) io.exitCode = EXIT.mismatch;
}

/** Runs the steps and prints each when it has ended; shows progress on stderr if it is a terminal. */
function printRemarks(boot: Boot, io: Io, write: (text: string) => void): Trace {
  const total = boot.ahead.length;
  for (;;) {
    const label = boot.ahead[0];
    if (label === undefined) break;
    if (io.stderr.isTTY) {
      const done = total - boot.ahead.length;
      io.stderr.write(`\r\u001b[K[${String(done)}/${String(total)}] ${label}\r`);
    }
    boot.step();
    if (io.stderr.isTTY) io.stderr.write('\u001b[K');
    write(summaryStep(boot, label, io.paint));
  }
  return boot.finish();
}

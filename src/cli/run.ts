/** `sme-boot run`: boots, tells the story, writes the trace. */
import { Command, Option } from 'commander';
import { writeWhole } from '../node/files.js';
import type { Boot } from '../sequencer/boot.js';
import { differences } from '../sequencer/expected.js';
import { printTrace, printTraceJson } from '../trace/yaml-out.js';
import type { Trace } from '../trace/trace.js';
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
  sme-boot run bios-minimal --stage 6 --activate   encryption on while 07 to 09 are missing
  sme-boot run epyc-efi --series fixed             with the fix of each finding
  sme-boot run bios-minimal --without 09/initrd    the series less one hunk
  sme-boot run --set machine.ram=8GiB --trace boot.yaml
  sme-boot run --kernel vmlinuz --initrd initrd.img --trace - > real.yaml`;

export function runCommand(io: Io): Command {
  const command = new Command('run')
    .description('boot a scenario and tell what happens')
    .argument('[SCENARIO]', 'a scenario by name, or a file', DEFAULT_SCENARIO);
  addRunOptions(command)
    .option('--trace <FILE>', 'write the trace to a file, or with - to stdout')
    .addOption(
      new Option('--trace-format <FORMAT>', 'how the trace is written')
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
  const boot = prepareBoot(scenario, flags);
  // The story gives way to the trace where both would go to stdout.
  const story = flags.trace === '-' ? io.stderr : io.stdout;
  story.write(summaryHead(boot, io.paint));
  const trace = printRemarks(boot, io, (text) => {
    story.write(text);
  });
  if (flags.trace !== undefined) {
    const text = flags.traceFormat === 'json' ? printTraceJson(trace) : printTrace(trace);
    if (flags.trace === '-') io.stdout.write(text);
    else writeWhole(flags.trace, text);
  }
  const { expected } = boot;
  const otherwise = expected === undefined ? [] : differences(expected, trace);
  story.write(summaryEnd(trace, otherwise, io.paint, story.columns));
  if (otherwise.length > 0) io.exitCode = 1;
}

/** Runs the steps and tells each as soon as it is over; progress on a terminal's stderr meanwhile. */
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

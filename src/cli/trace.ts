/** `sme-boot trace`: prints one expected trace, whole or as the difference from another. */
import type { ChalkInstance } from 'chalk';
import { Command } from 'commander';
import { baseName, changesText, fileKey, TraceFiles } from '../node/trace-files.js';
import { outputFile, rebased } from '../node/relative-paths.js';
import { schemaOption } from '../node/schema-path.js';
import { InputError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import type { Trace } from '../trace/trace.js';
import { printTrace, printTraceJson, type PrintOptions } from '../trace/yaml-out.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { addOutput, formOf, openResult, toFile, type OutputFlags } from './output.js';
import { runOfHeader, wordsOf } from './runs.js';
import { stepText, summaryEnd } from './summary.js';

const FORMS = ['yaml', 'json', 'text'] as const;
type Form = (typeof FORMS)[number];

interface Flags extends OutputFlags<Form> {
  base?: string;
}

const EXAMPLES = `
A file stores a trace whole, or as the difference from another file, its base. Both forms are printed whole, or, with
--base, as the difference from that file.

Examples:
  sme-boot trace traces/epyc-efi/stage-09.yaml                  stage 9 whole
  sme-boot trace traces/epyc-efi/stage-09.yaml --format text    as "run" prints it
  sme-boot trace s9.yaml --base s8.yaml --output s9.yaml        store s9 as the difference from s8
  sme-boot trace s9.yaml --output s9.yaml                       store s9 whole again
${exitHelp()}`;

export function traceCommand(io: Io): Command {
  const command = new Command('trace')
    .description('print an expected trace, whole or as the difference from another')
    .argument('<FILE>', 'a trace file, whole or a difference (-: stdin)')
    .option('--base <FILE>', 'print the difference from this trace file, as YAML')
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: Flags) => {
      print(io, file, flags);
    });
  return addOutput(command, { formats: FORMS });
}

function print(io: Io, file: string, flags: Flags): void {
  const { base } = flags;
  const format = formOf(flags, FORMS);
  const output = toFile(flags.output) ? flags.output : undefined;
  const out = openResult(io, output);
  if (base !== undefined && format !== 'yaml') {
    throw new InputError({
      code: 'E_USAGE',
      reason: '--base prints YAML only',
      expected: '--format yaml',
      found: format,
    });
  }
  const files = new TraceFiles();
  const target = output === undefined ? (base === undefined ? '-' : file) : outputFile(output);
  const trace = rebased(files.trace(file), file, target);
  const text =
    base === undefined
      ? wholeText(
          trace,
          format,
          out.paint,
          output === undefined ? {} : schemaOption(output, 'trace'),
        )
      : changesText(target, baseName(target, base), baseTrace(files, base, target), trace);
  if (base === undefined && format === 'text') out.print(text);
  else out.write(text);
  out.end();
}

/** The trace of a base. Throws E_BASE if `target` is the base or one of its own bases. */
function baseTrace(files: TraceFiles, base: string, target: string): Trace {
  const trace = files.trace(base);
  if (!files.chain(base).includes(fileKey(target))) return rebased(trace, base, target);
  throw new InputError({
    code: 'E_BASE',
    place: { file: base },
    reason: `a trace cannot be the difference from itself: ${base} is ${target} or a difference from it`,
  });
}

function wholeText(
  trace: Trace,
  format: Form,
  paint: ChalkInstance,
  options: PrintOptions,
): string {
  if (format === 'json') return printTraceJson(trace);
  return format === 'yaml' ? printTrace(trace, options) : summaryOf(trace, paint);
}

/** A trace as `run` prints a boot: its run, the steps, the end. */
function summaryOf(trace: Trace, paint: ChalkInstance): string {
  return [
    `${paint.bold(printable(wordsOf(runOfHeader(trace.header, '-'))))}\n\n`,
    ...trace.steps.map(({ label, events }) => stepText(label, events, paint)),
    summaryEnd(trace, [], paint),
  ].join('');
}

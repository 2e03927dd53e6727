/** `sme-boot trace`: one expected trace, whole or as its difference from another. */
import type { ChalkInstance } from 'chalk';
import { Command, Option } from 'commander';
import { writeWhole } from '../node/files.js';
import { baseName, changesText, fileKey, TraceFiles } from '../node/trace-files.js';
import { InputError } from '../base/errors.js';
import type { Trace } from '../trace/trace.js';
import { printTrace, printTraceJson, type PrintOptions } from '../trace/yaml-out.js';
import type { Io } from './io.js';
import { runOfHeader, wordsOf } from './runs.js';
import { stepText, summaryEnd } from './summary.js';

/** Where a file below traces/ has its schema, for editors. */
export const TRACE_SCHEMA_FILE = '../../schemas/trace.schema.json';

interface Flags {
  format: 'yaml' | 'json' | 'text';
  base?: string;
  output?: string;
}

const EXAMPLES = `
A file may hold a trace whole, or as its difference from another file, its base. Either way it is printed whole, or
with --base as the difference from that file.

Examples:
  sme-boot trace traces/epyc-efi/stage-09.yaml                  stage 9 whole
  sme-boot trace traces/epyc-efi/stage-09.yaml --format text    as a boot is told
  sme-boot trace s9.yaml --base s8.yaml --output s9.yaml        keep s9 as its difference from s8
  sme-boot trace s9.yaml --output s9.yaml                       and whole again`;

export function traceCommand(io: Io): Command {
  return new Command('trace')
    .description('print an expected trace whole, or as its difference from another')
    .argument('<FILE>', 'a trace file, whole or a difference')
    .addOption(
      new Option('--format <FORMAT>', 'how a whole trace is printed')
        .choices(['yaml', 'json', 'text'])
        .default('yaml'),
    )
    .option('--base <FILE>', 'print the difference from this trace file, as YAML')
    .option('--output <FILE>', 'write to a file, which may be FILE itself')
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: Flags) => {
      print(io, file, flags);
    });
}

function print(io: Io, file: string, { format, base, output }: Flags): void {
  if (base !== undefined && format !== 'yaml') {
    throw new InputError({
      code: 'E_USAGE',
      expected: '--format yaml with --base',
      found: format,
    });
  }
  const files = new TraceFiles();
  const trace = files.trace(file);
  const text =
    base === undefined
      ? wholeText(
          trace,
          format,
          io.paint,
          output === undefined ? {} : { schema: TRACE_SCHEMA_FILE },
        )
      : changesText(baseName(output ?? file, base), baseTrace(files, base, output ?? file), trace);
  if (output === undefined) io.stdout.write(text);
  else writeWhole(output, text);
}

/** The trace of a base, none of whose own bases is the file that is written. */
function baseTrace(files: TraceFiles, base: string, target: string): Trace {
  const trace = files.trace(base);
  if (!files.chain(base).includes(fileKey(target))) return trace;
  throw new InputError({
    code: 'E_BASE',
    place: { file: base },
    reason: `a trace cannot be the difference from itself: ${base} is ${target} or a difference from it`,
  });
}

function wholeText(
  trace: Trace,
  format: Flags['format'],
  paint: ChalkInstance,
  options: PrintOptions,
): string {
  if (format === 'json') return printTraceJson(trace);
  return format === 'yaml' ? printTrace(trace, options) : summaryOf(trace, paint);
}

/** A trace as `run` tells a boot: its run, the steps, the end. */
function summaryOf(trace: Trace, paint: ChalkInstance): string {
  return [
    `${paint.bold(wordsOf(runOfHeader(trace.header)))}\n\n`,
    ...trace.steps.map(({ label, events }) => stepText(label, events, paint)),
    summaryEnd(trace, [], paint),
  ].join('');
}

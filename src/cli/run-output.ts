/** What `run` writes, and where: the trace in a format, the summary, the expressions of --expect. */
import type { Predicate } from '../analysis/bisect/predicate.js';
import { InputError } from '../base/errors.js';
import { oneLine } from '../base/printable.js';
import { forFile, outputFile } from '../node/relative-paths.js';
import { schemaOption } from '../node/schema-path.js';
import { printPerfetto, type CounterSample } from '../trace/perfetto.js';
import { printTrace, printTraceJson, printTraceLines } from '../trace/yaml-out.js';
import type { Trace } from '../trace/trace.js';
import type { TraceParts } from '../analysis/bisect/predicate.js';
import type { Io } from './io.js';
import {
  checkOutput,
  formOf,
  onStderr,
  openResult,
  toFile,
  writeBinary,
  writeResult,
  type OutputFlags,
  type Result,
} from './output.js';
import { REPORT_FORMS } from './run-reports.js';

/** The formats of --output. */
export const FORMS = ['text', 'yaml', 'json', 'jsonl', 'perfetto', ...REPORT_FORMS] as const;
export type Form = (typeof FORMS)[number];

/** The formats of the trace. */
const TRACE_FORMS = ['yaml', 'json', 'jsonl', 'perfetto'] as const;
export type TraceForm = (typeof TRACE_FORMS)[number];

export const isTraceForm = (form: Form): form is TraceForm =>
  TRACE_FORMS.some((each) => each === form);

/**
 * The format of the output: `--format`, else text on stdout, else by the ending of the file's name; YAML for a name without
 * one. Throws E_USAGE for an ending that no format has.
 */
export function formOfOutput({ format, output }: OutputFlags<Form>): Form {
  if (format !== undefined) return format;
  if (output === undefined) return 'text';
  return formOf({ output }, ['yaml', ...FORMS]);
}

/** Writes the trace with paths as its file states them. `counters` are only for a format that has such. */
export function writeTrace(
  io: Io,
  output = '-',
  form: TraceForm,
  trace: Trace,
  counters: readonly CounterSample[] = [],
): void {
  const written = forFile(trace, outputFile(output));
  if (form === 'perfetto') writeBinary(io, output, printPerfetto(written, counters));
  else writeResult(io, output, traceText(written, form, output));
}

/**
 * Checks the output before the boot. Throws E_WRITE if the file of a format for programs could not be written, and E_USAGE
 * where a terminal would show bytes.
 */
export function checkFormOutput({ stdout }: Io, form: Form, output: string | undefined): void {
  if (form !== 'text') checkOutput(output);
  if (form !== 'perfetto' || toFile(output) || !stdout.isTTY) return;
  throw new InputError({
    code: 'E_USAGE',
    place: { path: '--format perfetto' },
    reason: 'the format is binary, and stdout is a terminal',
    expected: '--output FILE.pftrace',
    found: 'no file',
  });
}

function traceText(trace: Trace, form: Exclude<TraceForm, 'perfetto'>, output: string): string {
  switch (form) {
    case 'json':
      return printTraceJson(trace);
    case 'jsonl':
      return printTraceLines(trace);
    case 'yaml':
      return printTrace(trace, schemaOption(output, 'trace'));
  }
}

/** Prints each expression with whether it holds and what the boot did; whether all hold. */
export function allHold(
  predicates: readonly Predicate[],
  trace: TraceParts,
  summary: Result,
): boolean {
  summary.print('\n');
  for (const predicate of predicates) {
    const word = predicate.holds(trace)
      ? summary.paint.green('holds')
      : summary.paint.red('does not hold');
    const text = `--expect ${oneLine(predicate.text)}: ${word}: ${oneLine(predicate.seen(trace))}`;
    summary.print(`${text}\n`);
  }
  return predicates.every((predicate) => predicate.holds(trace));
}

/**
 * Where the summary goes: it is the result itself, or beside the trace. With the trace or the match file on stdout it is on
 * stderr.
 */
export function summaryOutput(
  io: Io,
  form: Form,
  { output, matchOut }: { readonly output?: string; readonly matchOut?: string },
): Result {
  if (form === 'text' && toFile(output)) return openResult(io, output);
  const free = matchOut !== '-' && (form === 'text' || toFile(output));
  return free ? openResult(io, undefined) : onStderr(io);
}

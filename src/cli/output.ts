/** Where a command's result goes: `--output` and `--format`, which mean the same in every command. */
import { extname } from 'node:path';
import { Chalk, type ChalkInstance } from 'chalk';
import { Option, type Command } from 'commander';
import { InputError } from '../base/errors.js';
import { own } from '../base/own.js';
import { suggest } from '../base/suggest.js';
import { checkWritable, writeWhole } from '../node/files.js';
import { fitted } from './fit.js';
import type { Io } from './io.js';
import { columnsOf } from './terminal.js';

/** The values of the options that `addOutput` adds. */
export interface OutputFlags<Form extends string = string> {
  /** A file; undefined or `-`: stdout. */
  output?: string;
  /** Undefined: by the ending of the output's name, else the command's default. */
  format?: Form;
}

/** A former name of an option: it sets the same value, and is not in the help. */
export class FormerOption extends Option {
  constructor(
    flags: string,
    /** The long name without dashes of the option whose value it sets. */
    private readonly now: string,
  ) {
    super(flags);
    this.hideHelp();
  }
  override attributeName(): string {
    return this.now.replace(/-(.)/g, (_, char: string) => char.toUpperCase());
  }
}

/** The formats of files by their ending. */
const FORM_OF: Readonly<Record<string, string>> = {
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.json': 'json',
  '.jsonl': 'jsonl',
  '.pftrace': 'perfetto',
  '.perfetto-trace': 'perfetto',
  '.md': 'markdown',
  '.html': 'html',
  '.sarif': 'sarif',
  '.xml': 'junit',
  '.ktap': 'ktap',
  '.txt': 'text',
};

interface OutputOptions {
  /** The formats, the default one first. */
  readonly formats: readonly string[];
  /** What is written; default: the result. */
  readonly what?: string;
  /** Whether the output may have any name: its extension does not state the format. */
  readonly anyName?: boolean;
  readonly formerOutput?: string;
  readonly formerFormat?: string;
}

/** Adds `--output` and `--format` to a command. */
export function addOutput(command: Command, options: OutputOptions): Command {
  const { formats, what = 'the result', anyName = false, formerOutput, formerFormat } = options;
  // Before the boots, which may take minutes.
  if (!anyName && formats.length > 1) {
    command.hook('preAction', (_command, action) => {
      if (action === command) formOf(action.opts<OutputFlags>(), [formats[0] ?? '', ...formats]);
    });
  }
  command.option('-o, --output <FILE>', `write ${what} to this file (-: stdout)`);
  if (formerOutput !== undefined) command.addOption(new FormerOption(formerOutput, 'output'));
  const [first = ''] = formats;
  if (formats.length > 1) {
    const text = `format of ${what} (default: by the name of the output, else ${first})`;
    command.addOption(new Option('--format <FORMAT>', text).choices([...formats]));
  }
  if (formerFormat !== undefined) {
    command.addOption(new FormerOption(formerFormat, 'format').choices([...formats]));
  }
  return command;
}

/** The format that a name's extension states, of those of a command. */
const formNamed = <Form extends string>(
  output: string | undefined,
  formats: readonly Form[],
): Form | undefined => formats.find((form) => form === own(FORM_OF, extname(output ?? '')));

/**
 * The format of a result: `--format`, else by the output's name, else the first of `formats`. Throws E_USAGE for an
 * extension that none of the formats has, as `report.pdf`.
 */
export function formOf<Form extends string>(
  { output, format }: OutputFlags<Form>,
  formats: readonly [Form, ...Form[]],
): Form {
  const form = format ?? formNamed(output, formats);
  if (form !== undefined) return form;
  const extension = toFile(output) ? extname(output) : '';
  if (extension === '') return formats[0];
  const known = Object.keys(FORM_OF).filter((each) => formNamed(each.slice(1) + each, formats));
  throw new InputError({
    code: 'E_USAGE',
    reason: '--output: no format has this file name extension',
    expected: [...known, 'or --format'].join(', '),
    found: output ?? '',
    ...suggest(extension, known),
  });
}

/** A result that is being written. */
export interface Result {
  /** The colours of the text. */
  readonly paint: ChalkInstance;
  /** Columns of its lines; undefined: any number. */
  readonly columns: number | undefined;
  /** Writes as it is: JSON, YAML and other formats that programs read. */
  write(text: string): void;
  /** Writes text for people: it is fitted into the columns. */
  print(text: string): void;
  /** Finishes a file. Throws E_WRITE. */
  end(): void;
}

/** Whether a result goes to a file. */
export const toFile = (output: string | undefined): output is string =>
  output !== undefined && output !== '-';

/** Throws E_WRITE if a result could not be written. */
export function checkOutput(output: string | undefined): void {
  if (toFile(output)) checkWritable(output);
}

/** Begins a result: on stdout at once, in a file whole at its end. Throws E_WRITE if the file could not be written. */
export function openResult(io: Io, output: string | undefined): Result {
  if (!toFile(output)) {
    const columns = columnsOf(io, io.stdout);
    const write = (text: string): void => {
      io.stdout.write(text);
    };
    const print = (text: string): void => {
      write(fitted(text, columns));
    };
    return { paint: io.paint, columns, write, print, end: () => undefined };
  }
  checkWritable(output);
  const parts: string[] = [];
  const write = (text: string): void => {
    parts.push(text);
  };
  const end = (): void => {
    writeWhole(output, parts.join(''));
  };
  return { paint: new Chalk({ level: 0 }), columns: undefined, write, print: write, end };
}

/** Text for people beside a result that is on stdout. */
export function onStderr(io: Io): Result {
  const columns = columnsOf(io, io.stderr);
  const write = (text: string): void => {
    io.stderr.write(text);
  };
  const print = (text: string): void => {
    write(fitted(text, columns));
  };
  const paint = io.paintError ?? new Chalk({ level: 0 });
  return { paint, columns, write, print, end: () => undefined };
}

/** Writes bytes to stdout. */
export function writeBytes({ stdout }: Io, bytes: Uint8Array): void {
  if (stdout.writeBytes !== undefined) stdout.writeBytes(bytes);
  else stdout.write(new TextDecoder('latin1').decode(bytes));
}

/** Writes a whole result in a format for programs. */
export function writeResult(io: Io, output: string | undefined, text: string): void {
  const result = openResult(io, output);
  result.write(text);
  result.end();
}

/** Writes a whole result that is no text. Throws E_WRITE. */
export function writeBinary(io: Io, output: string | undefined, bytes: Uint8Array): void {
  if (toFile(output)) writeWhole(output, bytes);
  else writeBytes(io, bytes);
}

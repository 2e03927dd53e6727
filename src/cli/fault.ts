/** The message for an error that is neither the input's nor the output's: a fault of sme-boot. */
import type { InputError } from '../base/errors.js';
import { oneLine, printableLines } from '../base/printable.js';
import { partsOf } from '../base/thrown.js';

/** What a report of a fault needs. */
export interface FaultContext {
  readonly version: string;
  /** The words of the command line, without the program. */
  readonly argv: readonly string[];
  /** Whether a word of the command line names an existing file, which the report should have. */
  readonly isFile: (word: string) => boolean;
  /** Prints the stack too. */
  readonly verbose: boolean;
}

/** The platform as a report states it. */
const platform = (): string => `node ${process.version} (${process.platform} ${process.arch})`;

/** A word as a POSIX shell reads it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** The error's class and message. */
function summary(error: unknown): string {
  const { name, message } = partsOf(error);
  return oneLine(name === '' ? `thrown: ${String(error)}` : `${name}: ${message}`);
}

/** The files that the words name, also as the value of an option (`--kernel=FILE`). */
function filesOf({ argv, isFile }: FaultContext): string[] {
  const words = argv.flatMap((word) => [word, word.slice(word.indexOf('=') + 1)]);
  return [...new Set(words.filter((word) => word !== '' && isFile(word)))];
}

/** The fault on one line, what to attach to a report on the next ones, and the stack if it was asked for. */
export function faultText(error: unknown, context: FaultContext): string {
  const { version, argv, verbose } = context;
  const files = filesOf(context).map(oneLine);
  return [
    `sme-boot: this is a fault of sme-boot: ${summary(error)}`,
    'Please report it, with:',
    `  version:      sme-boot ${version}, ${platform()}`,
    `  command line: ${oneLine(['sme-boot', ...argv.map(quoted)].join(' '))}`,
    ...(files.length === 0 ? [] : [`  files:        ${files.join(', ')}`]),
    ...(verbose ? [printableLines(partsOf(error).stack)] : ['  the stack, which --verbose prints']),
    '',
  ].join('\n');
}

/** The stack of what own code threw, for an error that is about it; '' for any other. */
export function causeText({ code, cause }: InputError): string {
  const stack = code === 'E_OWN_HUNK' ? printableLines(partsOf(cause).stack) : '';
  return stack === '' ? '' : `${stack}\n`;
}

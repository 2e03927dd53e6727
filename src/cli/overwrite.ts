/** Refuses an output that is also an input of its command, or the file of another output. */
import type { Command, Option } from 'commander';
import { InputError } from '../base/errors.js';
import { own } from '../base/own.js';
import { fileIdentity } from '../node/write-file.js';
import { STDIN } from '../node/stdin.js';
import { commandName, flagOf } from './usage.js';

/** Options that name a file to write, by their attribute. */
const OUTPUTS: ReadonlySet<string> = new Set(['output', 'save', 'matchOut', 'snapshot']);
/** Names of arguments, and of the values of options, that are files. */
const FILES = /FILE|PATH/;
/** A word that is a file also where names are taken. */
const PATH = /[./\\]/;

/** A file of a command line: the word, and what names it there. */
interface Named {
  readonly by: string;
  readonly file: string;
}

/** The words of a command that may be files to read. `trace` may replace its own file. */
function argumentsOf(command: Command): Named[] {
  const known = command.registeredArguments;
  if (command.name() === 'trace') return [];
  return command.args.flatMap((word, i) => {
    const name = (known[i] ?? known.at(-1))?.name() ?? '';
    return FILES.test(name) || PATH.test(word) ? [{ by: name, file: word }] : [];
  });
}

/** The options of a command and of those around it, each once: `matrix` and its `merge` share their output. */
function optionsOf(command: Command): Option[] {
  const around = command.parent === null ? [] : optionsOf(command.parent);
  const shown = command.options.filter(({ hidden }) => !hidden);
  const names = new Set(shown.map((option) => option.attributeName()));
  return [...shown, ...around.filter((option) => !names.has(option.attributeName()))];
}

/** The values of an option that are words. */
function wordsOf(command: Command, option: Option): string[] {
  const value = own<unknown>(command.optsWithGlobals(), option.attributeName());
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each): each is string => typeof each === 'string' && each !== STDIN);
}

/** Throws E_USAGE, naming both, if an output of a command is one of its inputs or of its other outputs. */
export function checkOverwritten(command: Command): void {
  const seen = new Map<string, Named>();
  const outputs: Named[] = [];
  for (const each of argumentsOf(command)) {
    const identity = fileIdentity(each.file);
    if (identity !== undefined) seen.set(identity, each);
  }
  for (const option of optionsOf(command)) {
    for (const file of wordsOf(command, option)) {
      const named = { by: flagOf(option), file };
      if (OUTPUTS.has(option.attributeName())) outputs.push(named);
      else if (FILES.test(option.flags) || PATH.test(file)) {
        const identity = fileIdentity(file);
        if (identity !== undefined) seen.set(identity, named);
      }
    }
  }
  for (const output of outputs) {
    const identity = fileIdentity(output.file);
    if (identity === undefined) continue;
    const other = seen.get(identity);
    if (other !== undefined) throw overwritten(command, output, other);
    seen.set(identity, output);
  }
}

function overwritten(command: Command, output: Named, other: Named): InputError {
  return new InputError({
    code: 'E_USAGE',
    place: { path: commandName(command) },
    reason: `${output.by} would overwrite the file of ${other.by}`,
    expected: 'another file',
    found: `${other.by} ${other.file} and ${output.by} ${output.file}`,
  });
}

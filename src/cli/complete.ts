/** What may stand at the end of a command line: for the shells' completion. */
import type { Argument, Command, Option } from 'commander';
import { valuesOf, type Kind, type Values } from './complete-values.js';

/** A completion: the word, and what it is. */
export interface Candidate {
  readonly value: string;
  readonly about?: string;
}

/** All completions of a word. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  /** The shell completes names of files as well. */
  readonly files: boolean;
  /** No space after the completion: it is the beginning of a word. */
  readonly open: boolean;
}

const NOTHING: Completion = { candidates: [], files: false, open: false };

/** The last command that the words name, and the words behind its name. */
function commandAt(top: Command, words: readonly string[]): [Command, readonly string[]] {
  let command = top;
  let at = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word.startsWith('-')) {
      if (takesValue(optionOf(command, word)) && !word.includes('=')) i++;
      continue;
    }
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) break;
    command = inner;
    at = i + 1;
  }
  return [command, words.slice(at)];
}

/** The option that a word names: `--stage`, `--stage=3`, `-o`. */
function optionOf(command: Command, word: string): Option | undefined {
  const [name] = word.split('=');
  const own = command.options.find(({ long, short }) => long === name || short === name);
  return own ?? (command.parent === null ? undefined : optionOf(command.parent, word));
}

const takesValue = (option: Option | undefined): option is Option =>
  option !== undefined && (option.required || option.optional);

/** The arguments before the current word, and the option whose value the current word is. */
function positionOf(
  command: Command,
  words: readonly string[],
): { readonly before: string[]; readonly option?: Option } {
  const before: string[] = [];
  let open: Option | undefined;
  let onlyArguments = false;
  for (const word of words) {
    if (!onlyArguments && word === '--') onlyArguments = true;
    else if (!onlyArguments && word.startsWith('-') && word !== '-') {
      const option = optionOf(command, word);
      open = takesValue(option) && !word.includes('=') ? option : undefined;
    } else if (open === undefined) before.push(word);
    else if (!open.variadic) open = undefined;
  }
  return open === undefined ? { before } : { before, option: open };
}

const argumentAt = (command: Command, at: number): Argument | undefined => {
  const known = command.registeredArguments;
  const last = known.at(-1);
  return known[at] ?? (last?.variadic === true ? last : undefined);
};

/** The candidates that begin with a word, of which `before` was already written in front of them. */
function matching(values: Values, word: string, before = ''): Completion {
  const candidates = values.candidates
    .map((each) => ({ ...each, value: before + each.value }))
    .filter(({ value }) => value.startsWith(before + word) && value !== '');
  return {
    candidates,
    files: values.files === true,
    open: candidates.length > 0 && candidates.every(({ value }) => /[=:/]$/.test(value)),
  };
}

/** The options of a command whose names begin with a word. */
function optionNames(command: Command, word: string): Completion {
  const help = command.createHelp();
  const own = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
  const candidates = [
    ...own,
    ...(command.parent === null ? [] : command.parent.options.filter(({ hidden }) => !hidden)),
  ]
    .flatMap(({ long, description }) =>
      long?.startsWith(word) === true ? [{ value: long, about: description }] : [],
    )
    .filter(({ value }, i, all) => all.findIndex((each) => each.value === value) === i);
  return { candidates, files: false, open: false };
}

/** The completions of the last of `words`, those behind the program's name. Values that cannot be read are none. */
export function complete(top: Command, words: readonly string[]): Completion {
  const current = words.at(-1) ?? '';
  const [command, behind] = commandAt(top, words.slice(0, -1));
  const { before, option } = positionOf(command, behind);
  const values = (kind: Kind & { word?: string }): Values => {
    try {
      return valuesOf(kind, { command, words: before, word: kind.word ?? current });
    } catch {
      // A completion prints no errors: the command itself says what is wrong.
      return { candidates: [] };
    }
  };
  if (option !== undefined && !(option.variadic && current.startsWith('-'))) {
    return matching(
      values({ of: 'option', name: option.long ?? '', choices: option.argChoices }),
      current,
    );
  }
  if (current.startsWith('--') && current.includes('=')) {
    const [name = ''] = current.split('=', 1);
    const named = optionOf(command, name);
    if (!takesValue(named)) return NOTHING;
    const word = current.slice(name.length + 1);
    const kind = { of: 'option', name: named.long ?? '', choices: named.argChoices, word } as const;
    return matching(values(kind), word, `${name}=`);
  }
  if (current.startsWith('-')) return optionNames(command, current);
  const ofHelp = command.parent === null && before.length === 1 && before[0] === 'help';
  const inner = before.length > 0 && !ofHelp ? [] : command.createHelp().visibleCommands(command);
  const commands = inner
    .filter((each) => each.name() !== 'help' || command.parent === null)
    .map((each) => ({ value: each.name(), about: each.description() }));
  const argument = argumentAt(command, before.length);
  const own =
    argument === undefined
      ? { candidates: [] }
      : values({ of: 'argument', name: argument.name(), choices: argument.argChoices });
  return matching({ ...own, candidates: [...commands, ...own.candidates] }, current);
}

/** A completion as the shells' scripts read it: a line each, then a line of what else there is. */
export function completionText({ candidates, files, open }: Completion): string {
  const plain = (text: string): string => text.replace(/[\t\n\r]+/g, ' ');
  const lines = candidates.map(({ value, about = '' }) =>
    about === '' ? plain(value) : `${plain(value)}\t${plain(about)}`,
  );
  const more = [...(files ? ['files'] : []), ...(open ? ['open'] : [])];
  return `${[...lines, `:${more.join(' ')}`].join('\n')}\n`;
}

/** Errors of the command line's form, each in one line: unknown commands and options, missing, excess and repeated words. */
import type { Command, CommanderError, Option } from 'commander';
import { InputError, type InputErrorDetails } from '../base/errors.js';
import { oneOf, suggest } from '../base/suggest.js';

/** The words of a command: `run`, `matrix merge`; `sme-boot` for the program itself. */
export function commandName(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  return names.length === 0 ? command.name() : names.join(' ');
}

function usage(command: Command, details: Omit<InputErrorDetails, 'code'>): InputError {
  return new InputError({ code: 'E_USAGE', place: { path: commandName(command) }, ...details });
}

/** The name of an option as the help has it first. */
export const flagOf = (option: Option): string => option.long ?? option.short ?? option.flags;

const optionsOf = (command: Command): string[] =>
  command.options.filter(({ hidden }) => !hidden).map(flagOf);

/** All commands of a program, itself included. */
function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function unknownOption(command: Command, flag: string): InputError {
  const reason = `unknown option ${flag}`;
  const near = suggest(flag, [...optionsOf(command), '--help']);
  const others = allOf(rootOf(command)).filter((other) => optionsOf(other).includes(flag));
  const expected = `an option of "${['sme-boot', commandName(command)].join(' ')} --help"`;
  if (others.length > 0) {
    const names = others.map(commandName).join(', ');
    return usage(command, { reason: `${reason}, which is an option of ${names}`, ...near });
  }
  return usage(command, { reason, ...(near.suggestion === undefined && { expected }), ...near });
}

function unknownCommand(command: Command, name: string): InputError {
  const names = command.commands
    .map((each) => each.name())
    .filter((each) => !each.startsWith('__'));
  return usage(command, {
    reason: 'no such command',
    expected: oneOf(names, 'a command of "sme-boot --help"'),
    found: name,
    ...suggest(name, names),
  });
}

/** Throws E_USAGE for `help WORD`, also of a command with commands of its own, if there is no command of that name. */
export function checkHelp(top: Command, argv: readonly string[]): void {
  const named = (command: Command, word: string | undefined): Command | undefined =>
    command.commands.find((each) => each.name() === word);
  const words = argv.filter((word, i) => !word.startsWith('-') && argv[i - 1] !== '--color');
  let command = top;
  for (let inner = named(top, words[0]); inner !== undefined; inner = named(inner, words[0])) {
    command = inner;
    words.shift();
  }
  const helps = command.createHelp().visibleCommands(command);
  if (words.shift() !== 'help' || !helps.some((each) => each.name() === 'help')) return;
  for (const word of words) {
    const inner = named(command, word);
    if (inner === undefined && command.commands.length > 0) throw unknownCommand(command, word);
    if (inner === undefined) return;
    command = inner;
  }
}

/** A value that an option or argument does not take; `message` is commander's. */
function invalidValue(command: Command, message: string): InputError {
  const [, option, value, rest = ''] =
    /^option '([^ ']+)[^']*' (?:value )?argument '([\s\S]*)' is invalid\.\s*([\s\S]*)$/.exec(
      message,
    ) ?? [];
  const [, argued, argument, after = ''] =
    /^command-argument value '([\s\S]*)' is invalid for argument '([^']*)'\.\s*([\s\S]*)$/.exec(
      message,
    ) ?? [];
  const found = value ?? argued;
  const what = option ?? argument;
  if (found === undefined || what === undefined) return usage(command, { reason: message });
  const [, choices] = /^Allowed choices are (.*)\.$/.exec(rest + after) ?? [];
  return new InputError({
    code: 'E_USAGE',
    place: { path: `${commandName(command)} ${what}` },
    expected: choices ?? (rest + after).replace(/^expected /, '').replace(/\.$/, ''),
    found: JSON.stringify(found),
    ...(choices !== undefined && suggest(found, choices.split(', '))),
  });
}

/** The error of a command line that does not have the form of `command`. */
export function usageError(error: CommanderError, command: Command): InputError {
  const message = error.message.replace(/^error: /, '');
  const [, quoted = ''] = /'([^']*)'/.exec(message) ?? [];
  switch (error.code) {
    case 'commander.unknownOption':
      return unknownOption(command, quoted);
    case 'commander.unknownCommand':
      return unknownCommand(command, quoted);
    case 'commander.invalidArgument':
      return invalidValue(command, message);
    case 'commander.missingArgument':
      return usage(command, { reason: `${quoted} is missing`, expected: formOf(command) });
    case 'commander.optionMissingArgument': {
      const [flag = ''] = quoted.split(/,? /).filter((word) => /^--/.test(word));
      return usage(command, {
        reason: `${flag} needs a value`,
        expected: `${flag} ${quoted.split(' ').at(-1) ?? ''}`,
      });
    }
    case 'commander.excessArguments': {
      const excess = command.args.slice(command.registeredArguments.length);
      return usage(command, {
        reason: 'too many arguments',
        expected: formOf(command),
        found: excess.length === 0 ? message : excess.join(' '),
      });
    }
    default:
      return usage(command, { reason: message });
  }
}

const formOf = (command: Command): string => `${commandName(command)} ${command.usage()}`;

/** How an option was given: its flag as in the help, and its value; undefined: it takes none. */
interface Given {
  readonly flag: string;
  readonly value: string | undefined;
}

const givenText = ({ flag, value }: Given): string =>
  value === undefined ? flag : `${flag} ${value}`;

/**
 * Makes a command refuse an option that is given twice, also under its former name or with its negation, unless its values
 * are collected. The same option without a value may be repeated.
 */
export function refuseRepeats(command: Command): void {
  const seen = new Map<string, Given>();
  for (const option of command.options) {
    const [attribute, flag] = [option.attributeName(), flagOf(option)];
    const takesNone = option.isBoolean() || option.negate;
    command.on(`option:${option.name()}`, (value: unknown) => {
      const collects = option.variadic || Array.isArray(command.getOptionValue(attribute));
      const before = seen.get(attribute);
      const now = { flag, value: takesNone ? undefined : String(value) };
      seen.set(attribute, now);
      if (before === undefined || collects) return;
      if (before.value === undefined && before.flag === flag) return;
      const names = before.flag !== flag;
      throw usage(command, {
        reason: names ? `${before.flag} and ${flag} exclude each other` : `${flag} is given twice`,
        expected: names ? 'one of the two' : 'one value',
        found: names
          ? `${givenText(before)} ${givenText(now)}`
          : `${String(before.value)} and ${String(now.value)}`,
      });
    });
  }
}

/** The options of a command that were given on the command line. */
export function givenOptions(command: Command): string[] {
  return command.options
    .filter((option) => !option.hidden)
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .map(flagOf);
}

/** Throws E_USAGE if a command was given options besides `used`: they would have no effect. `reason` says why. */
export function refuseUnused(command: Command, used: readonly string[], reason: string): void {
  const unused = givenOptions(command).filter((flag) => !used.includes(flag));
  if (unused.length === 0) return;
  throw usage(command, {
    reason: `${reason}: ${unused.join(', ')} would have no effect`,
    ...(used.length > 0 && {
      expected:
        used.length === 1 ? `no option but ${used.join('')}` : `no options but ${used.join(', ')}`,
    }),
    found: unused.join(' '),
  });
}

/** Throws E_USAGE if a command was given the argument of an index: it would have no effect. `reason` says why. */
export function refuseArgument(command: Command, index: number, reason: string): void {
  const found = command.args[index];
  if (found === undefined) return;
  throw usage(command, { reason: `${reason}: ${found} would have no effect`, found });
}

/** Throws E_USAGE if `flag` is given and `needs` is not. */
export function refuseWithout(command: Command, flag: string, needs: string): void {
  const given = givenOptions(command);
  if (!given.includes(flag) || given.includes(needs)) return;
  throw usage(command, {
    reason: `${flag} has no effect without ${needs}`,
    expected: needs,
    found: flag,
  });
}

/** Prepares a program and its commands: repeated options are refused, and `onError` is told the command of an error. */
export function watchUsage(command: Command, onError: (command: Command) => void): void {
  refuseRepeats(command);
  command.exitOverride().configureOutput({
    outputError: () => {
      onError(command);
    },
  });
  for (const each of command.commands) watchUsage(each, onError);
}

/** `sme-boot man`: the man page, made from the same descriptions as the help. */
import { Command } from 'commander';
import { fitted } from './fit.js';
import { TWO_COLUMNS } from './help-text.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { addOutput, writeResult, type OutputFlags } from './output.js';
import { macro, roffText } from './roff.js';

/** Columns of a line that is printed as it is: 80 less the page's indentations. */
const LITERAL_COLUMNS = 66;

const ENVIRONMENT = [
  ['NO_COLOR', 'If set and not empty, there are no colours.'],
  [
    'FORCE_COLOR',
    'Colours also where the output is no terminal; 0 for none. It comes before NO_COLOR, and the option --color before both.',
  ],
  ['TERM', 'With the value dumb there are no colours, and progress is printed as lines.'],
  ['COLUMNS', 'The width that text is fitted into, instead of the width of the terminal.'],
  ['CI', 'If set and not empty, check --update is refused.'],
] as const;

/** A line in the column of the meanings. */
const FAR = /^ {20}/;
const CONTINUED = /^ {6}/;

/** A term and what it means. */
const item = (term: string, text: string): string[] => ['.TP', macro('B', term), roffText(text)];

/** Lines of a help text that are indented: terms with their meanings, and lines to print as they are. */
function indented(lines: readonly string[]): string[] {
  const out: string[] = [];
  let literal: string[] = [];
  const flush = (): void => {
    if (literal.length > 0) {
      out.push('.PP', '.RS 4', '.nf', ...literal.map(roffText), '.fi', '.RE');
    }
    literal = [];
  };
  for (const line of lines) {
    // What a long command means is on a line of its own.
    if (FAR.test(line) && literal.length > 0) {
      const [command = ''] = literal.splice(-1);
      flush();
      out.push(...item(command, line.trim()));
      continue;
    }
    // A meaning that is continued.
    if (CONTINUED.test(line) && literal.length === 0 && out.length > 0) {
      out.push(roffText(line.trim()));
      continue;
    }
    const [, term, , text] = TWO_COLUMNS.exec(line) ?? [];
    if (term !== undefined && text !== undefined) {
      flush();
      out.push(...item(term.trim(), text));
    } else {
      literal.push(...fitted(line.replace(/^ {2}/, ''), LITERAL_COLUMNS).split('\n'));
    }
  }
  flush();
  return out;
}

/** The text below the options in a command's help. */
function textBelow(command: Command): string {
  let text = '';
  const output = command.configureOutput();
  command.configureOutput({
    writeOut: (more) => {
      text += more;
    },
  });
  command.outputHelp();
  command.configureOutput(output);
  return text.slice(command.helpInformation().length);
}

/** A help text: paragraphs, headings that end with a colon, indented lines. `section` makes a heading's request. */
function textRoff(text: string, section: (heading: string) => string[]): string[] {
  return text
    .split(/\n{2,}/)
    .map((block) => block.split('\n').filter((line) => line !== ''))
    .flatMap((lines) => {
      const first = lines.findIndex((line) => line.startsWith(' '));
      const prose = first < 0 ? lines : lines.slice(0, first);
      const below = first < 0 ? [] : lines.slice(first);
      const after = below.findIndex((line) => !line.startsWith(' '));
      const inside = after < 0 ? below : below.slice(0, after);
      const rest = after < 0 ? [] : below.slice(after);
      const [, heading, more = ''] =
        /^([A-Z][a-z]+(?: [a-z]+)?):(?: (.*))?$/s.exec(prose.join(' ')) ?? [];
      const head =
        heading === undefined
          ? ['.PP', roffText(prose.join(' '))]
          : [
              ...section(heading),
              ...(more === '' ? [] : [roffText(more.charAt(0).toUpperCase() + more.slice(1))]),
            ];
      return [
        ...(prose.length === 0 ? [] : head),
        ...indented(inside),
        ...(rest.length === 0 ? [] : ['.PP', roffText(rest.join(' '))]),
      ];
    });
}

/** The options of a command. */
function optionsRoff(command: Command): string[] {
  const help = command.createHelp();
  return help
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help')
    .flatMap((option) => item(help.optionTerm(option), help.optionDescription(option)));
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** A command and those below it. */
function commandRoff(command: Command, path: string): string[] {
  const help = command.createHelp();
  const name = `${path} ${command.name()}`;
  const inner = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  const inside = inner.flatMap((each) => commandRoff(each, name));
  const args = help
    .visibleArguments(command)
    .flatMap((argument) => item(help.argumentTerm(argument), help.argumentDescription(argument)));
  const bold = (heading: string): string[] => ['.PP', macro('B', heading)];
  return [
    macro('SS', `${name} ${command.usage()}`.trim()),
    roffText(sentence(command.description())),
    ...args,
    ...optionsRoff(command),
    ...textRoff(textBelow(command), bold),
    ...inside,
  ];
}

/** The man page of the program. */
export function manPage(top: Command): string {
  const help = top.createHelp();
  const commands = help.visibleCommands(top).filter((each) => each.name() !== 'help');
  const lines = [
    macro('TH', 'SME-BOOT', '1', '', `sme-boot ${top.version() ?? ''}`, 'User Commands'),
    macro('SH', 'NAME'),
    `sme\\-boot \\- ${roffText('boot Linux with AMD memory encryption, one patch at a time')}`,
    macro('SH', 'SYNOPSIS'),
    macro('B', 'sme-boot'),
    roffText('[options] command [arguments]'),
    macro('SH', 'DESCRIPTION'),
    roffText(top.description()),
    macro('SH', 'OPTIONS'),
    ...optionsRoff(top),
    macro('SH', 'COMMANDS'),
    ...commands.flatMap((each) => commandRoff(each, 'sme-boot')),
    ...textRoff(textBelow(top), (heading) => [macro('SH', heading.toUpperCase())]),
    macro('SH', 'ENVIRONMENT'),
    ...ENVIRONMENT.flatMap(([name, text]) => item(name, text)),
    macro('SH', 'SEE ALSO'),
    roffText('The pages in docs/ of the package; sme-boot help COMMAND.'),
  ];
  return `${lines.join('\n')}\n`;
}

export function manCommand(top: Command, io: Io): Command {
  const command = new Command('man')
    .description('print the man page')
    .addHelpText('after', `\nExamples:\n  sme-boot man | man -l -\n${exitHelp()}`)
    .action(({ output }: OutputFlags) => {
      writeResult(io, output, manPage(top));
    });
  return addOutput(command, { formats: ['roff'], what: 'the page' });
}

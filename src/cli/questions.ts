/** `sme-boot questions`: lists the questions of reviewers, shows one, and runs the commands that answer them. */
import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { ChalkInstance } from 'chalk';
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { suggest } from '../base/suggest.js';
import { wholeNumber } from '../base/whole-number.js';
import { readYaml, type YamlSource } from '../base/yaml-source.js';
import { resultText } from '../check/report.js';
import { questionOf, type Question, type QuestionState } from '../check/question.js';
import { countsText, isFine, type Result as Checked } from '../check/result.js';
import { readText } from '../node/files.js';
import { table } from './columns.js';
import { STDIN } from '../node/stdin.js';
import { defaultFolder } from './default-folder.js';
import { EXIT, exitHelp } from './exit-codes.js';
import { checkKeys, checkText } from './file-kinds.js';
import { fitted } from './fit.js';
import type { Io } from './io.js';
import { addOutput, formOf, openResult, type OutputFlags } from './output.js';
import { packageRoot } from './paths.js';
import { Progress } from './progress.js';
import { questionVerdict, type RunCommand } from './question-run.js';
import { yamlFiles } from './yaml-files.js';

const FORMS = ['text', 'json'] as const;

interface Flags extends OutputFlags<(typeof FORMS)[number]> {
  run?: boolean;
}

/** Columns of a list or card that is not on a terminal (our choice: a line of a mail). */
const COLUMNS = 76;
/** Where a mail is found by its Message-ID. */
const ARCHIVE = 'https://lore.kernel.org/r/';

const EXAMPLES = `
A question is a YAML file: the question, who asked, and the commands that answer it with the output that they must have,
or what the simulator lacks for an answer. "sme-boot check" runs them too.

Examples:
  sme-boot questions                  list them, with what is missing for those without an answer
  sme-boot questions 14               show one: the answer, and the commands to see it
  sme-boot questions 14 16 --run      run the commands of two and compare
  sme-boot questions --run            of all
  sme-boot schema question            the JSON Schema of a question
${exitHelp({ mismatch: 'with --run: a command printed something else' })}`;

export function questionsCommand(io: Io, run: RunCommand): Command {
  const command = new Command('questions')
    .description('list questions of reviewers, show one, run the commands that answer them')
    .argument(
      '[QUESTIONS...]',
      'numbers or names, files or directories (default: ./questions if there is one, else those of sme-boot)',
    )
    .option('--run', 'run the commands and compare their output with the answer')
    .addHelpText('after', EXAMPLES)
    .action(async (given: string[], flags: Flags) => {
      await questions(io, run, given, flags);
    });
  return addOutput(command, { formats: FORMS });
}

/** A question with its file. */
interface Loaded extends Question {
  readonly id: string;
  readonly source: YamlSource;
}

function load(file: string): Loaded {
  const name = file === STDIN ? file : relative('.', file);
  const source = checkKeys('question', readYaml(name, checkText('question', name, readText(file))));
  return { ...questionOf(source), id: idOf(file), source };
}

/** The number of a file, or its name: 14 for `questions/14.yaml`. */
function idOf(file: string): string {
  const name = basename(file).replace(/\.ya?ml$/, '');
  return /^0\d+$/.test(name) ? name.replace(/^0+(?=\d)/, '') : name;
}

/** Numbers in their order, then names. */
const byId = (a: Loaded, b: Loaded): number =>
  (wholeNumber(a.id) ?? Infinity) - (wholeNumber(b.id) ?? Infinity) || (a.id < b.id ? -1 : 1);

/** Whether a word is `-` or the path of a file or directory, and no number or name. */
const isPath = (word: string): boolean =>
  word === STDIN || /[/\\.]/.test(word) || (!/^\d+$/.test(word) && existsSync(word));

/** The error for a number or name that no question of a folder has. */
function unknownQuestion(word: string, all: readonly Loaded[]): InputError {
  const file = `${word}.yaml`;
  const names = all.map(({ id }) => id).filter((id) => wholeNumber(id) === undefined);
  return new InputError({
    code: 'E_QUESTION_UNKNOWN',
    place: { path: 'questions' },
    expected: 'a file, or a number or name that "sme-boot questions" prints',
    found: word === '' ? '""' : word,
    ...(existsSync(file) ? { suggestion: file } : suggest(word, names)),
  });
}

/** The given questions; all of the default folder for none. Throws E_QUESTION_UNKNOWN for an unknown number or name. */
function chosen(io: Io, given: readonly string[]): Loaded[] {
  const paths = given.filter(isPath);
  const words = given.filter((word) => !isPath(word));
  const fromPaths = paths.length === 0 ? [] : yamlFiles(paths, 'no question found').map(load);
  if (given.length > 0 && words.length === 0) return fromPaths.sort(byId);
  const { folder } = defaultFolder(io, 'questions', { told: given.length === 0 });
  const all = yamlFiles([folder], 'no question found').map(load);
  if (given.length === 0) return all.sort(byId);
  const named = words.map((word) => {
    const id = idOf(word);
    const found = all.find((each) => each.id === id);
    if (found !== undefined) return found;
    throw unknownQuestion(word, all);
  });
  return [...new Set([...fromPaths, ...named])];
}

async function questions(io: Io, run: RunCommand, given: string[], flags: Flags): Promise<void> {
  const form = formOf(flags, FORMS);
  const list = chosen(io, given);
  const out = openResult(io, flags.output);
  const columns = out.columns ?? COLUMNS;
  if (flags.run === true) {
    const progress = new Progress(io);
    const results: Checked[] = [];
    for (const [index, each] of list.entries()) {
      progress.next(index, list.length, `question ${each.id}`);
      const { id, source, question } = each;
      const verdict = await questionVerdict(each, source, run);
      const result = { name: `${id}  ${question}`, group: ['questions', id], ...verdict };
      progress.clear();
      if (form === 'text') out.print(resultText(result));
      results.push(result);
    }
    if (form === 'text') out.print(`\n${countsText(results)}\n`);
    else out.write(json(list, results));
    if (!results.every(isFine)) io.exitCode = EXIT.mismatch;
  } else if (form === 'json') out.write(json(list));
  else if (given.length > 0) {
    out.print(list.map((each) => cardText(each, columns, out.paint)).join('\n'));
  } else out.print(listText(list, columns));
  out.end();
}

/** The questions as JSON, with the results of their commands if they were run. */
function json(list: readonly Loaded[], results?: readonly Checked[]): string {
  const rows = list.map(({ id, source, commands, ...question }, i) => {
    const result = results?.[i];
    return {
      id,
      file: source.file,
      ...question,
      commands: commands.map(({ run, status }) => ({ run, status })),
      ...(result !== undefined && {
        result: {
          status: result.status,
          failures: result.failures.map(({ headline, place }) => ({ ...place, headline })),
        },
      }),
    };
  });
  return `${JSON.stringify(rows, null, 2)}\n`;
}

/** The states in the list. */
const SHORT: Readonly<Record<QuestionState, string>> = {
  answered: 'answered',
  'partly answered': 'in part',
  'not answered': 'no',
};

/** The list: a row per question, with what is missing for those without an answer, and the number of those with one. */
function listText(list: readonly Loaded[], columns: number): string {
  const rows = list.flatMap(({ id, state, question, missing }) => [
    [id.padStart(2), SHORT[state], printable(question)],
    ...(missing === undefined ? [] : [['', '', `missing: ${printable(missing)}`]]),
  ]);
  const of = (wanted: QuestionState): number => list.filter(({ state }) => state === wanted).length;
  const [whole, part, total] = [of('answered'), of('partly answered'), list.length].map(String);
  return `${table(rows, columns)}\n${whole ?? ''} of ${total ?? ''} answered, ${part ?? ''} in part\n`;
}

/** One question with its answer and its commands. */
function cardText(loaded: Loaded, columns: number, paint: ChalkInstance): string {
  const { id, state, question, asked, answer, missing, commands } = loaded;
  const block = (text: string): string => fitted(`    ${printable(text)}`, columns, 0);
  const { by, about, messageId, note } = asked;
  const lines = [
    paint.bold(`question ${printable(id)}: ${state}`),
    block(question),
    `asked by: ${printable(by)}, on ${printable(about)}`,
    ...(messageId === null
      ? ['    the Message-ID is not known']
      : [`    Message-ID: ${printable(messageId)}`, `    Link: ${ARCHIVE}${printable(messageId)}`]),
    ...(note === undefined ? [] : [block(note)]),
    ...(answer === undefined ? [] : ['answer:', block(answer)]),
    ...(missing === undefined ? [] : ['missing:', block(missing)]),
    ...(commands.length === 0 ? [] : ['commands:']),
    ...commands.map(({ run }) => `    ${paint.cyan(printable(run))}`),
  ];
  return fitted(`${lines.join('\n')}\n`, columns);
}

/** The numbers and names of the package's questions, with the question. */
export const packageQuestions = (): { id: string; question: string }[] =>
  yamlFiles([join(packageRoot(), 'questions')], 'no question found')
    .map(load)
    .sort(byId);

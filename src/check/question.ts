/**
 * Questions of reviewers about a posting, as files: the question in our words, and either the commands that answer it, with
 * the output that the answer needs, or what the simulator lacks for an answer, or both.
 */
import * as z from 'zod';
import { InputError } from '../base/errors.js';
import { jsonSchema } from '../base/json-schema.js';
import { LIMITS } from '../base/limits.js';
import { splitWords } from '../base/shell-words.js';
import { suggest } from '../base/suggest.js';
import { readYaml, validate, valueAt, type PathKey, type YamlSource } from '../base/yaml-source.js';
import type { Directive } from './directive.js';
import { lineSchema, linesOf } from './lines.js';

/** The error code of a file of a question. */
const CODE = 'E_QUESTION';

/** Text of at least one word, on one line when printed. */
const text = z
  .string()
  .regex(/\S/, 'text')
  .transform((value) => value.trim().replace(/\s+/g, ' '));

/** Schema of a command, for a given schema of its lines. */
const commandSchema = <L extends z.ZodType>(line: L) =>
  z.strictObject({
    run: z
      .string()
      .min(1)
      .describe(
        'A command line of sme-boot that only reads: words and quotes, as a shell has them.',
      ),
    status: z.int().min(0).max(255).default(0).describe('The exit status that it must have.'),
    output: z
      .array(line)
      .min(1)
      .max(LIMITS.directives.most)
      .optional()
      .describe('Lines that it must print: those of stdout, then those of stderr.'),
  });

/** Schema of a list of commands, for a given schema of their lines. */
const commandsSchema = <L extends z.ZodType>(line: L) =>
  z
    .array(commandSchema(line))
    .min(1)
    .max(LIMITS.questionCommands.most)
    .optional()
    .describe('The commands that show the answer, in order; captures are shared.');

const questionSchema = z.strictObject({
  question: text.describe('The question, in our own words.'),
  asked: z
    .strictObject({
      by: text.describe('The role of who asked, not the name.'),
      about: text.describe('The posting: series, revision and patch.'),
      messageId: z
        .string()
        .regex(/^[^\s<>@]+@[^\s<>@]+$/, 'a Message-ID without < and >')
        .nullable()
        .describe('Message-ID of the mail that asks; null: not known.'),
      note: text.optional().describe('What the mail is, if it is not the question itself.'),
    })
    .describe('Where the question is from.'),
  answer: text.optional().describe('The answer in plain words.'),
  commands: commandsSchema(z.unknown()),
  missing: text
    .optional()
    .describe('What the simulator lacks for an answer, or for the rest of it.'),
});

type File = z.output<typeof questionSchema>;

/** One command of a question. */
export interface QuestionCommand {
  /** The command line as written. */
  readonly run: string;
  /** Its words after `sme-boot`. */
  readonly words: readonly string[];
  readonly status: number;
  readonly output: readonly Directive[];
}

/** Whether all of a question is answered, a part, or nothing. */
export type QuestionState = 'answered' | 'partly answered' | 'not answered';

/** A question of a file. */
export interface Question {
  readonly question: string;
  readonly asked: File['asked'];
  readonly state: QuestionState;
  readonly answer?: string;
  readonly missing?: string;
  readonly commands: readonly QuestionCommand[];
}

/** The commands that only read, whose output is theirs alone. */
const READERS = [
  'bisect',
  'diff',
  'effects',
  'inspect',
  'list',
  'matrix',
  'patches',
  'probe',
  'run',
  'trace',
];

/** Options that write files, with the former ones. */
const WRITES = /^(?:--(?:output|save|match-out|keep|trace)(?:=|$)|-o)/;

/** Whether a parsed file is a question. */
export const isQuestion = ({ value }: YamlSource): boolean =>
  valueAt(value, ['question']) !== undefined && valueAt(value, ['asked']) !== undefined;

/** The words of a command after `sme-boot`. Throws E_QUESTION for one that a question may not run. */
function wordsAt(source: YamlSource, path: readonly PathKey[], line: string): string[] {
  const refuse = (expected: string, found: string, near: { suggestion?: string } = {}): never => {
    throw new InputError({ code: CODE, place: source.place(path), expected, found, ...near });
  };
  const { words, open } = splitWords(line);
  if (open !== '') refuse(`the closing ${open}`, line);
  const [program, command = '', ...rest] = words;
  if (program !== 'sme-boot') refuse('a command line of sme-boot', program ?? '""');
  if (!READERS.includes(command)) {
    refuse(
      `one of ${READERS.join(', ')}`,
      command === '' ? '""' : command,
      suggest(command, READERS),
    );
  }
  const writes = rest.find((word) => WRITES.test(word));
  if (writes !== undefined) refuse('a command that writes no file', writes);
  if (rest.includes('-')) refuse('a command that reads no standard input', '-');
  return [command, ...rest];
}

/** The question of a parsed file. Throws InputError with its place: E_QUESTION. */
export function questionOf(source: YamlSource): Question {
  const {
    question,
    asked,
    answer,
    missing,
    commands = [],
  } = validate(CODE, questionSchema, source);
  const refuse = (path: readonly PathKey[], reason: string): InputError =>
    new InputError({ code: CODE, place: source.place(path), reason });
  if (commands.length > 0 && answer === undefined) throw refuse([], 'commands need an answer');
  if (commands.length === 0 && answer !== undefined) {
    throw refuse(['answer'], 'an answer needs the commands that show it');
  }
  if (commands.length === 0 && missing === undefined) {
    throw refuse([], 'it has neither commands nor what is missing for an answer');
  }
  const bound = new Set<string>();
  const parsed = commands.map(({ run, status, output }, i): QuestionCommand => {
    const words = wordsAt(source, ['commands', i, 'run'], run);
    const states = words.some((word) => /^--expect(?:=|$)/.test(word));
    if (output === undefined && status === 0 && !states) {
      throw refuse(['commands', i], 'it expects nothing: give output, a status, or --expect');
    }
    const path = ['commands', i, 'output'];
    return { run, words, status, output: linesOf(CODE, source, path, output ?? [], bound) };
  });
  const state =
    commands.length === 0 ? 'not answered' : missing === undefined ? 'answered' : 'partly answered';
  return {
    question,
    asked,
    state,
    ...(answer !== undefined && { answer }),
    ...(missing !== undefined && { missing }),
    commands: parsed,
  };
}

/** Parses a file of a question. Throws InputError with its place: E_YAML, E_QUESTION. */
export function readQuestion(file: string, content: string): Question {
  return questionOf(readYaml(file, content));
}

/** The JSON Schema of a file of a question. */
export function questionJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'question',
    title: 'sme-boot question',
    description: "A reviewer's question with the commands that answer it (docs/questions.md).",
  };
  return jsonSchema(names, questionSchema.extend({ commands: commandsSchema(lineSchema) }));
}

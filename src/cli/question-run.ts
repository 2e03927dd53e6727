/** Runs the commands of a question in this process and compares what they print with what the question's file states. */
import { Chalk } from 'chalk';
import { commandLine } from '../base/shell-words.js';
import { printable } from '../base/printable.js';
import type { YamlSource } from '../base/yaml-source.js';
import { lineFailure, matchLines } from '../check/lines.js';
import type { Captures } from '../check/pattern.js';
import type { Question, QuestionCommand } from '../check/question.js';
import { placePrefix, type Failure, type Result } from '../check/result.js';
import type { Io, Output } from './io.js';

/** Runs a command line, without the program's name; returns its exit status. */
export type RunCommand = (argv: readonly string[], io: Io) => Promise<number>;

/** What a command did. */
interface Ran {
  readonly status: number;
  /** Of stdout, then of stderr. */
  readonly lines: readonly string[];
}

/** Runs a command with streams of its own: no terminal, no colours, lines of any length. */
async function ranCommand(run: RunCommand, words: readonly string[]): Promise<Ran> {
  const text = { out: '', err: '' };
  const output = (name: keyof typeof text): Output => ({
    write: (more) => {
      text[name] += more;
    },
    isTTY: false,
    columns: undefined,
  });
  const status = await run(words, {
    stdout: output('out'),
    stderr: output('err'),
    paint: new Chalk({ level: 0 }),
    env: {},
    exitCode: 0,
  });
  const lines = [text.out, text.err].flatMap((each) => each.split('\n').slice(0, -1));
  return { status, lines };
}

/** The failure of a check at a place of the question's file. */
function failureOf(place: Failure['place'], what: string, details: readonly string[]): Failure {
  const lines = [`${placePrefix(place)}${what}`, ...details.map((line) => `  ${line}`)];
  return { place, headline: what, lines };
}

/** Compares what a command did with what is stated: the failures, and the captures for the next command. */
function compared(
  { status, output, run }: QuestionCommand,
  ran: Ran,
  source: YamlSource,
  at: { readonly index: number; readonly captures: Captures },
): { readonly failures: readonly Failure[]; readonly captures: Captures } {
  const path = ['commands', at.index];
  const { results, captures } = matchLines(output, ran.lines, at.captures);
  const command = printable(run);
  const wrongStatus =
    ran.status === status
      ? []
      : [
          failureOf(
            source.place([...path, 'status']),
            `${command}: exit status: expected ${String(status)}, found ${String(ran.status)}`,
            ran.lines.slice(-1).map((line) => `| ${printable(line)}`),
          ),
        ];
  // The output is shown once; after a wrong status its last line says why.
  let shown = wrongStatus.length > 0;
  const wrongLines = results.flatMap((result) => {
    const failure = lineFailure(result, ran.lines);
    if (failure === undefined) return [];
    const place = source.place([...path, 'output', result.index]);
    const details = shown ? [] : failure.details;
    shown = true;
    return [failureOf(place, `${command}: ${failure.headline}`, details)];
  });
  return { failures: [...wrongStatus, ...wrongLines], captures };
}

/** The result of a question's commands; a question without commands is skipped, with what is missing. */
export async function questionVerdict(
  question: Question,
  source: YamlSource,
  run: RunCommand,
): Promise<Omit<Result, 'name' | 'group'>> {
  const { commands, missing } = question;
  if (commands.length === 0) {
    const note = `not answered: ${missing ?? ''}`;
    return { status: 'skipped', failures: [], lines: [], note };
  }
  const failures: Failure[] = [];
  let captures: Captures = new Map();
  for (const [index, command] of commands.entries()) {
    const ran = await ranCommand(run, command.words);
    const result = compared(command, ran, source, { index, captures });
    failures.push(...result.failures);
    captures = result.captures;
  }
  return {
    status: failures.length === 0 ? 'ok' : 'failed',
    failures,
    lines: failures.flatMap(({ lines }) => lines),
    ...(failures.length > 0 && {
      rerun: commandLine(['sme-boot', 'questions', source.file, '--run']),
    }),
  };
}

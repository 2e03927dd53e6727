/** The exit codes of all commands, for the commands, their help and docs/errors.md. */
import { InputError } from '../base/errors.js';
import { UnmodelledError } from '../machine/unmodelled.js';

/** The exit codes by name (our choice; 125 is that of `git bisect run`, 130 is 128 + SIGINT). */
export const EXIT = {
  ok: 0,
  mismatch: 1,
  usage: 2,
  fault: 3,
  unmodelled: 4,
  undecided: 125,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof EXIT;

/** What each exit code means, in the words of help, man page and docs/errors.md. */
export const EXIT_MEANINGS: Readonly<Record<ExitName, string>> = {
  ok: 'success',
  mismatch: 'a mismatch: the result is not the expected one',
  usage: 'bad usage or input, or the output cannot be written',
  fault: 'a fault of sme-boot; the message says what to report',
  unmodelled: 'the boot needs a part of the machine that is not modelled',
  undecided:
    'undecided, because stages do not link (bisect) or something is not modelled (run --execute)',
  interrupted: 'interrupted by Ctrl-C',
};

/** The rows of the table, in the order of the codes. */
export const exitRows = (): { name: ExitName; code: number; means: string }[] =>
  (Object.keys(EXIT) as ExitName[]).map((name) => ({
    name,
    code: EXIT[name],
    means: EXIT_MEANINGS[name],
  }));

/** Columns of the help's text. */
const COLUMNS = 76;
const INDENT = '  ';

/** Words in lines of at most COLUMNS, each line after the first indented by `indent`. */
function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(lines.length === 0 ? word : indent + word);
  }
  return lines.join('\n');
}

/**
 * The paragraph "Exit status:" of a command's help. `own`: what a code means for this command; without it, a code has
 * its general meaning. Codes that only some commands use (1, 125) are listed only if they are in `own`.
 */
export function exitHelp(own: Readonly<Partial<Record<ExitName, string>>> = {}): string {
  const rows = exitRows()
    .filter(({ name }) => name in own || (name !== 'mismatch' && name !== 'undecided'))
    .map(({ name, code, means }) => {
      const head = `${INDENT}${String(code).padEnd(4)} `;
      return wrapped(`${head}${own[name] ?? means}`, ' '.repeat(head.length));
    });
  return ['', 'Exit status:', ...rows].join('\n');
}

/** The exit code of an error that is the input's, the output's or the model's; undefined: it is a fault of sme-boot. */
export function exitOf(error: unknown): number | undefined {
  if (!(error instanceof InputError)) return undefined;
  // From a worker thread it arrives without its class.
  const unmodelled = error instanceof UnmodelledError || error.code === 'E_UNMODELLED';
  return unmodelled ? EXIT.unmodelled : EXIT.usage;
}

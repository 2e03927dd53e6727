/** `check --interactive`: shows what changed in a file and asks whether to rewrite it. */
import { oneLine, printableColoured } from '../base/printable.js';
import type { Takes } from './check-file.js';
import { fitted } from './fit.js';
import type { Io } from './io.js';
import { columnsOf } from './terminal.js';

/** The answers, by their first letter. `all` and `quit` are for the files that follow as well. */
const ANSWERS = { y: true, n: false, a: true, q: false } as const;
const isAnswer = (letter: string): letter is keyof typeof ANSWERS => Object.hasOwn(ANSWERS, letter);

/** Asks for each file; after `all`, `quit` or the end of input no more. Any other answer is asked again. */
export function askingTakes(io: Io, ask: NonNullable<Io['ask']>): Takes {
  let always: boolean | undefined;
  return async (name, lines) => {
    if (always !== undefined) return always;
    const shown = lines.flatMap((line) => printableColoured(line).split('\n'));
    const text = `changed ${oneLine(name)}\n${shown.map((line) => `  ${line}\n`).join('')}`;
    io.stdout.write(fitted(text, columnsOf(io, io.stdout)));
    for (;;) {
      const line = await ask(`take it? [y]es, [n]o, [a]ll that follow, [q]uit: `);
      const letter = line === undefined ? 'q' : line.trim().slice(0, 1).toLowerCase();
      if (!isAnswer(letter)) continue;
      if (letter === 'a' || letter === 'q') always = ANSWERS[letter];
      return ANSWERS[letter];
    }
  };
}

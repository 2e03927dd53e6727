/** `check --interactive`: shows what changed in a file and asks whether to rewrite it. */
import type { Takes } from './check-file.js';
import type { Io } from './io.js';

/** The answers, by their first letter. `all` and `quit` are for the files that follow as well. */
const ANSWERS = { y: true, n: false, a: true, q: false } as const;
const isAnswer = (letter: string): letter is keyof typeof ANSWERS => Object.hasOwn(ANSWERS, letter);

/** Asks for each file; after `all`, `quit` or the end of input no more. Any other answer is asked again. */
export function askingTakes(io: Io, ask: NonNullable<Io['ask']>): Takes {
  let always: boolean | undefined;
  return async (name, lines) => {
    if (always !== undefined) return always;
    io.stdout.write(`changed ${name}\n${lines.map((line) => `  ${line}\n`).join('')}`);
    for (;;) {
      const line = await ask(`take it? [y]es, [n]o, [a]ll that follow, [q]uit: `);
      const letter = line === undefined ? 'q' : line.trim().slice(0, 1).toLowerCase();
      if (!isAnswer(letter)) continue;
      if (letter === 'a' || letter === 'q') always = ANSWERS[letter];
      return ANSWERS[letter];
    }
  };
}

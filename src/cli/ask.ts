/** A question on the terminal. */
import process from 'node:process';
import { createInterface } from 'node:readline';

/** Prints a question and returns the line typed; undefined at the end of input (Ctrl-D); Ctrl-C ends the program. */
export function askOnTerminal(question: string): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  return new Promise((resolve) => {
    lines.on('close', () => {
      resolve(undefined);
    });
    lines.on('SIGINT', () => {
      lines.close();
      // As without a question: the program ends.
      process.kill(process.pid, 'SIGINT');
    });
    lines.question(question, (line) => {
      resolve(line);
      lines.close();
    });
  });
}

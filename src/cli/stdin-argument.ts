/** `-` among the files of a command: stdin. */
import type { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { STDIN } from '../node/stdin.js';

/** Options whose `-` is stdout. */
const OUTPUTS: ReadonlySet<string> = new Set(['output', 'save', 'matchOut']);

/** Throws E_USAGE if a command is to read two of its files from stdin. */
export function checkStdin(command: Command): void {
  const options = Object.entries(command.opts())
    .filter(([name]) => !OUTPUTS.has(name))
    .map(([, value]) => value as unknown);
  const inputs = [...command.args, ...options.flat()].filter((value) => value === STDIN);
  if (inputs.length < 2) return;
  throw new InputError({
    code: 'E_USAGE',
    reason: 'only one input can be read from stdin',
    found: `${String(inputs.length)} times -`,
  });
}

/** The option that turns the sanitizer off, which is on by default in each command that boots. */
import { Option, type Command } from 'commander';
import { InputError } from '../base/errors.js';

/** Whether the sanitizer watches the boot; absent: yes. */
export interface SanitizeFlags {
  sanitize?: boolean;
}

/** Adds the option to a command. `hidden`: nothing that the command prints depends on it. */
export function addSanitizeOption(command: Command, hidden = false): Command {
  const off = new Option(
    '--no-sanitize',
    'do not watch the boot with the sanitizer: faster, and no reports (docs/sanitizer.md)',
  );
  // Declared before its negation, so that neither is the default.
  return command
    .addOption(new Option('--sanitize', 'the default').hideHelp())
    .addOption(hidden ? off.hideHelp() : off);
}

/** Says in the help of a command that it executes images, for which the sanitizer is off by default. */
export function describeExecuted(command: Command): void {
  const off = command.options.find(({ long }) => long === '--no-sanitize');
  if (off === undefined) return;
  off.description += '; the default with --execute, where --sanitize turns it on';
}

/** Whether the sanitizer watches the boot of these flags. */
export const isWatched = ({ sanitize }: SanitizeFlags): boolean => sanitize !== false;

/** Throws E_USAGE if the sanitizer is off and something needs its reports: `uses` are the options given for it. */
export function refuseUnwatched(flags: SanitizeFlags, uses: readonly string[]): void {
  const [first] = uses;
  if (isWatched(flags) || first === undefined) return;
  throw new InputError({
    code: 'E_USAGE',
    reason: `${first} needs the reports of the sanitizer, and --no-sanitize turns it off`,
    expected: 'one of the two',
    found: `--no-sanitize ${uses.join(' ')}`,
  });
}

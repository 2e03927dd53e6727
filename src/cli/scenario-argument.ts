/** The scenario of a command, which was an option of some commands once. */
import { InputError } from '../base/errors.js';
import { DEFAULT_SCENARIO } from './run-options.js';

/** The scenario from the argument or the former option `--scenario`. Throws E_USAGE if both name one. */
export function scenarioOf(argument: string | undefined, option: string | undefined): string {
  if (argument !== undefined && option !== undefined) {
    throw new InputError({
      code: 'E_USAGE',
      reason: 'name the scenario once',
      found: `${argument} and --scenario ${option}`,
    });
  }
  return argument ?? option ?? DEFAULT_SCENARIO;
}

/** Shared by the commands that look at a boot at a label. */
import { InputError } from '../base/errors.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';

/** Runs a check of the value of an option: its errors get the option as their place. */
export function checked(option: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw error instanceof InputError ? error.within({ path: option }) : error;
  }
}

/**
 * The sentence about a boot that did not complete the step of a label; undefined if it did.
 *
 * @param comparable whether the state at the end can be shown instead.
 */
export function endingOf(
  boot: InspectedBoot,
  at: string | undefined,
  comparable = true,
): string | undefined {
  if (at === undefined || boot.outcome === null || boot.outcome.kind === 'booted') return undefined;
  const { kind, where, message } = boot.outcome;
  const how = `${kind}${where === undefined ? '' : ` in ${where}`}${message === undefined ? '' : `: ${message}`}`;
  if (boot.reached(at)) return `the boot ended in ${at}: ${how}`;
  const last = boot.lastLabel ?? '';
  const state = comparable ? '--anyway shows the state at its end' : 'there is nothing to compare';
  return `the boot did not reach ${at}, it ended in ${last}: ${how} (${state})`;
}

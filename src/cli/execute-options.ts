/** The options of an executed boot, and the boot made from them. */
import { Option, type Command } from 'commander';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { ExecutedBoot } from '../sequencer/executed-boot.js';
import { numberOf } from './numbers.js';
import { executedHeader } from '../sequencer/trace-header.js';
import type { TraceHeader } from '../trace/trace.js';
import { IMAGE_ENTRIES } from '../trace/vocabulary.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { bootOptions, prepareUnwatched, type RunFlags } from './run-options.js';
import { describeExecuted } from './sanitize-option.js';
import { givenOptions } from './usage.js';

/** Adds the options to a command. `until`: also the one for the end of a run. */
export function addExecuteOptions(command: Command, { until = false } = {}): Command {
  describeExecuted(command);
  command
    .addOption(
      new Option(
        '--execute',
        "execute the instructions of --kernel's image instead of the model of 2016 (docs/execute.md)",
      ),
    )
    .addOption(
      new Option(
        '--entry <WHERE>',
        "with --execute: begin at the kernel's ELF entry (default), or at the bzImage's decompressor",
      ).choices([...IMAGE_ENTRIES]),
    )
    .option(
      '--max-instructions <N>',
      'with --execute: the most instructions that are executed',
      numberOf('E_USAGE', '--max-instructions', 1, Number.MAX_SAFE_INTEGER),
    );
  if (!until) return command;
  return command.option(
    '--until <FUNCTION>',
    'with --execute: end when this function has returned, or is entered if it never does',
  );
}

/** The options that choose what the model does: an image's own instructions do what they do. */
const MODEL_OPTIONS = [
  ...['--stage', '--series', '--activate', '--without', '--stub', '--with', '--hunks'],
];
/** The options that need `--execute`. */
const EXECUTE_OPTIONS = [
  '--entry',
  '--until',
  '--max-instructions',
  '--gdb',
  '--snapshot',
  '--from',
];

/**
 * Throws E_USAGE for options that have no effect: those of the model with `--execute`, those of an executed boot without
 * it. Throws E_USAGE for `--execute` without an image: the built-in one has no code.
 */
export function checkExecute(command: Command, flags: RunFlags): void {
  const given = givenOptions(command);
  const refuse = (reason: string, expected: string, found: readonly string[]): InputError =>
    new InputError({
      code: 'E_USAGE',
      place: { path: command.name() },
      reason,
      expected,
      found: found.join(' '),
    });
  if (flags.execute !== true) {
    const [first, ...more] = given.filter((flag) => EXECUTE_OPTIONS.includes(flag));
    if (first === undefined) return;
    throw refuse(`${first} has no effect without --execute`, '--execute', [first, ...more]);
  }
  if (flags.kernel === undefined) {
    const reason = '--execute needs an image with code: the built-in one has none';
    throw refuse(reason, '--kernel FILE', ['--execute']);
  }
  const model = given.filter((flag) => MODEL_OPTIONS.includes(flag));
  // The former name of --stub is hidden.
  if (flags.neutral !== undefined) model.push('--neutral');
  if (model.length === 0) return;
  const reason = `${model.join(', ')} would have no effect: with --execute the image's own instructions run, not the model`;
  throw refuse(reason, 'none of the options of the model', model);
}

/** An executed boot that has not begun, and the header of its trace. */
export interface Execution {
  readonly boot: ExecutedBoot;
  readonly header: TraceHeader;
}

/** Reads files. Throws the errors of its options. */
export function prepareExecution(scenario: string, flags: RunFlags): Execution {
  const options = bootOptions(scenario, flags);
  const { image, initrd, deviceTree, cipher } = options;
  if (image === undefined) throw new RangeError('no image');
  const executed = {
    scenario: options.scenario,
    image,
    cipher,
    // By default off: the boot takes several times as long with it.
    sanitize: flags.sanitize === true,
    ...optional({
      initrd,
      deviceTree,
      entry: flags.entry,
      maxInstructions: flags.maxInstructions,
    }),
  };
  const header = executedHeader(executed, { ...options, ...optional({ until: flags.until }) });
  return { boot: new ExecutedBoot(executed), header };
}

export const prepareExecuted = (scenario: string, flags: RunFlags): ExecutedBoot =>
  prepareExecution(scenario, flags).boot;

/** A boot of either kind that has not begun, without the sanitizer. `onStep` is called with the label of each step. */
export function prepareInspected(
  scenario: string,
  flags: RunFlags,
  onStep: (label: string) => void,
): InspectedBoot {
  if (flags.execute !== true) return prepareUnwatched(scenario, flags, onStep);
  const boot = prepareExecuted(scenario, flags);
  boot.onLabel = onStep;
  return boot;
}

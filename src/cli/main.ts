/** The command line: `sme-boot COMMAND`. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Chalk, supportsColor, type ColorSupportLevel } from 'chalk';
import { Command, CommanderError, Option } from 'commander';
import { InputError } from '../base/errors.js';
import { VERSION } from '../base/version.js';
import { UnmodelledError } from '../machine/unmodelled.js';
import type { Io } from './io.js';
import { bisectCommand } from './bisect.js';
import { checkCommand } from './check.js';
import { diffCommand } from './diff.js';
import { effectsCommand } from './effects.js';
import { inspectCommand } from './inspect.js';
import { matrixCommand } from './matrix.js';
import { listCommand, patchesCommand, schemaCommand } from './list.js';
import { probeCommand } from './probe.js';
import { runCommand } from './run.js';
import { scenarioCommand } from './scenario.js';
import { traceCommand } from './trace.js';

const EXAMPLES = `
Examples:
  sme-boot run                                boot the default scenario with the whole series
  sme-boot run --stage 8 --activate           see what breaks while patch 09 is missing
  sme-boot diff --stage 17 --stage 18         see what patch 18 does
  sme-boot effects 12                         see what patch 12 changes, in every view
  sme-boot inspect --at startup_64:phys_base --vtop _text
  sme-boot check                              check every expected trace
  sme-boot bisect rfc-v1 --expect 'garbage=nic to device'

Exit status: 0 success, 1 a mismatch or an unexpected outcome, 2 bad usage or input,
3 the boot needs a part of the machine that is not modelled.`;

/** Exit statuses of errors (our choice). */
const EXIT = { usage: 2, unmodelled: 3 };

type ColorWhen = 'auto' | 'always' | 'never';

/** The colour level: from the flag, then NO_COLOR, then whether stdout is a terminal. */
function colorLevel(when: ColorWhen, io: Io): ColorSupportLevel {
  if (when === 'always') return 1;
  if (when === 'never' || (io.env.NO_COLOR ?? '') !== '' || !io.stdout.isTTY) return 0;
  const supported = supportsColor;
  return supported === false ? 0 : supported.level;
}

/** The program with all its commands. */
function program(io: Io): Command {
  const top = new Command('sme-boot')
    .description(
      'Simulate how Linux turns on AMD memory encryption (SME), one patch at a time, without the hardware.',
    )
    .addOption(
      new Option('--color <WHEN>', 'colour the output')
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .version(VERSION)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(see sme-boot --help)')
    .hook('preAction', (command) => {
      const { color } = command.opts<{ color: ColorWhen }>();
      io.paint = new Chalk({ level: colorLevel(color, io) });
    });
  const commands = [
    runCommand(io),
    checkCommand(io),
    diffCommand(io),
    traceCommand(io),
    bisectCommand(io),
    matrixCommand(io),
    effectsCommand(io),
    inspectCommand(io),
    probeCommand(io),
    listCommand(io),
    patchesCommand(io),
    schemaCommand(io),
    scenarioCommand(io),
  ];
  for (const command of commands) top.addCommand(command);
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        io.stdout.write(text);
      },
      writeErr: (text) => {
        io.stderr.write(text);
      },
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
    command.commands.forEach(quiet);
  };
  quiet(top);
  return top;
}

/** Runs one command line and returns the exit status. Prints an InputError, throws any other error. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  try {
    await program(io).parseAsync([...argv], { from: 'user' });
    return io.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    if (error instanceof InputError) {
      io.stderr.write(`sme-boot: ${error.message}\n`);
      return error instanceof UnmodelledError ? EXIT.unmodelled : EXIT.usage;
    }
    throw error;
  }
}

/** Whether this file is the script that node was started with. */
function isMain(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

if (isMain()) {
  // A closed pipe (`| head`) ends the program without an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const outputOf = (stream: NodeJS.WriteStream): Io['stdout'] => ({
    write: (text) => {
      stream.write(text);
    },
    isTTY: stream.isTTY,
    columns: stream.columns,
  });
  const io: Io = {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    paint: new Chalk({ level: 0 }),
    env: process.env,
    exitCode: 0,
  };
  process.exitCode = await runCli(process.argv.slice(2), io);
}

/** The command line: `sme-boot COMMAND`. */
import { existsSync, realpathSync } from 'node:fs';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { Chalk } from 'chalk';
import { Command, CommanderError, Option } from 'commander';
import { InputError } from '../base/errors.js';
import { VERSION } from '../base/version.js';
import { printableLines } from '../base/printable.js';
import { removeMade } from '../node/all-or-nothing.js';
import { known } from '../node/file-errors.js';
import { interruptible, isInterrupt } from '../node/interrupt.js';
import { writerOf } from '../node/output.js';
import { removeTemporaries } from '../node/write-file.js';
import type { Io, Output } from './io.js';
import { askOnTerminal } from './ask.js';
import { bisectCommand } from './bisect.js';
import { checkCommand } from './check.js';
import { COMPLETE, completeCommand, completionCommand } from './completion.js';
import { manCommand } from './man.js';
import { diffCommand } from './diff.js';
import { effectsCommand } from './effects.js';
import { EXIT, EXIT_MEANINGS, exitHelp, exitOf } from './exit-codes.js';
import { causeText, faultText } from './fault.js';
import { exposureCommand } from './exposure.js';
import { findingsCommand } from './findings.js';
import { fitted } from './fit.js';
import { HELP_COLUMNS, helpFitted } from './help-text.js';
import { initCommand } from './init.js';
import { inspectCommand } from './inspect.js';
import { viewCommand } from './view.js';
import { whyCommand } from './why.js';
import { lockstepCommand } from './lockstep.js';
import { matrixCommand } from './matrix.js';
import { checkOverwritten } from './overwrite.js';
import { listCommand, schemaCommand } from './list.js';
import { patchesCommand } from './patches.js';
import { probeCommand } from './probe.js';
import { questionsCommand } from './questions.js';
import { reviewCommand } from './review.js';
import { runCommand } from './run.js';
import { safeIo } from './safe-io.js';
import { scenarioCommand } from './scenario.js';
import { checkStdin } from './stdin-argument.js';
import { columnsOf, colorLevel, onTerminal, type ColorWhen } from './terminal.js';
import { traceCommand } from './trace.js';
import { checkHelp, usageError, watchUsage } from './usage.js';

const EXAMPLES = `
Examples:
  sme-boot run                                boot the default scenario with the whole series
  sme-boot run --stage 8 --activate           see what breaks while patch 09 is missing
  sme-boot diff --stage 17 --stage 18         see what patch 18 does
  sme-boot effects 12                         see what patch 12 changes, in every view
  sme-boot inspect --at startup_64:phys_base --vtop _text
  sme-boot check                              check every expected trace
  sme-boot bisect rfc-v1 --expect 'garbage=nic to device'
${exitHelp({ mismatch: EXIT_MEANINGS.mismatch, undecided: EXIT_MEANINGS.undecided })}`;

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
    .option('--verbose', 'print the stack of a fault of sme-boot, or of an error in own hunks')
    .version(VERSION)
    .addHelpText('after', EXAMPLES)
    .hook('preAction', (command, actionCommand) => {
      const { color } = command.opts<{ color: ColorWhen }>();
      io.paint = new Chalk({ level: colorLevel(color, io, io.stdout) });
      io.paintError = new Chalk({ level: colorLevel(color, io, io.stderr) });
      if (actionCommand.name() === COMPLETE) return;
      checkStdin(actionCommand);
      checkOverwritten(actionCommand);
    });
  const commands = [
    runCommand(io),
    checkCommand(io, runCli),
    diffCommand(io),
    traceCommand(io),
    bisectCommand(io),
    matrixCommand(io),
    effectsCommand(io),
    inspectCommand(io),
    whyCommand(io),
    exposureCommand(io),
    viewCommand(io),
    lockstepCommand(io),
    probeCommand(io),
    listCommand(io),
    patchesCommand(io),
    findingsCommand(io),
    questionsCommand(io, runCli),
    reviewCommand(io),
    schemaCommand(io),
    scenarioCommand(io),
    initCommand(io),
    completionCommand(io),
    manCommand(top, io),
  ];
  for (const command of commands) top.addCommand(command);
  top.addCommand(completeCommand(top, io), { hidden: true });
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        io.stdout.write(helpFitted(text, columnsOf(io, io.stdout)));
      },
      // It quotes the user's words.
      writeErr: (text) => {
        io.stderr.write(fitted(printableLines(text), columnsOf(io, io.stderr)));
      },
      getOutHelpWidth: () => columnsOf(io, io.stdout) ?? HELP_COLUMNS,
      getErrHelpWidth: () => columnsOf(io, io.stderr) ?? HELP_COLUMNS,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
    command.commands.forEach(quiet);
  };
  quiet(top);
  return top;
}

/** Prints an error; returns the exit status. `failed`: the command whose command line it is about. */
function report(thrown: unknown, argv: readonly string[], io: Io, failed?: Command): number {
  const raw = known(thrown);
  if (raw instanceof CommanderError && failed === undefined) {
    return raw.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  const error =
    raw instanceof CommanderError && failed !== undefined ? usageError(raw, failed) : raw;
  const status = exitOf(error);
  const verbose = argv.includes('--verbose');
  const text =
    status !== undefined && error instanceof InputError
      ? `sme-boot: ${error.message}\n${verbose ? causeText(error) : ''}`
      : faultText(error, { version: VERSION, argv, isFile: existsSync, verbose });
  try {
    io.stderr.write(onTerminal(io, text));
  } catch (cannot) {
    // Nothing can be told on stderr; the status is that of the error.
    if (!(cannot instanceof InputError)) throw cannot;
  }
  return status ?? EXIT.fault;
}

/** Runs one command line and returns the exit status. Prints every error; rejects only if Ctrl-C ended it. */
export async function runCli(argv: readonly string[], given: Io): Promise<number> {
  const io = safeIo(given);
  const top = program(io);
  let failed: Command | undefined;
  watchUsage(top, (command) => {
    failed = command;
  });
  try {
    checkHelp(top, argv);
    await interruptible(() => top.parseAsync([...argv], { from: 'user' }));
    return io.exitCode;
  } catch (error) {
    if (isInterrupt(error)) throw error;
    return report(error, argv, io, failed);
  }
}

/** Whether this file is the script that node was started with. */
function isMain(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

/** Ends the program after Ctrl-C: no temporary file and no status line are left. */
function endInterrupted(io: Io): never {
  removeTemporaries();
  removeMade();
  try {
    io.stderr.write(`${io.stderr.isTTY ? '\r\u001b[K' : ''}sme-boot: interrupted\n`);
  } finally {
    process.exit(EXIT.interrupted);
  }
}

/** Runs the command line of this process. */
async function main(): Promise<void> {
  const outputOf = (fd: 1 | 2): Output => {
    // The stream is not made for a pipe: that would set the pipe to non-blocking, for other programs too.
    const stream = isatty(fd) ? [process.stdout, process.stderr][fd - 1] : undefined;
    return {
      write: writerOf(fd),
      writeBytes: writerOf(fd),
      isTTY: stream !== undefined,
      get columns() {
        return stream?.columns;
      },
    };
  };
  const io: Io = {
    stdout: outputOf(1),
    stderr: outputOf(2),
    ...(isatty(0) && isatty(1) && { ask: askOnTerminal }),
    paint: new Chalk({ level: 0 }),
    env: process.env,
    exitCode: 0,
  };
  const argv = process.argv.slice(2);
  const fail = (error: unknown): void => {
    process.exit(report(error, argv, io));
  };
  process.on('uncaughtException', fail).on('unhandledRejection', fail);
  // While a command waits; one with a listener of its own ends by itself.
  process.on('SIGINT', () => {
    if (process.listenerCount('SIGINT') === 1) endInterrupted(io);
  });
  try {
    process.exitCode = await runCli(argv, io);
  } catch (error) {
    if (isInterrupt(error)) endInterrupted(io);
    fail(error);
  }
}

if (isMain()) await main();

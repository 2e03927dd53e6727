/** `sme-boot lockstep`: compares the instructions of an image with the model of the same code. */
import { hexBytes } from '../base/bytes.js';
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { jsonText, printable } from '../base/printable.js';
import {
  DEFAULT_LABEL,
  lockStep,
  MOST_INSTRUCTIONS,
  type LockStep,
  type NamedDifference,
} from '../analysis/lock-step/lock-step.js';
import { hex } from '../machine/address.js';
import type { RunEnd } from '../x86/executor.js';
import { table } from './columns.js';
import { EXIT, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { numberOf } from './numbers.js';
import { addOutput, checkOutput, formOf, openResult, type OutputFlags } from './output.js';
import { Progress } from './progress.js';
import { addRunOptions, DEFAULT_SCENARIO, prepareUnwatched, type RunFlags } from './run-options.js';

const FORMS = ['text', 'json'] as const;
/** Bytes of a range that the text shows (our choice). */
const SHOWN = 16;

interface Flags extends RunFlags, OutputFlags<(typeof FORMS)[number]> {
  at: string;
  maxInstructions: number;
}

const EXAMPLES = `
FILE is an ELF that you have assembled from the posted patches;
docs/lock-step.md says which symbols it needs. Its instructions run on one
machine and the model on another, from startup_64 to a label.

Examples:
  sme-boot lockstep posted.elf bios-minimal
  sme-boot lockstep posted.elf --set machine.cpu=intel-broadwell
  sme-boot lockstep part.elf --at startup_64:fixup --format json
${exitHelp({ mismatch: 'something differs, or they did not both come to the label or to a triple fault' })}`;

export function lockstepCommand(io: Io): Command {
  const command = new Command('lockstep')
    .description(
      'compare the instructions of an image with the model of the same code: memory, registers, writes of CRs and MSRs',
    )
    .argument('<FILE>', 'an ELF with the symbols of a kernel')
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addRunOptions(command, { unwatched: true })
    .option('--at <LABEL>', 'compare before the step of this label', DEFAULT_LABEL)
    .option(
      '--max-instructions <N>',
      'stop an image that does not come to the label',
      numberOf('E_USAGE', '--max-instructions', 1, Number.MAX_SAFE_INTEGER),
      MOST_INSTRUCTIONS,
    )
    .addHelpText('after', EXAMPLES)
    .action((file: string, scenario: string, flags: Flags) => {
      lockstep(io, file, scenario, flags);
    });
  return addOutput(command, { formats: FORMS });
}

function lockstep(io: Io, file: string, scenario: string, flags: Flags): void {
  if (flags.kernel !== undefined) {
    throw new InputError({
      code: 'E_USAGE',
      reason: 'lockstep takes its image as an argument',
      found: `${file} and --kernel ${flags.kernel}`,
    });
  }
  checkOutput(flags.output);
  const progress = new Progress(io);
  const boot = prepareUnwatched(scenario, { ...flags, kernel: file }, progress.step);
  const { at, maxInstructions } = flags;
  const result = lockStep(boot, { at, maxInstructions });
  progress.clear();
  const out = openResult(io, flags.output);
  if (formOf(flags, FORMS) === 'json') out.write(jsonText(dataOf(at, result)));
  else out.print(textOf(at, result, out.columns));
  out.end();
  if (result.end.kind === 'not-modelled') io.exitCode = EXIT.unmodelled;
  else if (result.compared === undefined || unexplained(result) > 0) io.exitCode = EXIT.mismatch;
}

/** The number of differences that are no return addresses. */
function unexplained({ compared }: LockStep): number {
  if (compared === undefined) return 0;
  const { registers, writes, memory } = compared;
  const others = memory.filter(({ returnsTo }) => returnsTo === undefined);
  return registers.length + writes.length + others.length;
}

const keyText = (key: number | undefined): string =>
  key === undefined ? 'never written' : `C=${key === 0 ? '0' : '1'}`;

/** How the image ended, where it did not come to the label. */
function endText(end: RunEnd): string {
  switch (end.kind) {
    case 'not-modelled':
      return `not modelled: ${end.what}, ${end.mnemonic ?? 'instruction'} (${hexBytes(end.bytes)})`;
    case 'limit':
      return 'the limit of instructions';
    default:
      return end.kind.replace('-', ' ');
  }
}

function memoryRows({ at, image, model, symbol, ...keys }: NamedDifference): string[] {
  const shown = (bytes: Uint8Array): string =>
    `${hexBytes(bytes.subarray(0, SHOWN), ' ')}${bytes.length > SHOWN ? ' …' : ''}`;
  const range = `${hex(at)}..${hex(at + image.length - 1)}`;
  return [
    `memory    ${range}  ${symbol ?? ''}`.trimEnd(),
    `  image   ${keyText(keys.imageKey)}  ${shown(image)}`,
    `  model   ${keyText(keys.modelKey)}  ${shown(model)}`,
  ];
}

function textOf(at: string, result: LockStep, columns: number | undefined): string {
  const { instructions, end, outcome, compared } = result;
  if (compared === undefined) {
    const image =
      end.kind === 'breakpoint'
        ? `the image came to ${at}`
        : `the image did not come to ${at}: ${endText(end)} at ${hex(end.at)}`;
    const model = outcome === null ? [] : [`the model ended: ${outcome.kind} in ${outcome.where}`];
    return (
      printable([`${image}, after ${String(instructions)} instructions`, ...model].join('; ')) +
      '\n'
    );
  }
  const { registers, writes, memory } = compared;
  const returns = memory.filter(({ returnsTo }) => returnsTo !== undefined);
  const where = end.kind === 'breakpoint' ? at : `triple fault of both before ${at},`;
  const lines = [
    `${where} after ${String(instructions)} instructions`,
    ...table(
      registers.map(({ name, image, model }) => [
        'register',
        name,
        `image ${image}`,
        `model ${model}`,
      ]),
      columns,
    )
      .split('\n')
      .slice(0, -1),
    ...writes.map(
      ({ by, number, what }) => `write     only by the ${by}, its write ${String(number)}: ${what}`,
    ),
    ...memory.filter(({ returnsTo }) => returnsTo === undefined).flatMap(memoryRows),
    ...returns.map(
      ({ symbol, returnsTo }) =>
        `return address into ${returnsTo ?? ''} at ${symbol ?? ''}: the model places its call sites itself`,
    ),
    `${String(unexplained(result))} differences`.replace(/^1 differences$/, '1 difference'),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function dataOf(at: string, { instructions, end, outcome, compared }: LockStep): unknown {
  return {
    at,
    instructions,
    end: end.kind === 'breakpoint' ? 'label' : endText(end),
    endedAt: hex(end.at),
    ...(outcome !== null && { outcome }),
    ...(compared !== undefined && {
      registers: compared.registers,
      writes: compared.writes,
      memory: compared.memory.map(({ at: start, image, model, imageKey, modelKey, ...more }) => ({
        pa: hex(start),
        bytes: image.length,
        ...more,
        image: { key: imageKey ?? null, hex: hexBytes(image) },
        model: { key: modelKey ?? null, hex: hexBytes(model) },
      })),
    }),
  };
}

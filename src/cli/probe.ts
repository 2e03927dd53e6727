/** `sme-boot probe`: calls kernel functions at a label of a boot, for patches that only add helpers. */
import { join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { readText } from '../node/files.js';
import { printScripts } from '../analysis/calls/yaml.js';
import { readScript, type ScriptFile } from '../analysis/calls/file.js';
import { runScript, type ScriptResult } from '../analysis/calls/calls.js';
import type { BootOptions } from '../sequencer/boot.js';
import { LAST_STAGE } from '../series/patches.js';
import { InputError } from '../base/errors.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { packageRoot } from './paths.js';
import { scriptText } from './calls-text.js';
import { bootOptions, stageNumber, type RunFlags } from './run-options.js';
import { yamlFiles } from './yaml-files.js';

interface Flags {
  stage: number;
  activate?: boolean;
  format: 'text' | 'yaml';
}

const EXAMPLES = `
A call script is a YAML file: a scenario, the label after which the boot stops, and steps. A step calls a function,
reads or writes through the kernel's mappings, reads DRAM without decryption, or walks the page tables for an address.
A function that the stage does not have is reported as absent.

Examples:
  sme-boot probe                                     every call script of the project
  sme-boot probe probes/07-early-memremap.yaml
  sme-boot probe probes/07-early-memremap.yaml --stage 6
  sme-boot probe probes/08-early-encrypt.yaml --stage 8 --activate
  sme-boot probe --format yaml > probes.txt
  sme-boot schema probe                              the JSON Schema of a call script
${exitHelp()}`;

export function probeCommand(io: Io): Command {
  return new Command('probe')
    .description('run call scripts: call kernel functions at a label and report what they do')
    .argument('[FILES...]', "files or directories (default: the project's call scripts, probes/)")
    .addOption(
      new Option('--stage <N>', 'apply patches 1 to N').argParser(stageNumber).default(LAST_STAGE),
    )
    .option('--activate', 'apply patch 18, which turns encryption on, on top of the stage')
    .addOption(
      new Option('--format <FORMAT>', 'output format').choices(['text', 'yaml']).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: Flags) => {
      probe(io, paths, flags);
    });
}

function probe(io: Io, paths: readonly string[], flags: Flags): void {
  const given = paths.length === 0 ? [join(packageRoot(), 'probes')] : paths;
  // Every file is read before anything runs, so that an error in one leaves no partial output.
  const files = yamlFiles(given, 'no call script found').map((file) =>
    readScript(relative('.', file), readText(file)),
  );
  const results = files.map((file) => run(file, flags));
  if (flags.format === 'yaml') io.stdout.write(printScripts(results));
  else io.stdout.write(results.map((result) => scriptText(result, io.paint)).join('\n'));
}

function run(file: ScriptFile, { stage, activate }: Flags): ScriptResult {
  return runScript(file, optionsOf(file, { stage, ...(activate !== undefined && { activate }) }));
}

/** The project's call scripts for a patch. */
export function scriptsFor(patch: number): ScriptFile[] {
  return yamlFiles([join(packageRoot(), 'probes')], 'no call script found')
    .map((file) => readScript(relative('.', file), readText(file)))
    .filter(({ probe: { patch: own } }) => own === patch);
}

/** The boot options of a call script. Throws E_SCENARIO_UNKNOWN at the script's `scenario`. */
export function optionsOf(file: ScriptFile, flags: RunFlags): BootOptions {
  const { scenario, set } = file.probe;
  try {
    return bootOptions(scenario, {
      ...flags,
      ...(set !== undefined && {
        set: Object.entries(set).map(([path, value]) => `${path}=${String(value)}`),
      }),
    });
  } catch (error) {
    if (!(error instanceof InputError) || error.place.file !== undefined) throw error;
    throw error.within(file.place(['scenario']));
  }
}

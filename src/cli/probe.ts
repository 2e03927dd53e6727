/** `sme-boot probe`: calls kernel functions at a label of a boot, for patches that only add helpers. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { readText } from '../node/files.js';
import { loadHunks } from '../node/hunks-module.js';
import { namedIn } from '../node/relative-paths.js';
import { STDIN } from '../node/stdin.js';
import { printScripts } from '../analysis/calls/yaml.js';
import { readScript, type ScriptFile } from '../analysis/calls/file.js';
import { runScript, type ScriptResult } from '../analysis/calls/calls.js';
import { labelsOf, type BootOptions } from '../sequencer/boot.js';
import { labelIndex } from '../sequencer/label-index.js';
import { LAST_STAGE } from '../series/patches.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { oneOf, suggest } from '../base/suggest.js';
import { readYaml } from '../base/yaml-source.js';
import { exitHelp } from './exit-codes.js';
import { defaultFolder } from './default-folder.js';
import { checkKeys, checkText } from './file-kinds.js';
import type { Io } from './io.js';
import { addOutput, formOf, openResult, type OutputFlags } from './output.js';
import { packageRoot } from './paths.js';
import { Progress } from './progress.js';
import { scriptText } from './calls-text.js';
import { bootOptions, hunksOption, stageNumber, type RunFlags } from './run-options.js';
import { addSanitizeOption, type SanitizeFlags } from './sanitize-option.js';
import { yamlFiles, yamlNames } from './yaml-files.js';

const FORMS = ['text', 'yaml', 'json'] as const;

interface Flags extends SanitizeFlags, OutputFlags<(typeof FORMS)[number]> {
  stage: number;
  activate?: boolean;
  hunks?: string[];
}

const EXAMPLES = `
A call script is a YAML file: a scenario, the label after which the boot stops, and steps. A step calls a function,
reads or writes through the kernel's mappings, reads or swaps bytes of DRAM without decryption, or walks the page
tables for an address.
A function that the stage does not have is reported as absent.

Examples:
  sme-boot probe                                     every call script below ./probes
  sme-boot probe 07-early-memremap
  sme-boot probe probes/07-early-memremap.yaml --stage 6
  sme-boot probe probes/08-early-encrypt.yaml --stage 8 --activate
  sme-boot probe --output probes.yaml
  sme-boot schema probe                              the JSON Schema of a call script
${exitHelp()}`;

export function probeCommand(io: Io): Command {
  const command = new Command('probe')
    .description('run call scripts: call kernel functions at a label and report what they do')
    .argument(
      '[FILES...]',
      'files, directories or names of call scripts of sme-boot (default: ./probes if there is one, else those of sme-boot)',
    )
    .addOption(
      new Option('--stage <N>', 'apply patches 1 to N').argParser(stageNumber).default(LAST_STAGE),
    )
    .option('--activate', 'apply patch 18, which turns encryption on, on top of the stage')
    .addOption(hunksOption())
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: Flags) => {
      probe(io, paths, flags);
    });
  return addOutput(addSanitizeOption(command), { formats: FORMS });
}

function probe(io: Io, paths: readonly string[], flags: Flags): void {
  const given = paths.length === 0 ? [defaultFolder(io, 'probes').folder] : paths.map(shippedOr);
  const own = flags.hunks === undefined ? [] : loadHunks(...flags.hunks).hunks;
  // Every file is read before anything runs, so that an error in one leaves no partial output.
  const files = yamlFiles(given, 'no call script found').map((file) => {
    const name = relative('.', file);
    const text = checkText('probe', name, readText(file));
    checkKeys('probe', readYaml(name, text));
    return readScript(name, text, own);
  });
  for (const file of files) checkAt(file, flags);
  const form = formOf(flags, FORMS);
  const out = openResult(io, flags.output);
  const progress = new Progress(io);
  const results = files.map((file, index) => {
    progress.next(index, files.length, file.file);
    const result = run(file, flags, progress.step);
    progress.clear();
    if (form === 'text') {
      out.print(`${index === 0 ? '' : '\n'}${scriptText(result, out.paint)}`);
    }
    return result;
  });
  if (form === 'yaml') out.write(printScripts(results));
  if (form === 'json') out.write(`${JSON.stringify(results, null, 2)}\n`);
  out.end();
}

/** The file of a call script of the package that a word names; the word itself, if it is a path. */
function shippedOr(word: string): string {
  if (/[/\\.]/.test(word) || word === STDIN || existsSync(word)) return word;
  const folder = join(packageRoot(), 'probes');
  const names = yamlNames(folder);
  if (names.includes(word)) return join(folder, `${word}.yaml`);
  throw new InputError({
    code: 'E_PROBE_UNKNOWN',
    expected: oneOf(names, 'a file, or the name of a call script of sme-boot'),
    found: word === '' ? '""' : word,
    ...suggest(word, names),
  });
}

function run(
  file: ScriptFile,
  { stage, activate, hunks, sanitize }: Flags,
  onStep: (label: string) => void,
): ScriptResult {
  return runScript(
    file,
    optionsOf(file, { stage, ...optional({ activate, hunks, sanitize }) }, onStep),
  );
}

/** Checks a script's scenario and label. Throws E_LABEL at the script's `at`, and what `optionsOf` throws. */
function checkAt(file: ScriptFile, { stage, hunks }: Flags): void {
  const { scenario } = optionsOf(file, { stage, ...optional({ hunks }) });
  try {
    labelIndex(labelsOf(scenario), file.probe.at);
  } catch (error) {
    throw error instanceof InputError ? error.within(file.place(['at'])) : error;
  }
}

/** The project's call scripts for a patch. */
export function scriptsFor(patch: number): ScriptFile[] {
  return yamlFiles([join(packageRoot(), 'probes')], 'no call script found')
    .map((file) => readScript(relative('.', file), readText(file)))
    .filter(({ probe: { patch: own } }) => own === patch);
}

/** The boot options of a call script. Throws E_SCENARIO_UNKNOWN at the script's `scenario`. */
export function optionsOf(
  file: ScriptFile,
  flags: RunFlags,
  onStep?: (label: string) => void,
): BootOptions {
  const { scenario, set } = file.probe;
  try {
    const settings = set && {
      set: Object.entries(set).map(([path, value]) => `${path}=${String(value)}`),
    };
    return bootOptions(namedIn(file.file, scenario), { ...flags, ...settings }, onStep);
  } catch (error) {
    if (!(error instanceof InputError) || error.place.file !== undefined) throw error;
    throw error.within(file.place(['scenario']));
  }
}

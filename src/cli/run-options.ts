/** The options shared by all commands that boot, and the boot options made from them. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Option, type Command } from 'commander';
import { optional } from '../base/optional.js';
import { readKernelImage, type KernelImage } from '../firmware/image/kernel-image.js';
import { openBytes, readBytes, readText } from '../node/files.js';
import { loadHunks } from '../node/hunks-module.js';
import { STDIN } from '../node/stdin.js';
import { nodeCipher } from '../node/node-cipher.js';
import { Boot, type BootOptions } from '../sequencer/boot.js';
import type { Scenario } from '../scenario/scenario.js';
import { cmdlineAssignment, scenarioWith } from '../scenario/settings.js';
import type { ImageEntry } from '../trace/vocabulary.js';
import { LAST_STAGE } from '../series/patches.js';
import { upTo, type HunkSelection } from '../series/compose.js';
import { canonicalName } from '../series/without.js';
import { LIMITS, limitError } from '../base/limits.js';
import { InputError } from '../base/errors.js';
import { readYaml, type YamlSource } from '../base/yaml-source.js';
import { checkCombination } from './combinations.js';
import { checkKeys, checkText } from './file-kinds.js';
import { numberOf } from './numbers.js';
import { packageRoot } from './paths.js';
import { sha256 } from '../node/sha256.js';
import { filesRead } from './run-files.js';
import { addSanitizeOption, isWatched, type SanitizeFlags } from './sanitize-option.js';
import { loadSeries } from './series.js';
import { missingFile, unknownName } from './unknown.js';
import { yamlNames } from './yaml-files.js';

export const DEFAULT_SCENARIO = 'epyc-efi';

/** Values of the boot's command-line options. */
export interface RunFlags extends SanitizeFlags {
  stage?: number;
  activate?: boolean;
  without?: string[];
  stub?: boolean;
  /** The former name of `stub`. */
  neutral?: boolean;
  with?: string[];
  /** Modules of own hunks. */
  hunks?: string[];
  series?: string;
  kernel?: string;
  systemMap?: string;
  initrd?: string;
  dtb?: string;
  cmdline?: string;
  set?: string[];
  /** The image's own instructions are executed. */
  execute?: boolean;
  /** Where an executed boot enters the image. */
  entry?: ImageEntry;
  /** The function after which an executed boot ends. */
  until?: string;
  maxInstructions?: number;
}

/** A scenario and the SHA-256 of its data with the settings applied. */
export interface LoadedScenario {
  readonly scenario: Scenario;
  readonly digest: string;
}

/** Parses the value of `--stage`. Throws E_STAGE. */
export const stageNumber = numberOf('E_STAGE', '--stage', 0, LAST_STAGE);

/** Collects the values of an option that can be repeated. */
export const repeated = (value: string, before: string[] = []): string[] => [...before, value];

/** Collects names, which may be in one value, between commas. Throws E_USAGE for a value without a name. */
const names = (value: string, before: string[] = []): string[] => {
  const given = value.split(',').filter((name) => name !== '');
  if (given.length > 0) return [...before, ...given];
  throw new InputError({
    code: 'E_USAGE',
    expected: 'the name of a hunk, patch or alternative',
    found: JSON.stringify(value),
  });
};

/** Names of the package's scenarios. */
export function scenarioNames(root = packageRoot()): string[] {
  return yamlNames(join(root, 'scenarios'));
}

/** Throws E_USAGE for a scenario after an option that takes all words up to the next option. */
function checkSwallowed(option: string, names: readonly string[] = []): void {
  if (names.length === 0) return;
  const scenarios = scenarioNames();
  const swallowed = names.find((name) => scenarios.includes(name) || /\.ya?ml$/.test(name));
  if (swallowed === undefined) return;
  throw new InputError({
    code: 'E_USAGE',
    reason: `put the scenario before ${option}`,
    found: `${option} … ${swallowed}`,
  });
}

const both = (a: readonly string[] = [], b: readonly string[] = []): string[] => [
  ...new Set([...a, ...b]),
];

/**
 * The hunk selection of a run: the named series (default: as posted) up to its stage, changed by the other flags. A trace
 * records the selection, not the series' name: the series file may change later.
 */
export function selectionOf(flags: RunFlags): HunkSelection {
  checkSwallowed('--without', flags.without);
  checkSwallowed('--with', flags.with);
  const series = flags.series === undefined ? undefined : loadSeries(flags.series);
  const stage = flags.stage ?? series?.stage ?? LAST_STAGE;
  const activate = flags.activate ?? series?.activate ?? false;
  const base = series === undefined ? undefined : upTo({ ...series, activate }, stage);
  const without = both(base?.without, flags.without?.map(canonicalName));
  const asked = flags.stub ?? flags.neutral;
  const stub = asked ?? base?.stub;
  const extra = both(base?.with, flags.with?.map(canonicalName));
  if (asked === true && without.length === 0) {
    throw new InputError({ code: 'E_USAGE', reason: '--stub needs --without' });
  }
  return {
    stage,
    activate,
    ...(without.length === 0 ? {} : { without }),
    ...optional({ stub }),
    ...(extra.length === 0 ? {} : { with: extra }),
  };
}

/** The option for modules of own hunks. */
export const hunksOption = (): Option =>
  new Option(
    '--hunks <FILE>',
    'use the own hunks that this module (.mjs) exports; its code is run, with your rights; can be repeated',
  ).argParser(repeated);

/** Adds the options of a boot to a command. `unwatched`: it boots without the sanitizer, whatever the options say. */
export function addRunOptions(command: Command, { unwatched = false } = {}): Command {
  command
    .option('--stage <N>', `apply patches 1 to N (default: ${String(LAST_STAGE)})`, stageNumber)
    .option('--series <NAME>', 'name of a series (rfc-v1, fixed, …), or a file')
    .option('--activate', 'apply patch 18, which turns encryption on, on top of the stage')
    .option('--without <HUNK...>', 'leave out hunks (09/initrd) or whole patches (10)', names)
    .option('--stub', 'replace what --without names by stubs that do nothing')
    .addOption(new Option('--neutral', 'the former name of --stub').hideHelp())
    .option(
      '--with <ALTERNATIVE...>',
      'use an alternative (sme-boot list alternatives) instead of its hunk, or on top',
      names,
    )
    .addOption(hunksOption())
    .option(
      '--kernel <FILE>',
      'boot this kernel image (bzImage, vmlinux or UKI) instead of the built-in one',
    )
    .option('--system-map <FILE>', "read the kernel's symbols from this System.map")
    .option('--initrd <FILE>', 'use this initrd instead of the built-in one')
    .option('--dtb <FILE>', 'pass this flattened device tree in the setup_data chain')
    .option('--cmdline <TEXT>', 'set the kernel command line')
    .option(
      '--set <PATH=VALUE>',
      'change one value of the scenario, for example machine.ram=4GiB',
      repeated,
    );
  return addSanitizeOption(command, unwatched);
}

/** The file of a scenario by name, or a file. Throws E_SCENARIO_UNKNOWN for an unknown name. */
export function scenarioSource(nameOrFile: string): YamlSource {
  const own = join(packageRoot(), 'scenarios', `${nameOrFile}.yaml`);
  const isName = nameOrFile !== STDIN && /^[a-z0-9-]+$/.test(nameOrFile);
  if (isName && !existsSync(own)) {
    throw unknownName('E_SCENARIO_UNKNOWN', nameOrFile, scenarioNames());
  }
  if (!isName) missingFile('E_SCENARIO_UNKNOWN', nameOrFile, scenarioNames);
  const file = isName ? own : nameOrFile;
  const name = isName ? `scenarios/${nameOrFile}.yaml` : nameOrFile;
  return checkKeys('scenario', readYaml(name, checkText('scenario', name, readText(file))));
}

/** A scenario with `--set` and `--cmdline` applied. */
export function loadScenario(nameOrFile: string, flags: RunFlags): LoadedScenario {
  const { cmdline, set = [] } = flags;
  const assignments = cmdline === undefined ? set : [...set, cmdlineAssignment(cmdline)];
  const scenario = scenarioWith(scenarioSource(nameOrFile), assignments);
  return { scenario, digest: sha256(JSON.stringify(scenario)) };
}

/** The settings of a run as its trace records them. */
function settingsOf(flags: RunFlags): Record<string, string> {
  const settings = new Map<string, string>();
  for (const assignment of flags.set ?? []) {
    const at = assignment.indexOf('=');
    settings.set(assignment.slice(0, at), assignment.slice(at + 1));
  }
  if (flags.cmdline !== undefined) settings.set('cmdline', flags.cmdline);
  return Object.fromEntries(settings);
}

/** A device tree's bytes, unchecked: the kernel validates them. Throws E_DTB_SIZE. */
function readDeviceTree(file: string): Uint8Array {
  const bytes = readBytes(file, LIMITS.deviceTree);
  if (bytes.length > 0) return bytes;
  throw limitError(LIMITS.deviceTree, 'an empty file', { file });
}

/** The image of `--kernel`; undefined: the built-in one. */
function readKernel(flags: RunFlags, map: string | undefined): KernelImage | undefined {
  if (flags.kernel === undefined) return undefined;
  const systemMap =
    map === undefined ? {} : { systemMap: { file: basename(flags.systemMap ?? ''), text: map } };
  return readKernelImage(readBytes(flags.kernel), {
    file: basename(flags.kernel),
    sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
    ...systemMap,
  });
}

/** Whether the user gave a command line, as an option or as a setting. */
const givesCmdline = (flags: RunFlags): boolean =>
  flags.cmdline !== undefined || (flags.set ?? []).some((each) => /^cmdline=/.test(each));

/**
 * The options of a boot; reads files, runs nothing. The user's command line and initrd override a UKI's. `onStep` is called
 * with the label of each step before it runs.
 */
export function bootOptions(
  nameOrFile: string,
  given: RunFlags,
  onStep?: (label: string) => void,
): BootOptions {
  checkCombination(given);
  const systemMap =
    given.kernel === undefined || given.systemMap === undefined
      ? undefined
      : readText(given.systemMap, LIMITS.systemMap);
  const image = readKernel(given, systemMap);
  const cmdline = givesCmdline(given) ? undefined : image?.uki?.cmdline;
  const flags = cmdline === undefined ? given : { ...given, cmdline };
  const { scenario, digest } = loadScenario(nameOrFile, flags);
  const own = flags.initrd === undefined ? undefined : openBytes(flags.initrd);
  const initrd = own ?? image?.uki?.initrd;
  const modules = flags.hunks === undefined ? undefined : loadHunks(...flags.hunks);
  const dtb = flags.dtb === undefined ? undefined : readDeviceTree(flags.dtb);
  const files = filesRead(
    { ...flags, scenario: nameOrFile },
    optional({ systemMap, initrd: own, dtb }),
  );
  return {
    scenario,
    scenarioDigest: digest,
    ...selectionOf(flags),
    ...(modules !== undefined && { extra: modules.hunks, ownHunks: modules.modules }),
    settings: settingsOf(flags),
    ...(image !== undefined && { image }),
    ...(initrd !== undefined && { initrd }),
    ...optional({ deviceTree: dtb, files }),
    sanitize: isWatched(flags),
    cipher: nodeCipher,
    digest: sha256,
    ...optional({ onStep }),
  };
}

/** A boot that has not begun. */
export function prepareBoot(
  nameOrFile: string,
  flags: RunFlags,
  onStep?: (label: string) => void,
): Boot {
  return new Boot(bootOptions(nameOrFile, flags, onStep));
}

/** A boot that has not begun and has no sanitizer, for a command that prints nothing of its reports. */
export function prepareUnwatched(
  nameOrFile: string,
  flags: RunFlags,
  onStep?: (label: string) => void,
): Boot {
  return new Boot({ ...bootOptions(nameOrFile, flags, onStep), sanitize: false });
}

/** Scenarios for programs: parsed from text, with some values changed. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { readYaml } from '../base/yaml-source.js';
import type { Scenario } from '../scenario/scenario.js';
import { cmdlineAssignment, scenarioWith } from '../scenario/settings.js';

export type { Scenario };

/** Values of a scenario by their path, as after `--set`: `{ 'machine.ram': '4GiB', cmdline: 'mem_encrypt=off' }`. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** A validated scenario. */
export interface LoadedScenario {
  readonly scenario: Scenario;
  /** SHA-256 of the scenario with its settings, in hexadecimal: a trace's header has it. */
  readonly digest: string;
  /** The settings that were applied, as text: a trace's header has them. */
  readonly settings: Readonly<Record<string, string>>;
  /**
   * The file that it was loaded from, if it is none of the package; its path is relative to the working directory. A trace's
   * header has it.
   */
  readonly file?: { readonly path?: string };
}

/** One setting in the form of `--set`. */
const assignment = ([path, value]: readonly [string, string | number | boolean]): string =>
  path === 'cmdline' ? cmdlineAssignment(String(value)) : `${path}=${String(value)}`;

/**
 * Parses a scenario. `file` is its name in errors. Throws InputError: E_YAML, E_SCENARIO or E_UNKNOWN_KEY with the path of
 * the first violation, E_SET for a setting without a path.
 */
export function parseScenarioText(
  file: string,
  text: string,
  settings: Settings = {},
): LoadedScenario {
  const assignments = Object.entries(settings).map(assignment);
  const scenario = scenarioWith(readYaml(file, text), assignments);
  const digest = bytesToHex(sha256(utf8ToBytes(JSON.stringify(scenario))));
  const applied = Object.entries(settings).map(([path, value]) => [path, String(value)]);
  return { scenario, digest, settings: Object.fromEntries(applied) as Record<string, string> };
}

/** Scenarios for programs: parsed from text, with some values changed. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { readYaml, valueAt } from '../base/yaml-source.js';
import { parseScenario, setPath, type Scenario } from '../scenario/scenario.js';

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
}

/** One setting in the form of `--set`. A command line is text, also if it looks like a number. */
const assignment = ([path, value]: readonly [string, string | number | boolean]): string =>
  `${path}=${path === 'cmdline' ? JSON.stringify(String(value)) : String(value)}`;

/**
 * Parses a scenario. `file` is its name in errors. Throws InputError: E_YAML, E_SCENARIO or E_UNKNOWN_KEY with the path of
 * the first violation, E_SET for a setting without a path.
 */
export function parseScenarioText(
  file: string,
  text: string,
  settings: Settings = {},
): LoadedScenario {
  const source = readYaml(file, text);
  const data = Object.entries(settings).map(assignment).reduce(setPath, source.value);
  // A value that is the file's own has a line; one of the settings has none.
  const scenario = parseScenario(file, data, (path, key) => {
    const whole = key === undefined ? path : [...path, key];
    return valueAt(data, whole) === valueAt(source.value, whole) ? source.place(path, key) : {};
  });
  const digest = bytesToHex(sha256(utf8ToBytes(JSON.stringify(scenario))));
  const applied = Object.entries(settings).map(([path, value]) => [path, String(value)]);
  return { scenario, digest, settings: Object.fromEntries(applied) as Record<string, string> };
}

/** A scenario with some of its values changed, as `--set` and programs do it. */
import { valueAt, type YamlSource } from '../base/yaml-source.js';
import { checkMachine } from './machine-check.js';
import { parseScenario, setPath, type PlaceOf, type Scenario } from './scenario.js';

/** The assignment of a command line: text, also if it looks like a number. */
export const cmdlineAssignment = (text: string): string => `cmdline=${JSON.stringify(text)}`;

/**
 * The scenario of a parsed file with assignments `path=value` applied, in their order. Throws E_SCENARIO or E_UNKNOWN_KEY
 * with the path of the first violation, E_SET for an assignment without a path.
 */
export function scenarioWith(source: YamlSource, assignments: readonly string[]): Scenario {
  const data = assignments.reduce(setPath, source.value);
  // A value that is the file's own has a line; one of an assignment has none.
  const placeOf: PlaceOf = (path, key) => {
    const whole = key === undefined ? path : [...path, key];
    return valueAt(data, whole) === valueAt(source.value, whole) ? source.place(path, key) : {};
  };
  const scenario = parseScenario(source.file, data, placeOf);
  checkMachine(scenario, source.file, placeOf);
  return scenario;
}

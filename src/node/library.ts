/**
 * `sme-boot`: the simulator as a library for Node. Loads scenarios, series, traces and expectations by name or from files,
 * boots, and inspects; docs/library.md has an example. Bad input throws InputError.
 */
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { readYaml } from '../base/yaml-source.js';
import type { Expectation } from '../check/expectation.js';
import type { RunOf } from '../check/run-section.js';
import { Boot, type BootOptions } from '../lib/boot.js';
import { parseScenarioText, type LoadedScenario, type Settings } from '../lib/scenario.js';
import { selectionOf } from '../lib/selection.js';
import type { Selection } from '../lib/series.js';
import { upTo } from '../series/compose.js';
import { currentName } from '../series/former-names.js';
import { seriesOf } from '../series/series-file.js';
import type { Trace } from '../trace/trace.js';
import { loadHunks } from './hunks-module.js';
import { nodeCipher } from './node-cipher.js';
import { packageNames, packageRoot, packageText } from './package-files.js';
import { rebased } from './relative-paths.js';
import { scenarioFile } from './scenario-file.js';
import { sha256 } from './sha256.js';
import { STDIN } from './stdin.js';
import { TraceFiles } from './trace-files.js';

export * from '../lib/index.js';
export { loadHunks } from './hunks-module.js';

/** A series file: a selection of hunks with its name, title and source. */
export interface Series extends Selection {
  readonly name: string;
  readonly title: string;
  readonly source: string;
}

/** The folder of the installed package: `scenarios`, `traces`, `schemas`, `patches` and `probes` are in it. */
export function packageFolder(): string {
  return packageRoot();
}

/** Names of the package's scenarios. */
export function scenarioNames(): string[] {
  return packageNames('scenarios');
}

/**
 * A scenario of the package by name, or from a file, with some values changed. Throws E_SCENARIO_UNKNOWN, E_READ, and what
 * {@link parseScenarioText} throws.
 */
export function loadScenario(nameOrFile: string, settings: Settings = {}): LoadedScenario {
  const { file, text } = packageText('scenarios', nameOrFile, 'E_SCENARIO_UNKNOWN');
  return {
    ...parseScenarioText(file, text, settings),
    ...optional({ file: scenarioFile(nameOrFile) }),
  };
}

/** Names of the package's series. */
export function seriesNames(): string[] {
  return packageNames('patches/series');
}

/** A series of the package by name, or from a file. Throws E_SERIES_UNKNOWN, E_READ, and E_SERIES with its place. */
export function loadSeries(nameOrFile: string): Series {
  const { file, text } = packageText('patches/series', currentName(nameOrFile), 'E_SERIES_UNKNOWN');
  return seriesOf(readYaml(file, text));
}

/** A boot that has not begun: of a scenario by name, from a file or already loaded. Throws InputError. */
export function createBoot(scenario: string | LoadedScenario, options: BootOptions = {}): Boot {
  const loaded = typeof scenario === 'string' ? loadScenario(scenario) : scenario;
  return new Boot(loaded, options, { cipher: nodeCipher, digest: sha256 });
}

/**
 * The whole trace of a file: of a trace, or of one that is stored as the difference from another. The paths of its header
 * are relative to the working directory, as those of a boot are. Throws InputError.
 */
export function loadTrace(file: string): Trace {
  return rebased(new TraceFiles().trace(file), file, STDIN);
}

/** The expectation in a file: a match file, or an exact trace with its bases and paths as {@link loadTrace}'s. Throws InputError. */
export function loadExpectation(file: string): Expectation {
  const expectation = new TraceFiles().read(file);
  if (expectation.expect === 'match') return expectation;
  return { ...expectation, trace: rebased(expectation.trace, file, STDIN) };
}

/**
 * The boot that a match file is about, not begun: `match(expectation, bootOf(expectation.run).run())`. Throws InputError;
 * E_USAGE for an executed boot, which only the command line has.
 */
export function bootOf(run: RunOf): Boot {
  if (run.execute === true) {
    const reason = 'the library does not execute images; sme-boot check runs such a file';
    throw new InputError({ code: 'E_USAGE', place: { path: 'run.execute' }, reason });
  }
  const { scenario, series, set, neutral, stub = neutral, hunks, ...given } = run;
  const base = series === undefined ? undefined : selectionOf(loadSeries(series));
  const activate = given.activate ?? base?.activate;
  const stage = given.stage ?? base?.stage;
  const wanted = selectionOf({ stage, activate });
  const within = base === undefined ? undefined : upTo({ ...base, ...wanted }, wanted.stage);
  return createBoot(loadScenario(scenario, set), {
    stage,
    activate,
    without: union(within?.without, given.without),
    stub: stub ?? within?.stub,
    with: union(within?.with, given.with),
    sanitize: given.sanitize,
    ...(hunks !== undefined && { hunks: loadHunks(...hunks) }),
  });
}

const union = (a: readonly string[] = [], b: readonly string[] = []): string[] => [
  ...new Set([...a, ...b]),
];

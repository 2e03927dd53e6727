// One run of StrykerJS: the mutants of some files under some suites.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { Stryker } from '@stryker-mutator/core';

export const REPORTS = 'reports/mutation';

/** What a sandbox does without. */
const NOT_COPIED = ['dist', 'coverage', 'reports', 'docs', 'man', 'bench', '.cache', '.git'];

/** The states of mutants: those that count in a score, and those that do not compile or do not load. */
export const KILLED = ['Killed', 'Timeout'];
export const ALIVE = ['Survived', 'NoCoverage'];
export const INVALID = ['CompileError', 'RuntimeError'];

/** The file with the results of an earlier run, by name. */
const reportOf = (name) => `${REPORTS}/${name}.json`;

/** Whether a text of a report is that of the file now. */
const isSame = (path, source) => existsSync(path) && readFileSync(path, 'utf8') === source;

/**
 * Removes mutants that survived from the results of an earlier run if a test has changed since, and in any case those of
 * code that runs while modules are loaded: StrykerJS runs a survivor again only if it sees a new test that covers it.
 */
export function forgetSurvivors(name) {
  const file = reportOf(name);
  if (!existsSync(file)) return;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const tests = Object.entries(report.testFiles ?? {});
  const unchanged = tests.every(([path, { source }]) => isSame(path, source));
  for (const each of Object.values(report.files)) {
    each.mutants = each.mutants.filter(
      (mutant) => !ALIVE.includes(mutant.status) || (unchanged && !mutant.static),
    );
  }
  writeFileSync(file, JSON.stringify(report));
}

/**
 * Runs mutants and returns StrykerJS's results.
 *
 * @param mutate paths below src/, each with an optional range `:line:column-line:column`.
 * @param tests paths below test/.
 * @param name of the file under reports/mutation/ that has the results for the next run.
 */
export async function runMutants({ mutate, tests, name, jobs, progress = false }) {
  mkdirSync(REPORTS, { recursive: true });
  // Shared traces are cached under a digest of the sources, which is the same for all mutants.
  process.env.SME_BOOT_TEST_CACHE = 'off';
  process.env.SME_BOOT_CASES = 'first';
  return new Stryker({
    mutate: mutate.map((path) => `src/${path}`),
    testRunner: 'jest',
    jest: {
      projectType: 'custom',
      configFile: 'jest.config.mjs',
      enableFindRelatedTests: false,
      config: {
        testRegex: `/test/(?:${tests.join('|').replaceAll('.', '\\.')})$`,
        setupFiles: ['<rootDir>/scripts/mutation/setup.mjs'],
      },
    },
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    plugins: ['@stryker-mutator/jest-runner'],
    ignorePatterns: NOT_COPIED,
    // The tests are transpiled without a check of types.
    disableTypeChecks: false,
    coverageAnalysis: 'perTest',
    incremental: true,
    incrementalFile: reportOf(name),
    tempDirName: `${REPORTS}/sandboxes`,
    cleanTempDir: 'always',
    concurrency: jobs,
    // Each run of jest leaves some megabytes of modules behind.
    maxTestRunnerReuse: 60,
    // The machine may have other work: a loop without an end is seen by its number of rounds anyway.
    timeoutMS: 20_000,
    dryRunTimeoutMinutes: 20,
    reporters: progress ? ['progress-append-only'] : [],
    logLevel: 'error',
    allowConsoleColors: false,
    allowEmpty: true,
  }).runMutationTest();
}

// Runs jest on ES modules: node needs a flag for it, which a package script cannot set alike on every shell.
// The first argument may be the name of a script of scripts/test-groups.mjs (`test` is the default); other arguments go
// to jest. With a path of a test or folder among them, all of it that a new machine can run is run. The last line adds
// up the runs, and names the scripts that run the other files.
// If JEST_REPORTS names a directory, jest's JSON report is written there in addition.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { BY_PATH, leftTo, SCRIPTS } from './test-groups.mjs';

const given = process.argv.slice(2);
/** Whether an argument is a path of tests or sources, or the beginning of one, and not the value of an option. */
function isPath(arg) {
  return /^(?:\.\/)?(?:test|src)\//.test(arg);
}

const script = Object.hasOwn(SCRIPTS, given[0]) ? given.shift() : 'test';
const byPath = script === 'test' && given.some((arg) => isPath(arg));

const flags = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
const jest = dirname(createRequire(import.meta.url).resolve('jest/package.json'));
const work = mkdtempSync(join(tmpdir(), 'sme-boot-tests-'));
const counts = join(work, 'counts');
const casesLeft = join(work, 'cases-left');

/** One run of jest; returns its exit status. */
function run({ groups, options = [], cases = 'all' }) {
  const args = [join(jest, 'bin', 'jest.js'), ...options, ...given];
  const reports = process.env.JEST_REPORTS;
  if (reports)
    args.push('--json', `--outputFile=${join(reports, `jest-${process.pid}-${groups[0]}.json`)}`);
  const env = {
    ...process.env,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${flags}`.trim(),
    SME_BOOT_TESTS: groups.join(),
    SME_BOOT_COUNTS: counts,
    SME_BOOT_CASES: cases,
    SME_BOOT_CASES_LEFT: casesLeft,
  };
  const { status, signal, error } = spawnSync(process.execPath, args, { env, stdio: 'inherit' });
  if (error) console.error(`jest did not start: ${error.message}`);
  if (signal) console.error(`jest was ended by ${signal}`);
  return status ?? 1;
}

/** The numbers of each line of a file; none if it was not written. */
function numbers(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => line.split(' ').map(Number));
}

/** Passed and failed tests of each run so far. */
const counted = () => numbers(counts);

let status = 0;
let broken = 0;
for (const each of byPath ? BY_PATH : SCRIPTS[script]) {
  const before = counted().length;
  const ended = run(each);
  if (ended !== 0 && counted().length === before) broken++;
  status ||= ended;
}

/** The sums of all runs; empty if jest ran no test, as with --listTests. */
function total() {
  const runs = counted();
  const sum = (column) => runs.reduce((all, one) => all + one[column], 0);
  return [
    ...(runs.length === 0 ? [] : [`${sum(0)} passed, ${sum(1)} failed`]),
    ...(broken === 0 ? [] : [`${broken} ${broken === 1 ? 'run' : 'runs'} without a result`]),
  ];
}

const ran = total();
const cases = numbers(casesLeft).reduce((all, [count]) => all + count, 0);
if (ran.length > 0)
  console.error([...ran, byPath ? '' : leftTo(script, { cases })].filter(Boolean).join('; '));
rmSync(work, { recursive: true });
process.exit(status);

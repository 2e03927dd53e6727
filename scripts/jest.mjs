// Runs jest on ES modules: node needs a flag for it, which a package script cannot set alike on every shell.
// `--real` runs test/real/ (real kernel images) instead of the rest, `--browser` test/browser/ (pages in Chromium),
// `--live` test/live/ (comparisons with tools from outside), `--stages` test/stages/ (whole boots) alone and `--units`
// what is none of these; other arguments go to jest.
// With JEST_REPORTS naming a directory, jest's own report is left there as JSON besides what it prints.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';

const given = process.argv.slice(2);
const parts = ['--real', '--browser', '--live', '--stages', '--units'];
const part = given.findLast((arg) => parts.includes(arg));
const args = given.filter((arg) => !parts.includes(arg));

const reports = process.env.JEST_REPORTS;
if (reports) args.push('--json', `--outputFile=${join(reports, `jest-${process.pid}.json`)}`);

const flags = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
const env = { ...process.env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${flags}`.trim() };
if (part) env.SME_BOOT_TESTS = part.slice(2);
else delete env.SME_BOOT_TESTS;

const jest = dirname(createRequire(import.meta.url).resolve('jest/package.json'));
const { status, signal, error } = spawnSync(
  process.execPath,
  [join(jest, 'bin', 'jest.js'), ...args],
  { env, stdio: 'inherit' },
);
if (error) console.error(`jest did not start: ${error.message}`);
if (signal) console.error(`jest was ended by ${signal}`);
process.exit(status ?? 1);

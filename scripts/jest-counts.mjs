// A reporter of jest that writes the counts of a run for scripts/jest.mjs, which adds up its runs.
import { appendFileSync } from 'node:fs';
import process from 'node:process';

export default class Counts {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
    const file = process.env.SME_BOOT_COUNTS;
    if (file === undefined) return;
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    appendFileSync(file, `${numPassedTests} ${failed}\n`);
  }
}

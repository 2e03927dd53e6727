// A reporter of jest that ends the run at the first test that fails, and writes each suite that ended to the file
// SME_BOOT_RESULTS: a line of JSON with its milliseconds of processor time, the outcome `passed`, `failed` or `broken`
// (it did not load), and a message.
import { appendFileSync } from 'node:fs';
import process from 'node:process';

export default class FirstFailure {
  #started = process.cpuUsage();

  #write(outcome, message) {
    const { user, system } = process.cpuUsage(this.#started);
    const line = JSON.stringify({ outcome, ms: (user + system) / 1000, message });
    appendFileSync(process.env.SME_BOOT_RESULTS, `${line}\n`);
    if (outcome !== 'passed') process.exit(1);
  }

  onTestFileStart() {
    this.#started = process.cpuUsage();
  }

  onTestCaseResult(_test, { status, fullName }) {
    if (status === 'failed') this.#write('failed', fullName);
  }

  onTestFileResult(_test, { testExecError, numFailingTests }) {
    if (testExecError) this.#write('broken', testExecError.message);
    else this.#write(numFailingTests > 0 ? 'failed' : 'passed');
  }
}

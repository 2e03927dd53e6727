// A reporter of jest that ends the run at the first test that fails, and writes each suite that ended to the file
// SME_BOOT_RESULTS: a line of JSON with its time, the outcome `passed`, `failed` or `broken` (it did not load), and a message.
import { appendFileSync } from 'node:fs';
import process from 'node:process';

export default class FirstFailure {
  #started = 0;

  #write(outcome, message) {
    const line = JSON.stringify({ outcome, ms: Date.now() - this.#started, message });
    appendFileSync(process.env.SME_BOOT_RESULTS, `${line}\n`);
    if (outcome !== 'passed') process.exit(1);
  }

  onTestFileStart() {
    this.#started = Date.now();
  }

  onTestCaseResult(_test, { status, fullName }) {
    if (status === 'failed') this.#write('failed', fullName);
  }

  onTestFileResult(_test, { testExecError, numFailingTests }) {
    if (testExecError) this.#write('broken', testExecError.message);
    else this.#write(numFailingTests > 0 ? 'failed' : 'passed');
  }
}

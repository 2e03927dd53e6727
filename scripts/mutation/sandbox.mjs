// A copy of the project in which jest runs suites against one mutant at a time.
import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { mutated } from './sample.mjs';

const NOT_COPIED = ['.cache', '.git', 'coverage', 'dist', 'node_modules', 'reports'];
const LOADS = 'loads.test.ts';

/** Seconds of processor time within which suites must end that take `ms` without a mutant. */
const boundOf = (ms) => Math.ceil((4 * ms + 20_000) / 1000);
const CLEAN_BOUND = 1200;
/** Milliseconds of time for each second of a bound, for a process that only waits: the machine may have other work. */
const WAITING = 10_000;
/** Runs its arguments with a limit of processor time. */
const LIMITED = 'ulimit -t "$1"; shift; exec "$@"';

export class Sandbox {
  #folder;
  #results;
  /** Of each suite that has run without a mutant. */
  #clean = new Map();

  constructor(folder) {
    this.#folder = folder;
    this.#results = resolve(folder, 'results');
    this.remove();
    for (const name of readdirSync('.')) {
      if (!NOT_COPIED.includes(name)) cpSync(name, join(folder, name), { recursive: true });
    }
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'), 'junction');
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /**
   * The state of a mutant after the nearest suites, the quickest first, up to the first failure. Throws if a suite fails
   * without the mutant.
   */
  async stateOf(mutant, suites) {
    if (suites.length === 0) return 'NoCoverage';
    const clean = await this.#cleanTimes(suites);
    const byTime = [...suites].sort((a, b) => clean.get(a) - clean.get(b));
    const bound = boundOf(suites.reduce((sum, suite) => sum + clean.get(suite), 0));
    const file = join(this.#folder, 'src', mutant.path);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, mutated(text, mutant));
    try {
      const { outcomes, isLate } = await this.#run(byTime, bound);
      if (isLate) return 'Timeout';
      if (outcomes.at(-1) === 'broken') return await this.#stateIfBroken(mutant);
      // A process that ends early otherwise, as one without memory, is a failure too.
      const passed = outcomes.filter((outcome) => outcome === 'passed').length;
      return passed === suites.length ? 'Survived' : 'Killed';
    } finally {
      writeFileSync(file, text);
    }
  }

  /** A suite is broken by a mutant whose module does not load, or by what the suite calls outside of its tests. */
  async #stateIfBroken({ path }) {
    const file = join(this.#folder, 'test', LOADS);
    const module = JSON.stringify(`../src/${path.replace(/\.ts$/, '.js')}`);
    writeFileSync(
      file,
      `import { test } from '@jest/globals';\nimport ${module};\ntest('loads', () => {});\n`,
    );
    const { outcomes } = await this.#run([LOADS], boundOf(0));
    rmSync(file);
    return outcomes.at(-1) === 'passed' ? 'Killed' : 'RuntimeError';
  }

  /** Milliseconds of processor time of each suite without a mutant; runs those that have not run. */
  async #cleanTimes(suites) {
    const due = suites.filter((suite) => !this.#clean.has(suite));
    if (due.length > 0) {
      const { outcomes, times, message } = await this.#run(due, CLEAN_BOUND);
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome === 'passed') this.#clean.set(due[index], times[index]);
      }
      const failed = due.find((suite) => !this.#clean.has(suite));
      if (failed !== undefined) throw new Error(`${failed} fails without a mutant: ${message}`);
    }
    return this.#clean;
  }

  /** One run of jest, within `bound` seconds of processor time: outcomes and times of the suites up to the first failure. */
  async #run(suites, bound) {
    writeFileSync(this.#results, '');
    const child = spawn(
      'sh',
      [
        ...['-c', LIMITED, 'sh', String(bound), process.execPath],
        ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
        ...[join('node_modules', 'jest', 'bin', 'jest.js'), '--config'],
        join('scripts', 'mutation', 'jest.config.mjs'),
      ],
      {
        cwd: this.#folder,
        env: {
          ...process.env,
          SME_BOOT_CASES: 'first',
          SME_BOOT_RESULTS: this.#results,
          SME_BOOT_SUITES: JSON.stringify(suites),
          // Shared traces are cached under a digest of all sources, which would be read again for each mutant.
          SME_BOOT_TEST_CACHE: 'off',
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), bound * WAITING);
    // A process that had ended before, while this one was stopped, is not late.
    const isLate = await new Promise((done, failed) => {
      child
        .on('exit', (_code, signal) => done(['SIGKILL', 'SIGXCPU'].includes(signal)))
        .on('error', failed);
    });
    clearTimeout(timer);
    const lines = readFileSync(this.#results, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const column = (name) => lines.map((line) => line[name]);
    const message = lines.at(-1)?.message ?? errors;
    return { outcomes: column('outcome'), times: column('ms'), message, isLate };
  }
}

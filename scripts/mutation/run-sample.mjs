// The run of a sample: each drawn mutant against the nearest suites, then, if it survives, against whole boots.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { ALIVE, REPORTS } from './run.mjs';
import { identityOf } from './sample.mjs';
import { Sandbox } from './sandbox.mjs';
import { BOOTS, isInBoots, testsFor } from './targets.mjs';

const digestOf = (text) => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** Identifies a mutant and the text of its file, on one line. */
function keyOf(mutant) {
  const { path, range, mutatorName } = mutant;
  const text = readFileSync(join('src', path), 'utf8');
  return `${path}:${range} ${mutatorName} ${digestOf(text + identityOf(mutant))}`;
}

async function decide(mutant, sandbox) {
  const near = await sandbox.stateOf(mutant, testsFor(mutant.path));
  if (!ALIVE.includes(near) || !isInBoots(mutant.path)) return near;
  return sandbox.stateOf(mutant, BOOTS);
}

/** The states, sorted by their keys. */
function recordOf(known) {
  const sorted = Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`;
}

/**
 * The states of drawn mutants, in the order of the draw, so that a run that has ended early has run a smaller sample.
 * `file` has the states known so far and is written after each mutant. A mutant with a suite that fails without it is
 * undefined; the next run tries it again.
 */
export async function runSample(drawn, file, jobs) {
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const keys = drawn.map((mutant) => keyOf(mutant));
  const due = [...drawn.entries()].filter(([index]) => !Object.hasOwn(known, keys[index]));
  const queue = due.values();
  mkdirSync(dirname(file), { recursive: true });
  async function work(job) {
    const sandbox = new Sandbox(join(REPORTS, 'sandboxes', `job-${process.pid}-${job}`));
    for (const [index, mutant] of queue) {
      const started = Date.now();
      const name = `${index + 1} of ${drawn.length}: src/${mutant.path}:${mutant.range} ${mutant.mutatorName}`;
      try {
        const state = await decide(mutant, sandbox);
        known[keys[index]] = state;
        writeFileSync(file, recordOf(known));
        console.error(`${name}: ${state}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
      } catch (error) {
        console.error(`${name}: undecided: ${error.message}`);
      }
    }
    sandbox.remove();
  }
  const workers = Math.min(jobs, due.length);
  await Promise.all(Array.from({ length: workers }, (_, job) => work(job + 1)));
  return keys.map((key) => known[key]);
}

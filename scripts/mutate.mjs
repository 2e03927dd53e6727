// Mutation testing with StrykerJS:
//   npm run mutate -- NAME…                 the mutants of files (src/…) and of targets (scripts/mutation/targets.mjs)
//   npm run mutate -- --sample N --seed S   N mutants, drawn from all files that belong to no target
// Options: --jobs N, the number of test runners (1); --progress; --draw lists the sample and runs none. Results are in
// reports/mutation/: a run that was ended goes on where it was, and a mutant runs again if it or its tests have changed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ALIVE, forgetSurvivors, KILLED, REPORTS, runMutants } from './mutation/run.mjs';
import { draw, mutantsOf, sampledFiles, wilson } from './mutation/sample.mjs';
import { BOOTS, filesOf, isInBoots, TARGETS, testsFor } from './mutation/targets.mjs';

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const oneLine = (text) => text.replaceAll(/\s+/g, ' ');

function scoreOf(results) {
  const killed = results.filter(({ status }) => KILLED.includes(status)).length;
  const count = killed + results.filter(({ status }) => ALIVE.includes(status)).length;
  return { killed, count, invalid: results.length - count };
}

function scoreLine(name, results) {
  const { killed, count, invalid } = scoreOf(results);
  if (count === 0) return `${name}: no mutants`;
  const besides = invalid === 0 ? '' : `; ${invalid} more do not load`;
  return `${name}: ${percent(killed / count)}, ${killed} of ${count} killed${besides}`;
}

/** A surviving mutant: its place, what it is, and the text in place of the source's. */
function printSurvivor({ path, range, status, mutatorName, replacement }) {
  const [line, column] = range.split(/[:-]/).map(Number);
  const missed = status === 'NoCoverage' ? ', not reached by a test' : '';
  console.log(`  src/${path}:${line}:${column + 1} ${mutatorName}${missed}`);
  console.log(`    ${oneLine(replacement)}`);
}

/** StrykerJS's results in the form of sample.mjs: columns from 0. */
function plain(results) {
  return results.map(
    ({ fileName, location: { start, end }, mutatorName, replacement, status }) => ({
      path: fileName.replaceAll('\\', '/').replace(/^.*?src\//, ''),
      range: `${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`,
      ...{ mutatorName, replacement, status },
    }),
  );
}

/** Lines of a part of a file. StrykerJS writes its results at the end of a run, so a file is run in parts. */
const PART_LINES = 40;

/** The results for all mutants of a file; `options` are of runMutants. */
async function mutateFile(path, options) {
  const lines = readFileSync(`src/${path}`, 'utf8').split('\n').length;
  const name = path.replace(/\.ts$/, '').replaceAll('/', '-');
  forgetSurvivors(name);
  const run = (range) =>
    runMutants({ ...options, mutate: [`${path}${range}`], tests: testsFor(path), name });
  for (let line = 1; line + PART_LINES < lines; line += PART_LINES) {
    await run(`:${line}-${line + PART_LINES - 1}`);
  }
  // The last part, and what is in several parts; the results of the others are there already.
  return plain(await run(''));
}

async function mutateFiles(names, { jobs, progress }) {
  const unknown = names.find((name) => filesOf(name) === undefined);
  if (unknown !== undefined) {
    console.error(`mutate: neither a file below src/ nor a target: ${unknown}`);
    console.error(`targets: ${Object.keys(TARGETS).join(' ')}`);
    return 2;
  }
  for (const name of names) {
    const all = [];
    for (const path of filesOf(name)) {
      const found = await mutateFile(path, { jobs, progress });
      console.log(scoreLine(`src/${path}`, found));
      found.filter(({ status }) => ALIVE.includes(status)).forEach(printSurvivor);
      all.push(...found);
    }
    if (filesOf(name).length > 1) console.log(scoreLine(name, all));
  }
  return 0;
}

const keyOf = ({ path, range, mutatorName, replacement }) =>
  [path, range, mutatorName, replacement].join('\n');

/** Mutants by the suites that run against them; `suites` gives those of a mutant. */
function bySuites(mutants, suites) {
  const groups = new Map();
  for (const mutant of mutants) {
    const tests = suites(mutant);
    const key = tests.join();
    if (!groups.has(key)) groups.set(key, { tests, mutants: [] });
    groups.get(key).mutants.push(mutant);
  }
  return [...groups.values()];
}

/** Runs drawn mutants under some suites; returns their states by key. */
async function runDrawn(mutants, tests, jobs) {
  const ranges = {};
  for (const { path, range } of mutants) (ranges[path] ??= []).push(range);
  const mutate = mutants.map(({ path, range }) => `${path}:${range}`);
  const found = plain(await runMutants({ mutate, tests, jobs, drawn: JSON.stringify(ranges) }));
  return new Map(found.map((result) => [keyOf(result), result.status]));
}

/**
 * Runs the drawn mutants against the nearest suites, then those that survive against whole boots. `states` has the states
 * known so far by phase and key; `save` is called after each group.
 */
async function runPhases(drawn, states, jobs, save) {
  const phases = {
    nearest: [drawn, ({ path }) => testsFor(path)],
    boots: [drawn.filter(({ path }) => isInBoots(path)), () => BOOTS],
  };
  for (const [phase, [mutants, suites]] of Object.entries(phases)) {
    const known = (states[phase] ??= {});
    const due = mutants.filter((mutant) => {
      const key = keyOf(mutant);
      if (known[key] !== undefined) return false;
      return phase === 'nearest' || ALIVE.includes(states.nearest[key]);
    });
    const groups = bySuites(due, suites);
    for (const [index, group] of groups.entries()) {
      console.error(`${phase}: ${index + 1} of ${groups.length}, ${group.mutants.length} mutants`);
      let found = new Map();
      try {
        if (group.tests.length > 0) found = await runDrawn(group.mutants, group.tests, jobs);
      } catch (error) {
        // A suite that fails without any mutant decides none; the next run tries again.
        console.error(`${group.tests.join(' ')}: ${error.message}`);
        continue;
      }
      for (const mutant of group.mutants) {
        known[keyOf(mutant)] = found.get(keyOf(mutant)) ?? 'NoCoverage';
      }
      save();
    }
  }
}

async function mutateSample(count, seed, { jobs, drawOnly }) {
  const all = await mutantsOf(sampledFiles());
  const drawn = draw(all, count, seed);
  console.log(`${drawn.length} of ${all.length} mutants, seed ${seed}`);
  if (drawOnly) {
    for (const { path, range, mutatorName } of drawn)
      console.log(`src/${path}:${range} ${mutatorName}`);
    return 0;
  }
  const file = `${REPORTS}/sample-${seed}.json`;
  mkdirSync(REPORTS, { recursive: true });
  const states = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  await runPhases(drawn, states, jobs, () => {
    writeFileSync(file, JSON.stringify(states, undefined, 1));
  });
  const results = drawn.map((mutant) => {
    const key = keyOf(mutant);
    const [near, boots] = [states.nearest[key], states.boots[key]];
    return { ...mutant, status: ALIVE.includes(near) && boots !== undefined ? boots : near };
  });
  results.filter(({ status }) => ALIVE.includes(status)).forEach(printSurvivor);
  console.log(scoreLine(`sample of ${count}, seed ${seed}`, results));
  const { killed, count: decided } = scoreOf(results);
  const [low, high] = wilson(killed, decided);
  console.log(`95 % confidence interval (Wilson): ${percent(low)} to ${percent(high)}`);
  return 0;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    draw: { type: 'boolean', default: false },
    progress: { type: 'boolean', default: false },
  },
});
const jobs = Number(values.jobs);
if (values.sample === undefined && positionals.length === 0) {
  console.error(
    `usage: npm run mutate -- NAME… | --sample N --seed S; targets: ${Object.keys(TARGETS).join(' ')}`,
  );
  process.exitCode = 2;
} else if (values.sample === undefined) {
  process.exitCode = await mutateFiles(positionals, { jobs, progress: values.progress });
} else {
  const options = { jobs, drawOnly: values.draw };
  process.exitCode = await mutateSample(Number(values.sample), Number(values.seed), options);
}

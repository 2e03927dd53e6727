// Mutation testing with StrykerJS:
//   npm run mutate -- NAME…                 the mutants of files (src/…) and of targets (scripts/mutation/targets.mjs)
//   npm run mutate -- --sample N --seed S   N mutants, drawn from all files that belong to no target
// Options: --jobs N, the number of test runners (1); --progress; --draw lists the sample and runs none. Results are in
// reports/mutation/, of samples in scripts/mutation/samples/: a run that was ended goes on where it was, and a mutant runs again if it or its tests have changed.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ALIVE, forgetSurvivors, INVALID, KILLED, runMutants } from './mutation/run.mjs';
import { runSample } from './mutation/run-sample.mjs';
import { draw, mutantsOf, sampledFiles, wilson } from './mutation/sample.mjs';
import { filesOf, TARGETS, testsFor } from './mutation/targets.mjs';

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const oneLine = (text) => text.replaceAll(/\s+/g, ' ');

function scoreOf(results) {
  const killed = results.filter(({ status }) => KILLED.includes(status)).length;
  const count = killed + results.filter(({ status }) => ALIVE.includes(status)).length;
  const invalid = results.filter(({ status }) => INVALID.includes(status)).length;
  return { killed, count, invalid };
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

async function mutateSample(count, seed, { jobs, drawOnly }) {
  const all = await mutantsOf(sampledFiles());
  const drawn = draw(all, count, seed);
  console.log(`${drawn.length} of ${all.length} mutants, seed ${seed}`);
  if (drawOnly) {
    for (const { path, range, mutatorName } of drawn)
      console.log(`src/${path}:${range} ${mutatorName}`);
    return 0;
  }
  const states = await runSample(drawn, `scripts/mutation/samples/${seed}.json`, jobs);
  const results = drawn.map((mutant, index) => ({ ...mutant, status: states[index] }));
  results.filter(({ status }) => ALIVE.includes(status)).forEach(printSurvivor);
  const undecided = states.filter((status) => status === undefined).length;
  if (undecided > 0) console.log(`${undecided} undecided: a suite of theirs fails by itself`);
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

// Every check of the project, cheapest first. After a failure the next ones still run.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const GATES = [
  'check:format',
  'check:types',
  'check:lint',
  'check:cycles',
  'check:docs',
  'check:traces',
  'test:all',
];

const failed = GATES.filter((gate) => {
  console.log(`\n---- ${gate}`);
  return spawnSync('npm', ['run', '--silent', gate], { stdio: 'inherit' }).status !== 0;
});

console.log(failed.length === 0 ? '\ncheck: passed' : `\ncheck: failed in ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

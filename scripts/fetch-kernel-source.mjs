// Downloads Debian's kernel source to .cache/linux-source-RELEASE/ and unpacks the files that a review reads, without
// installing the package. Needs dist/, tar and xz. A second run does nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Failure, Packages } from './debian-packages.mjs';

const RELEASE = '6.1';
const NAME = `linux-source-${RELEASE}`;
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, '.cache', NAME);

/** Runs a program; returns its output. Status 2 of tar says that a file of the list is not in the archive. */
function run(program, args, statuses = [0]) {
  const ran = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (ran.error) throw new Failure(`${program} did not start: ${ran.error.message}`);
  if (!statuses.includes(ran.status)) throw new Failure(`${program} failed:\n${ran.stderr.trim()}`);
  return ran.stdout;
}

function fetchSource() {
  const work = mkdtempSync(join(tmpdir(), 'sme-boot-source-'));
  try {
    const files = run(process.execPath, [
      join(root, 'dist', 'sme-boot.js'),
      ...['review', '--files', RELEASE],
    ]);
    const list = join(work, 'list');
    writeFileSync(list, files.replaceAll(/^(?=.)/gm, `${NAME}/`));
    const unpacked = join(work, 'package');
    const version = new Packages(work).unpack(NAME, ['usr/src'], unpacked);
    const tree = join(work, 'tree');
    mkdirSync(tree);
    const archive = join(unpacked, 'usr/src', `${NAME}.tar.xz`);
    const options = ['--xz', '--strip-components=1', '-C', tree, '-T', list];
    run('tar', ['-x', '-f', archive, ...options], [0, 2]);
    if (!existsSync(join(tree, 'Makefile'))) throw new Failure(`${NAME} has no Makefile`);
    writeFileSync(join(tree, 'debian-version'), `${version}\n`);
    mkdirSync(join(root, '.cache'), { recursive: true });
    run('cp', ['-r', tree, `${cache}.part`]);
    renameSync(`${cache}.part`, cache);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  if (!existsSync(cache)) fetchSource();
  console.log(cache);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`fetch-kernel-source: ${error.message}`);
  process.exitCode = 1;
}

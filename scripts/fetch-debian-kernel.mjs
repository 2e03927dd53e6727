// Brings the kernel image of Debian's cloud kernel into .cache/debian-kernel/, without installing it, and prints the
// path of its vmlinuz. What it found is in kernel.json there: {package, version, vmlinuz, systemMap?, config?}, the
// paths relative to that directory. A second run finds it there and fetches nothing.
//
// apt's own configuration says where packages come from. Root is not needed: where the machine has no package lists,
// they are fetched into .cache/debian-kernel/apt/ for this run only.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

const META_PACKAGE = 'linux-image-cloud-amd64';
const cache = fileURLToPath(new URL('../.cache/debian-kernel', import.meta.url));
const record = join(cache, 'kernel.json');
const work = join(cache, 'fetching');
const tree = join(cache, 'package');
const apt = join(cache, 'apt');

class Failure extends Error {}

/** Runs a program; gives its output, or undefined if it ended with an error and `may` fail. */
function run(program, args, { may = false, cwd = cache } = {}) {
  const env = { ...process.env, LC_ALL: 'C' };
  const ran = spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (ran.error) throw new Failure(`${program} did not start: ${ran.error.message}`);
  if (ran.status === 0) return ran.stdout;
  if (may) return undefined;
  throw new Failure(`${program} ${args.join(' ')} failed:\n${ran.stderr.trim()}`);
}

/** The versioned package that the meta package depends on now, and its version. */
function candidate(options) {
  const shown = run('apt-cache', [...options, 'show', '--no-all-versions', META_PACKAGE], {
    may: true,
  });
  const name = /^Depends:.*?\b(linux-image-\d[^\s,(]*)/m.exec(shown ?? '')?.[1];
  if (name === undefined) return undefined;
  const versions = run('apt-cache', [...options, 'show', '--no-all-versions', name], { may: true });
  const version = /^Version: (\S+)/m.exec(versions ?? '')?.[1];
  return version === undefined ? undefined : { name, version };
}

/** apt's options for lists of our own, which need no root. */
function ownLists() {
  mkdirSync(join(apt, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(apt, 'archives', 'partial'), { recursive: true });
  const set = {
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::Cache': apt,
    'Dir::Cache::Archives': join(apt, 'archives'),
    'APT::Sandbox::User': process.getuid?.() === 0 ? 'root' : '',
    'APT::Architecture': 'amd64',
  };
  return Object.entries(set).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** The first file in /boot of the unpacked package whose name starts with `prefix`. */
function inBoot(prefix) {
  const name = readdirSync(join(tree, 'boot')).find((entry) => entry.startsWith(prefix));
  return name === undefined ? undefined : join('package', 'boot', name);
}

function fetchKernel() {
  mkdirSync(work, { recursive: true });
  let options = [];
  let found = candidate(options);
  if (found === undefined) {
    options = ownLists();
    run('apt-get', [...options, 'update']);
    found = candidate(options);
  }
  if (found === undefined) throw new Failure(`apt knows no package ${META_PACKAGE}`);
  const download = (...more) =>
    run('apt-get', [...more, 'download', `${found.name}=${found.version}`], {
      cwd: work,
      may: more !== options,
    });
  // Lists that are out of date name versions which are gone.
  if (download('-o', 'APT::Sandbox::User=root', ...options) === undefined) {
    options = ownLists();
    run('apt-get', [...options, 'update']);
    found = candidate(options) ?? found;
    run('apt-get', [...options, 'download', `${found.name}=${found.version}`], { cwd: work });
  }
  const deb = readdirSync(work).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Failure(`apt-get downloaded no package for ${found.name}`);
  rmSync(tree, { recursive: true, force: true });
  run('dpkg-deb', ['-x', join(work, deb), tree]);

  const vmlinuz = inBoot('vmlinuz-');
  if (vmlinuz === undefined) throw new Failure(`${found.name} holds no /boot/vmlinuz-*`);
  const map = inBoot('System.map-');
  // Debian leaves a note of one line in the map's place and ships the map with the debug package.
  const mapIsReal =
    map !== undefined && /^[0-9a-f]{8,16} \S /.test(readFileSync(join(cache, map), 'utf8'));
  const config = inBoot('config-');
  return {
    package: found.name,
    version: found.version,
    vmlinuz,
    ...(mapIsReal && { systemMap: map }),
    ...(config !== undefined && { config }),
  };
}

/** What an earlier run left, if it is whole. */
function fetchedBefore() {
  if (!existsSync(record)) return undefined;
  const kernel = JSON.parse(readFileSync(record, 'utf8'));
  return existsSync(join(cache, kernel.vmlinuz)) ? kernel : undefined;
}

try {
  let kernel = fetchedBefore();
  if (kernel === undefined) {
    mkdirSync(cache, { recursive: true });
    chmodSync(cache, 0o755);
    kernel = fetchKernel();
    writeFileSync(`${record}.new`, `${JSON.stringify(kernel, null, 2)}\n`);
    renameSync(`${record}.new`, record);
    rmSync(work, { recursive: true, force: true });
    rmSync(apt, { recursive: true, force: true });
  }
  console.log(join(cache, kernel.vmlinuz));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`fetch-debian-kernel: ${error.message}`);
  process.exitCode = 1;
}

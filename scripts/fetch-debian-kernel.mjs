// Brings the kernel image of Debian's cloud kernel into .cache/debian-kernel/, without installing it, and prints the
// path of its vmlinuz. What it found is in kernel.json there: {package, version, vmlinuz, systemMap?, config?}, the
// paths relative to the project's root. A second run finds it there and fetches nothing.
//
// apt's own configuration says where packages come from. Root is not needed: where the machine's package lists are
// missing or out of date, lists for this run only are fetched into .cache/debian-kernel/.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

const META_PACKAGE = 'linux-image-cloud-amd64';
const CACHE = '.cache/debian-kernel';
const PACKAGE = posix.join(CACHE, 'package');

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, CACHE);
const record = join(cache, 'kernel.json');
const unpacked = join(root, PACKAGE);
const work = join(cache, 'fetching');

class Failure extends Error {}

/** Runs a program in the working directory; gives what it printed. */
function run(program, args) {
  const env = { ...process.env, LC_ALL: 'C' };
  const ran = spawnSync(program, args, { cwd: work, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (ran.error) throw new Failure(`${program} did not start: ${ran.error.message}`);
  if (ran.status !== 0) throw new Failure(`${program} failed:\n${ran.stderr.trim()}`);
  return ran.stdout;
}

/** Asks apt for a field of a package's newest version. */
function field(options, name, pattern) {
  const found = pattern.exec(
    run('apt-cache', [...options, 'show', '--no-all-versions', name]),
  )?.[1];
  if (found === undefined) throw new Failure(`apt knows no ${name} that names what it needs`);
  return found;
}

/** Downloads the versioned package that the meta package depends on. */
function download(options) {
  const name = field(options, META_PACKAGE, /^Depends:.*?\b(linux-image-\d[^\s,(]*)/m);
  const version = field(options, name, /^Version: (\S+)/m);
  run('apt-get', [...options, 'download', `${name}=${version}`]);
  return { name, version };
}

/** apt's options for a download by whoever runs this: its user for downloads may not write here. */
function asWeAre() {
  return process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
}

/** apt's options for lists of our own. */
function withOwnLists() {
  const lists = join(work, 'lists');
  const archives = join(work, 'archives');
  for (const directory of [lists, archives]) {
    mkdirSync(join(directory, 'partial'), { recursive: true });
  }
  const settings = {
    'Dir::State::Lists': lists,
    'Dir::Cache': work,
    'Dir::Cache::Archives': archives,
  };
  return [
    ...asWeAre(),
    ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
  ];
}

/** A file in /boot of the package, by how its name starts; its path from the project's root. */
function inBoot(prefix) {
  const name = readdirSync(join(unpacked, 'boot')).find((entry) => entry.startsWith(prefix));
  return name === undefined ? undefined : posix.join(PACKAGE, 'boot', name);
}

/** Debian ships a note of one line in the map's place, and the map itself with the debug package. */
function isRealMap(map) {
  return / _text$/m.test(readFileSync(join(root, map), 'utf8'));
}

function fetchKernel() {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  let fetched;
  try {
    fetched = download(asWeAre());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const options = withOwnLists();
    run('apt-get', [...options, 'update']);
    fetched = download(options);
  }
  const deb = readdirSync(work).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Failure(`apt-get left no package of ${fetched.name}`);
  rmSync(unpacked, { recursive: true, force: true });
  run('dpkg-deb', ['-x', deb, unpacked]);

  const vmlinuz = inBoot('vmlinuz-');
  if (vmlinuz === undefined) throw new Failure(`${fetched.name} holds no /boot/vmlinuz-*`);
  const systemMap = inBoot('System.map-');
  const config = inBoot('config-');
  return {
    package: fetched.name,
    version: fetched.version,
    vmlinuz,
    ...(systemMap !== undefined && isRealMap(systemMap) && { systemMap }),
    ...(config !== undefined && { config }),
  };
}

/** What an earlier run left, if it is whole. */
function fetchedBefore() {
  if (!existsSync(record)) return undefined;
  const kernel = JSON.parse(readFileSync(record, 'utf8'));
  return existsSync(join(root, kernel.vmlinuz)) ? kernel : undefined;
}

try {
  let kernel = fetchedBefore();
  if (kernel === undefined) {
    kernel = fetchKernel();
    writeFileSync(`${record}.new`, `${JSON.stringify(kernel, null, 2)}\n`);
    renameSync(`${record}.new`, record);
  }
  console.log(join(root, kernel.vmlinuz));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`fetch-debian-kernel: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

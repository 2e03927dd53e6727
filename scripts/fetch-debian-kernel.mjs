// Downloads Debian's kernel images to .cache/debian-kernel/, without installing them, and prints their paths. The result
// is in images.json there, a list of {name, package, version, vmlinuz, systemMap?, config?, initrd?}, the paths
// relative to the project's root; the cloud kernel is in kernel.json too, without its name. A static busybox, for tests
// that boot to user space, is in busybox.json, {package, version, file}. A second run fetches only what is not there.
// Two images are of other suites than the machine's: where its mirror does not have one, a line says so, and the exit
// status is 0 all the same.
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
import { Failure, Packages } from './debian-packages.mjs';

const CACHE = '.cache/debian-kernel';
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, CACHE);
const record = join(cache, 'kernel.json');
const records = join(cache, 'images.json');
const busybox = join(cache, 'busybox.json');

/** The stable kernel of a flavour, by its meta package. */
const stable = (meta) => ({
  find: (packages) => packages.dependency(meta, 'linux-image-'),
  keep: ['boot'],
  files: inBoot,
});
/** The newest kernel 6.12 that is built for Debian 12, of a flavour. */
const newer = (flavour) => ({
  find: (packages) =>
    packages.newest(new RegExp(`^linux-image-6\\.12\\.(\\d+)\\+deb12-${flavour}$`)),
  keep: ['boot'],
  files: inBoot,
});

/** Debian 11's cloud kernel. */
const older = {
  suite: 'bullseye',
  ...stable('linux-image-cloud-amd64'),
};
/** The newest cloud kernel: the package that has the name of an image depends on one that has the file. */
const newest = {
  suite: 'sid',
  find: (packages) => {
    const image = packages.dependency('linux-image-cloud-amd64', 'linux-image-');
    return packages.dependency(image, 'linux-binary-');
  },
  keep: ['usr/lib/modules'],
  files: inModules,
};

/** The images: how the package is found, which of its folders are unpacked, and which files are used. */
const IMAGES = {
  cloud: stable('linux-image-cloud-amd64'),
  generic: stable('linux-image-amd64'),
  rt: stable('linux-image-rt-amd64'),
  'cloud-6.12': newer('cloud-amd64'),
  'generic-6.12': newer('amd64'),
  'rt-6.12': newer('rt-amd64'),
  'cloud-5.10': older,
  'cloud-next': newest,
  installer: {
    find: (packages) => packages.newest(/^debian-installer-(\d+)-netboot-amd64$/),
    keep: ['usr/lib/debian-installer/images'],
    files: inInstaller,
  },
};

/** Debian ships a one-line note as System.map, and the map itself with the debug package. */
function isRealMap(map) {
  return / _text$/m.test(readFileSync(join(root, map), 'utf8'));
}

/** The files of a kernel package, which are in its /boot. */
function inBoot(folder) {
  const names = readdirSync(join(root, folder, 'boot'));
  const file = (prefix) => {
    const name = names.find((each) => each.startsWith(prefix));
    return name === undefined ? undefined : posix.join(folder, 'boot', name);
  };
  const systemMap = file('System.map-');
  const config = file('config-');
  return {
    vmlinuz: file('vmlinuz-'),
    ...(systemMap !== undefined && isRealMap(systemMap) && { systemMap }),
    ...(config !== undefined && { config }),
  };
}

/** The kernel of a package since 7.x, beside where its modules are. */
function inModules(folder) {
  const modules = join(root, folder, 'usr/lib/modules');
  const release = readdirSync(modules).find((name) => existsSync(join(modules, name, 'vmlinuz')));
  if (release === undefined) return {};
  return { vmlinuz: posix.join(folder, 'usr/lib/modules', release, 'vmlinuz') };
}

/** The installer's kernel and initrd, in the version for a text terminal. */
function inInstaller(folder) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  const file = (name) => {
    const found = files.find((each) => each.includes('/text/') && each.endsWith(`/amd64/${name}`));
    return found === undefined ? undefined : posix.join(folder, found);
  };
  return { vmlinuz: file('linux'), initrd: file('initrd.gz') };
}

function fetchImage(packages, name, { find, keep, files }) {
  const found = find(packages);
  const folder = posix.join(CACHE, name === 'cloud' ? 'package' : name);
  const version = packages.unpack(found, keep, join(root, folder));
  const image = { name, package: found, version, ...files(folder) };
  if (image.vmlinuz === undefined) throw new Failure(`${found} holds no kernel`);
  return image;
}

/** An image of another suite; undefined where it cannot be had, after a line that says why. */
function fetchFromSuite(name, wanted) {
  const state = join(work, wanted.suite);
  try {
    return fetchImage(new Packages(state, wanted.suite), name, wanted);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`fetch-debian-kernel: no ${name}, of suite ${wanted.suite}: ${error.message}`);
    return undefined;
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

/** The images of earlier runs that are complete. */
function fetchedBefore() {
  if (!existsSync(records)) return [];
  const images = JSON.parse(readFileSync(records, 'utf8'));
  return images.filter(({ vmlinuz }) => existsSync(join(root, vmlinuz)));
}

/** Debian's busybox without shared libraries, unless an earlier run fetched it. */
function fetchBusybox(packages) {
  if (existsSync(busybox)) {
    const { file } = JSON.parse(readFileSync(busybox, 'utf8'));
    if (existsSync(join(root, file))) return file;
  }
  const name = 'busybox-static';
  const folder = posix.join(CACHE, 'busybox');
  const version = packages.unpack(name, ['bin'], join(root, folder));
  const file = posix.join(folder, 'bin', 'busybox');
  if (!existsSync(join(root, file))) throw new Failure(`${name} holds no bin/busybox`);
  writeJson(busybox, { package: name, version, file });
  return file;
}

function writeJson(file, value) {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

const work = join(cache, 'fetching');
try {
  mkdirSync(cache, { recursive: true });
  rmSync(work, { recursive: true, force: true });
  const packages = new Packages(work);
  const before = fetchedBefore();
  const images = [];
  for (const [name, wanted] of Object.entries(IMAGES)) {
    const image =
      before.find((each) => each.name === name) ??
      (wanted.suite === undefined
        ? fetchImage(packages, name, wanted)
        : fetchFromSuite(name, wanted));
    if (image === undefined) continue;
    images.push(image);
    // Each is recorded as soon as it is complete, so that it is not fetched again if a later one fails.
    writeJson(records, [
      ...images,
      ...before.filter((each) => !images.some((i) => i.name === each.name)),
    ]);
    console.log(join(root, image.vmlinuz));
  }
  writeJson(record, { ...images.find(({ name }) => name === 'cloud'), name: undefined });
  console.log(join(root, fetchBusybox(packages)));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`fetch-debian-kernel: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

// Makes RAM disks as Debian makes them, in .cache/ramdisks/, and lists them in ramdisks.json there:
// [{name, file, made, boots}], the paths relative to the project's root. A second run finds them there.
//
// mkinitramfs and dracut run in a root directory of their own, made of packages that are unpacked side by side and not
// installed, for the kernel that scripts/fetch-debian-kernel.mjs brings; the installer's RAM disk is taken as it is. It
// takes root, for chroot, mknod and a mount of /proc in a namespace of its own.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

const CACHE = '.cache/ramdisks';
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, CACHE);
const record = join(cache, 'ramdisks.json');
const work = join(cache, 'making');
const tree = join(work, 'root');

/** Packages in the root directory that both programs need, besides their dependencies. */
const PACKAGES = [
  ...['initramfs-tools', 'busybox', 'klibc-utils', 'kmod', 'udev', 'dracut-core'],
  ...['gzip', 'bzip2', 'xz-utils', 'zstd', 'lz4', 'cpio', 'tar'],
  ...['bash', 'dash', 'coreutils', 'mawk', 'sed', 'grep', 'findutils', 'diffutils', 'debianutils'],
  ...['util-linux', 'mount', 'libc-bin', 'base-files', 'dpkg'],
];
/** Compressions of mkinitramfs. Linux 4.6 takes all but zstd. */
const COMPRESSIONS = ['gzip', 'xz', 'zstd'];

class Failure extends Error {}

/** Runs a program; returns its output. */
function run(program, args, options = {}) {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const ran = spawnSync(program, args, { cwd: work, env, maxBuffer: 1 << 28, ...options });
  if (ran.error) throw new Failure(`${program} did not start: ${ran.error.message}`);
  if (ran.status !== 0) {
    throw new Failure(`${program} ${args.join(' ')} failed:\n${String(ran.stderr).trim()}`);
  }
  return ran.stdout;
}

/** Options of apt: packages are downloaded to a separate directory, and nothing counts as installed. */
function aptOptions() {
  const archives = join(work, 'archives');
  const lists = join(work, 'lists');
  for (const directory of [archives, lists]) {
    mkdirSync(join(directory, 'partial'), { recursive: true });
  }
  const status = join(work, 'status');
  writeFileSync(status, '');
  return {
    archives,
    options: [
      ...(process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : []),
      ...['-o', `Dir::State::status=${status}`],
      ...['-o', `Dir::Cache::archives=${archives}`],
      ...['-o', `Dir::State::Lists=${lists}`],
      ...['-o', 'APT::Install-Recommends=false'],
    ],
  };
}

/** Unpacks the packages and the kernel's modules into the root directory. */
function makeTree(kernel) {
  const { archives, options } = aptOptions();
  run('apt-get', [...options, '-q', 'update']);
  run('apt-get', [...options, '-q', '-y', '--download-only', 'install', ...PACKAGES]);
  for (const directory of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(tree, 'usr', directory), { recursive: true });
    symlinkSync(`usr/${directory}`, join(tree, directory));
  }
  for (const name of readdirSync(archives).filter((each) => each.endsWith('.deb'))) {
    const input = run('dpkg-deb', ['--fsys-tarfile', join(archives, name)]);
    run('tar', ['-C', tree, '-xf', '-', '--keep-directory-symlink'], { input });
  }
  for (const directory of ['dev', 'proc', 'tmp', 'var/tmp', 'boot', 'etc']) {
    mkdirSync(join(tree, directory), { recursive: true });
  }
  // Files that the packages' install scripts would have made.
  symlinkSync('mawk', join(tree, 'usr/bin/awk'));
  symlinkSync('/proc/self/fd', join(tree, 'dev/fd'));
  writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(tree, 'etc/group'), 'root:x:0:\n');
  run('mknod', ['-m', '666', join(tree, 'dev/null'), 'c', '1', '3']);
  run('apt-get', [...options, '-q', 'download', `${kernel.package}=${kernel.version}`]);
  const deb = readdirSync(work).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Failure(`apt-get left no package of ${kernel.package}`);
  run('tar', ['-C', tree, '-xf', '-', '--keep-directory-symlink', './lib/modules'], {
    input: run('dpkg-deb', ['--fsys-tarfile', join(work, deb)], { maxBuffer: 2 ** 30 }),
  });
  copyFileSync(join(root, kernel.config), join(tree, 'boot', basename(kernel.config)));
}

/** Runs a command in the root directory, with /proc. */
function inTree(...command) {
  const script = 'mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"';
  run('unshare', ['--mount', 'sh', '-c', script, tree, ...command]);
}

/** A cpio archive, newc, of a directory of the root directory. */
function archive(directory) {
  const list = run('find', ['.', '-mindepth', '1', '-printf', '%P\\n'], { cwd: directory });
  return run('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd: directory, input: list });
}

function makeAll() {
  const kernel = JSON.parse(readFileSync(join(root, '.cache/debian-kernel/kernel.json'), 'utf8'));
  const version = basename(kernel.vmlinuz).replace(/^vmlinuz-/, '');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  makeTree(kernel);
  const disks = [];
  const add = (name, made, from, boots = true) => {
    const file = posix.join(CACHE, name);
    renameSync(from, join(root, file));
    disks.push({ name, file, made, boots });
  };
  inTree('depmod', version);
  for (const compression of COMPRESSIONS) {
    const out = `/tmp/mkinitramfs-${compression}`;
    inTree('mkinitramfs', '-c', compression, '-o', out, version);
    add(basename(out), `mkinitramfs -c ${compression}`, join(tree, out), compression !== 'zstd');
  }
  inTree(
    ...['dracut', '--no-hostonly', '--force', '--kver', version, '--gzip', '/tmp/dracut-gzip'],
  );
  add('dracut-gzip', 'dracut --no-hostonly --gzip', join(tree, 'tmp/dracut-gzip'));

  // With microcode before it, as the microcode packages make it: an archive that is not compressed.
  const early = join(work, 'early');
  mkdirSync(join(early, 'kernel/x86/microcode'), { recursive: true });
  writeFileSync(join(early, 'kernel/x86/microcode/AuthenticAMD.bin'), 'no microcode of anybody\n');
  const both = Buffer.concat([archive(early), readFileSync(join(cache, 'mkinitramfs-xz'))]);
  writeFileSync(join(work, 'both'), both);
  add('microcode-xz', 'an early archive before mkinitramfs -c xz', join(work, 'both'));

  const images = JSON.parse(readFileSync(join(root, '.cache/debian-kernel/images.json'), 'utf8'));
  const installer = images.find(({ initrd }) => initrd !== undefined);
  if (installer === undefined) throw new Failure('fetch-debian-kernel.mjs left no installer');
  copyFileSync(join(root, installer.initrd), join(work, 'installer'));
  add('installer', installer.package, join(work, 'installer'));
  return disks;
}

/** The RAM disks of an earlier run, if they are complete. */
function madeBefore() {
  if (!existsSync(record)) return undefined;
  const disks = JSON.parse(readFileSync(record, 'utf8'));
  return disks.every(({ file }) => existsSync(join(root, file))) ? disks : undefined;
}

try {
  let disks = madeBefore();
  if (disks === undefined) {
    disks = makeAll();
    writeFileSync(`${record}.new`, `${JSON.stringify(disks, null, 2)}\n`);
    renameSync(`${record}.new`, record);
  }
  for (const { file } of disks) console.log(join(root, file));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`make-ramdisks: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

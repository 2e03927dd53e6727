// Downloads Debian packages and unpacks parts of them, without installing them.
//
// The sources are those of apt's own configuration. Root is not needed: if the machine's package lists are missing or
// out of date, lists for this run only are fetched into the working directory. Another suite of Debian comes from the
// same mirror, with lists of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** The error of a package that is not available, with the reason. */
export class Failure extends Error {}

/** Where Debian's package debian-archive-keyring has the keys of all suites. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** apt under the current user, in a working directory of its own. */
export class Packages {
  #work;
  #options;
  #ownLists = false;

  /** `suite`: a suite of Debian, from the machine's mirror; absent: those of the machine. Throws Failure. */
  constructor(work, suite) {
    this.#work = work;
    mkdirSync(work, { recursive: true });
    // apt's download user has no write permission here.
    this.#options = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
    if (suite !== undefined) this.#useSuite(suite);
  }

  /** Another suite in place of the machine's sources, its packages, and its preferences. */
  #useSuite(suite) {
    const sources = join(this.#work, 'sources.list');
    const status = join(this.#work, 'status');
    const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
    writeFileSync(sources, `deb ${signed}${this.#mirror()} ${suite} main\n`);
    writeFileSync(status, '');
    this.#set({
      'Dir::Etc::SourceList': sources,
      'Dir::Etc::SourceParts': '/dev/null',
      'Dir::Etc::Preferences': '/dev/null',
      'Dir::Etc::PreferencesParts': '/dev/null',
      'Dir::State::Status': status,
    });
    this.#fetchLists();
  }

  /** The mirror of the machine's own release: the one whose release has its code name. */
  #mirror() {
    const release = readFileSync('/etc/os-release', 'utf8');
    const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
    const targets = this.#run('apt-get', ['indextargets', '--format', '$(RELEASE) $(SITE)']);
    const found = targets.split('\n').find((line) => line.split(' ')[0] === codename);
    if (found === undefined) throw new Failure(`apt has no source of ${codename ?? 'Debian'}`);
    return found.split(' ')[1];
  }

  /** The versioned package that a meta package depends on, by the start of its name. */
  dependency(meta, start) {
    return this.#withLists(() => {
      const depends = this.#field(meta, 'Depends');
      const found = depends.split(/[,|]\s*/).map((each) => each.replace(/\s*\(.*/, '').trim());
      const name = found.find((each) => each.startsWith(start));
      if (name === undefined) throw new Failure(`${meta} depends on no ${start}…`);
      return name;
    });
  }

  /** The package with the highest number in its name: `pattern` has one group, the number. */
  newest(pattern) {
    return this.#withLists(() => {
      const names = this.#run('apt-cache', [...this.#options, 'pkgnames']).split('\n');
      const numbered = names.flatMap((name) => {
        const number = pattern.exec(name)?.[1];
        return number === undefined ? [] : [{ name, number: Number(number) }];
      });
      const newest = numbered.sort((a, b) => b.number - a.number)[0];
      if (newest === undefined) throw new Failure(`apt knows no package like ${String(pattern)}`);
      return newest.name;
    });
  }

  /** Downloads a package and unpacks its folders `keep` to `directory`; returns its version. */
  unpack(name, keep, directory) {
    return this.#withLists(() => {
      const version = this.#field(name, 'Version');
      this.#run('apt-get', [...this.#options, 'download', `${name}=${version}`]);
      const deb = readdirSync(this.#work).find((file) => file.endsWith('.deb'));
      if (deb === undefined) throw new Failure(`apt-get left no package of ${name}`);
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory, { recursive: true });
      const tar = join(this.#work, 'files.tar');
      this.#run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" > "$2"', 'sh', deb, tar]);
      this.#run('tar', ['-x', '-f', tar, '-C', directory, ...keep.map((folder) => `./${folder}`)]);
      rmSync(tar);
      rmSync(join(this.#work, deb));
      return version;
    });
  }

  /** Runs a query with the machine's lists; if it fails, with lists fetched for this run. */
  #withLists(ask) {
    try {
      return ask();
    } catch (error) {
      if (!(error instanceof Failure) || this.#ownLists) throw error;
      this.#fetchLists();
      return ask();
    }
  }

  #fetchLists() {
    const lists = join(this.#work, 'lists');
    const archives = join(this.#work, 'archives');
    for (const folder of [lists, archives]) mkdirSync(join(folder, 'partial'), { recursive: true });
    this.#set({
      'Dir::State::Lists': lists,
      'Dir::Cache': this.#work,
      'Dir::Cache::Archives': archives,
    });
    this.#ownLists = true;
    this.#run('apt-get', [...this.#options, 'update']);
  }

  /** Settings of apt.conf(5) for what follows. */
  #set(settings) {
    for (const [key, value] of Object.entries(settings)) {
      this.#options.push('-o', `${key}=${value}`);
    }
  }

  /** A field of a package's newest version. */
  #field(name, field) {
    const output = this.#run('apt-cache', [...this.#options, 'show', '--no-all-versions', name]);
    const value = new RegExp(`^${field}: (.*)$`, 'm').exec(output)?.[1];
    if (value === undefined) throw new Failure(`apt knows no ${name} with a ${field}`);
    return value;
  }

  /** Runs a program in the working directory; returns its output. */
  #run(program, args) {
    const env = { ...process.env, LC_ALL: 'C' };
    const options = { cwd: this.#work, env, encoding: 'utf8', maxBuffer: 1 << 26 };
    const ran = spawnSync(program, args, options);
    if (ran.error) throw new Failure(`${program} did not start: ${ran.error.message}`);
    if (ran.status !== 0) throw new Failure(`${program} failed:\n${ran.stderr.trim()}`);
    return ran.stdout;
  }
}

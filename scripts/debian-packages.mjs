// Downloads Debian packages and unpacks parts of them, without installing them.
//
// The sources are those of apt's own configuration. Root is not needed: if the machine's package lists are missing or
// out of date, lists for this run only are fetched into the working directory.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** The error of a package that is not available, with the reason. */
export class Failure extends Error {}

/** apt under the current user, in a working directory of its own. */
export class Packages {
  #work;
  #options;
  #ownLists = false;

  constructor(work) {
    this.#work = work;
    mkdirSync(work, { recursive: true });
    // apt's download user has no write permission here.
    this.#options = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
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
    const settings = {
      'Dir::State::Lists': lists,
      'Dir::Cache': this.#work,
      'Dir::Cache::Archives': archives,
    };
    for (const [key, value] of Object.entries(settings))
      this.#options.push('-o', `${key}=${value}`);
    this.#ownLists = true;
    this.#run('apt-get', [...this.#options, 'update']);
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

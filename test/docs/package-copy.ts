/** A copy of the package in which commands may write: the built program and the data it reads. */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Ran {
  readonly status: number;
  /** Its stdout and stderr, interleaved as written. */
  readonly output: string;
}

const DATA = [
  'dist',
  'docs',
  'scenarios',
  'patches',
  'findings',
  'probes',
  'questions',
  'schemas',
  'traces',
  'package.json',
  'README.md',
];

export class PackageCopy {
  readonly dir = mkdtempSync(join(tmpdir(), 'sme-boot-docs-'));

  /** Builds the program and copies the package. */
  constructor() {
    const built = spawnSync(process.execPath, ['scripts/build.mjs'], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`scripts/build.mjs: ${built.stdout}${built.stderr}`);
    for (const name of DATA) cpSync(name, join(this.dir, name), { recursive: true });
    symlinkSync(resolve('test'), join(this.dir, 'test'));
    const bin = join(this.dir, 'bin');
    mkdirSync(bin);
    const program = `#!/bin/sh\nexec '${process.execPath}' '${this.bundle}' "$@"\n`;
    writeFileSync(join(bin, 'sme-boot'), program, { mode: 0o755 });
  }

  get bundle(): string {
    return join(this.dir, 'dist', 'sme-boot.js');
  }

  /** Writes a file that commands read. */
  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }

  /** Runs a line in the shell. */
  async shell(line: string): Promise<Ran> {
    const path = `${join(this.dir, 'bin')}:${process.env.PATH ?? ''}`;
    const child = spawn('sh', ['-c', `{ ${line}\n} 2>&1`], {
      cwd: this.dir,
      // An empty CI counts as not set: check --update refuses to run if it is set.
      env: { ...process.env, PATH: path, NO_COLOR: '1', CI: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    return new Promise((done, failed) => {
      child.on('error', failed);
      child.on('close', (status) => {
        done({ status: status ?? 1, output });
      });
    });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Debian's kernel images, fetched by scripts/fetch-debian-kernel.mjs, and their boots by the tool in separate processes. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Trace } from '../../src/trace/trace.js';

/** An image as the script records it. */
export interface DebianImage {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly vmlinuz: string;
  readonly initrd?: string;
}

const RECORDS = '.cache/debian-kernel/images.json';

/** All fetched images. Throws if there are none. */
export function debianImages(): DebianImage[] {
  if (!existsSync(RECORDS)) {
    throw new Error(
      'There are no real kernels here: run node scripts/fetch-debian-kernel.mjs first.',
    );
  }
  return JSON.parse(readFileSync(RECORDS, 'utf8')) as DebianImage[];
}

/** The images of other suites than the machine's, which its mirror need not have. */
const OF_OTHER_SUITES = ['cloud-5.10', 'cloud-next'];

/**
 * Those of `names` that are here. The tests of one of another suite are left out where it was not fetched, and a line on
 * stderr says so; any other must be here.
 */
export function fetchedOf(...names: readonly string[]): string[] {
  const all = debianImages();
  return names.filter((name) => {
    if (!OF_OTHER_SUITES.includes(name) || all.some((image) => image.name === name)) return true;
    process.stderr.write(
      `skipped: the tests of ${name}, which node scripts/fetch-debian-kernel.mjs did not find\n`,
    );
    return false;
  });
}

/** What a run of the tool in another process printed and took. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall-clock milliseconds of the whole process. */
  readonly milliseconds: number;
  /** Peak resident memory in bytes. */
  readonly peak: number;
}

/** Runs the built tool with these arguments. Throws with its stderr if it ended before it could tell its peak. */
export function runMeasured(args: readonly string[]): Ran {
  const started = performance.now();
  const ran = spawnSync(
    process.execPath,
    ['--import', `${process.cwd()}/bench/report-memory.mjs`, 'dist/sme-boot.js', ...args],
    { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  );
  const milliseconds = performance.now() - started;
  const kilobytes = Number(ran.output[3]);
  if (!(kilobytes > 0)) throw new Error(ran.stderr);
  const { status, stdout, stderr } = ran;
  return { status, stdout, stderr, milliseconds, peak: kilobytes * 1024 };
}

/** The results of a boot in another process. */
export interface Measured extends Pick<Ran, 'milliseconds' | 'peak'> {
  readonly trace: Trace;
  readonly summary: string;
}

/** Boots by `sme-boot run` with these arguments. Throws if its exit status is not 0. */
export function boot(args: readonly string[]): Measured {
  const dir = mkdtempSync(join(tmpdir(), 'sme-boot-real-'));
  try {
    const file = join(dir, 'trace.json');
    const options = ['--trace', file, '--trace-format', 'json'];
    const { status, stdout, stderr, milliseconds, peak } = runMeasured([
      'run',
      ...args,
      ...options,
    ]);
    if (status !== 0) throw new Error(stderr);
    const trace = JSON.parse(readFileSync(file, 'utf8')) as Trace;
    return { trace, summary: stdout, milliseconds, peak };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** A table of measured boots, one line each. */
export class Measurements {
  private readonly lines: string[] = [];

  add(what: string, { milliseconds, peak }: Measured): void {
    const seconds = (milliseconds / 1000).toFixed(1).padStart(6);
    const mebibytes = (peak / 2 ** 20).toFixed(0).padStart(5);
    this.lines.push(`${what.padEnd(64)} ${seconds} s ${mebibytes} MiB`);
  }

  /** Prints the table to stdout directly, since jest's console adds the location of the call to each line. */
  print(): void {
    process.stdout.write(`\n${this.lines.join('\n')}\n`);
  }
}

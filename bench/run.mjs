// `npm run bench`: the cost of the engine and of whole boots on this machine. Compare ratios; nothing is asserted.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'sme-boot-bench-'));
const RUNS = 5;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Runs the tool several times: median wall time in seconds and median peak memory in MB. */
function measure(args) {
  const wall = [];
  const peak = [];
  for (let i = 0; i <= RUNS; i++) {
    const start = process.hrtime.bigint();
    const child = spawnSync(
      process.execPath,
      ['--import', join(root, 'bench/report-memory.mjs'), join(root, 'dist/sme-boot.js'), ...args],
      { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] },
    );
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (child.status === 2 || child.status === null) throw new Error(`sme-boot ${args.join(' ')}`);
    if (i === 0) continue; // a warm-up
    wall.push(seconds);
    peak.push(Number(child.output[3].toString()) / 1000);
  }
  return { wall: median(wall), peak: median(peak) };
}

/** Bundles a measuring program and runs it. */
async function runSource(source, outfile, more = {}) {
  await build({
    entryPoints: [join(root, source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    ...more,
  });
  spawnSync(process.execPath, [outfile], { stdio: 'inherit' });
}

const row = (name, { wall, peak }, note = '') =>
  console.log(
    `${name.padEnd(34)} ${wall.toFixed(2).padStart(6)} s ${peak.toFixed(0).padStart(6)} MB   ${note}`,
  );

try {
  console.log(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
  await runSource('bench/engines.ts', join(work, 'engines.mjs'));
  spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });

  console.log('\nwhole processes, median of 5 after a warm-up: wall time, peak memory');
  const nothing = measure(['--version']);
  row('sme-boot --version', nothing);
  // The targets are those of boots without the sanitizer.
  const off = (...words) => measure(['run', ...words, '--no-sanitize']);
  const plain = off();
  row('default boot', plain);
  const large = off('ram-1tib');
  row('1 TiB', large, `${(large.wall / plain.wall).toFixed(2)} of the default boot`);
  const efi = off('epyc-efi');
  row('epyc-efi', efi, `${(efi.wall / plain.wall).toFixed(2)} of the default boot`);
  const watched = measure(['run', 'epyc-efi']);
  const times = (watched.wall / efi.wall).toFixed(2);
  row(
    'epyc-efi, sanitizer on',
    watched,
    `${times} of epyc-efi; memory ${(watched.peak / efi.peak).toFixed(2)}`,
  );
  const kernel = join(root, '.cache/debian-kernel/kernel.json');
  if (existsSync(kernel)) {
    const { vmlinuz } = JSON.parse(readFileSync(kernel, 'utf8'));
    const real = off('--kernel', join(root, vmlinuz));
    row('real image', real, `${(real.wall / plain.wall).toFixed(2)} of the default boot`);
  } else {
    console.log('real image: run scripts/fetch-debian-kernel.mjs first');
  }

  console.log("\na real image's own instructions, with SME on: to the entry of each function");
  await runSource('bench/x86.ts', join(root, 'dist/bench-x86.mjs'), { packages: 'external' });

  console.log('\nthe series without each hunk, on the default scenario: CPU time in one process');
  // In dist/, since it finds the package's files relative to itself, as the bundle of the commands does.
  await runSource('bench/matrix.ts', join(root, 'dist/bench-matrix.mjs'), { packages: 'external' });
} finally {
  rmSync(work, { recursive: true });
}

/** The command line as a program of its own, for tests of its streams, signals and exit codes. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { DEFINES } from '../../scripts/defines.mjs';

const REQUIRE =
  "import { createRequire as sme_boot_createRequire } from 'node:module';" +
  'const require = sme_boot_createRequire(import.meta.url);';

/** Bundles the program and its workers into a package below `dir`; returns the path of its script. */
export function buildProgram(dir: string): string {
  const project = join(dir, 'project');
  buildSync({
    entryPoints: {
      'sme-boot': 'src/cli/main.ts',
      'check-worker': 'src/cli/check-worker.ts',
      'matrix-worker': 'src/cli/matrix-worker.ts',
    },
    outdir: join(project, 'dist'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: REQUIRE },
    define: DEFINES,
    logLevel: 'error',
  });
  mkdirSync(project, { recursive: true });
  for (const each of ['package.json', 'scenarios', 'patches', 'findings', 'probes', 'traces'])
    symlinkSync(resolve(each), join(project, each));
  return join(project, 'dist', 'sme-boot.js');
}

/** Writes a module that node loads before the program (`--import`); returns the options of node. */
export function preload(dir: string, name: string, source: string): string[] {
  const file = join(dir, `${name}.mjs`);
  writeFileSync(file, source);
  return ['--import', pathToFileURL(file).href];
}

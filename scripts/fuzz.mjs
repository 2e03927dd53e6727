// Bundles test/fuzz/main.ts, which is slow within jest, and runs it with the arguments:
//   npm run fuzz -- --minutes N [--inputs N] [--kind KIND]... [--seed N] [--no-cases] [--quiet]
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import process from 'node:process';
import { build } from 'esbuild';
import { DEFINES } from './defines.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const outfile = join(root, '.cache', `fuzz-${process.pid}.mjs`);
process.on('exit', () => rmSync(outfile, { force: true }));
await build({
  absWorkingDir: root,
  entryPoints: ['test/fuzz/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  sourcesContent: false,
  define: DEFINES,
  logLevel: 'warning',
  banner: {
    js: "import { createRequire as fuzz_createRequire } from 'node:module';const require = fuzz_createRequire(import.meta.url);",
  },
});
process.setSourceMapsEnabled(true);
await import(pathToFileURL(outfile).href);

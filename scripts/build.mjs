// Bundles the command line into dist/sme-boot.js, and its worker thread into dist/matrix-worker.js: ES modules for
// Node 20 with their source maps, the first executable.
import { chmod, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outdir = `${root}dist`;

// Packages written as CommonJS ask for Node's own modules through require().
const REQUIRE =
  "import { createRequire as sme_boot_createRequire } from 'node:module';" +
  'const require = sme_boot_createRequire(import.meta.url);';

await rm(outdir, { recursive: true, force: true });
try {
  await build({
    absWorkingDir: root,
    entryPoints: { 'sme-boot': 'src/cli/main.ts', 'matrix-worker': 'src/cli/matrix-worker.ts' },
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
    logLevel: 'warning',
  });
  await chmod(`${outdir}/sme-boot.js`, 0o755);
} catch {
  process.exitCode = 1; // esbuild has said why
}

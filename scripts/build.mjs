// Bundles the command line into dist/sme-boot.js: one ES module for Node 20, executable, with its source map.
import { chmod, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outfile = `${root}dist/sme-boot.js`;

// Packages written as CommonJS ask for Node's own modules through require().
const REQUIRE =
  "import { createRequire as sme_boot_createRequire } from 'node:module';" +
  'const require = sme_boot_createRequire(import.meta.url);';

await rm(`${root}dist`, { recursive: true, force: true });
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['src/cli/main.ts'],
    outfile,
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
  await chmod(outfile, 0o755);
} catch {
  process.exitCode = 1; // esbuild has said why
}

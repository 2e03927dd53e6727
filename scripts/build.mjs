// Bundles the command line into dist/sme-boot.js, and its worker thread into dist/matrix-worker.js: ES modules for
// Node 20 with their source maps, the first executable. Each file is replaced atomically, so that a program that starts
// meanwhile finds a complete one.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { build } from 'esbuild';
import { DEFINES } from './defines.mjs';
import { ENTRY_POINTS } from './entry-points.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const outdir = `${root}dist`;

// Packages written as CommonJS ask for Node's own modules through require().
const REQUIRE =
  "import { createRequire as sme_boot_createRequire } from 'node:module';" +
  'const require = sme_boot_createRequire(import.meta.url);';

try {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ENTRY_POINTS,
    outdir,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    define: DEFINES,
    sourcemap: true,
    sourcesContent: false,
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
    logLevel: 'warning',
  });
  await mkdir(outdir, { recursive: true });
  const names = new Set(outputFiles.map(({ path }) => basename(path)));
  for (const { path, contents } of outputFiles) {
    const beside = `${path}.${process.pid}.part`;
    await writeFile(beside, contents, { mode: basename(path) === 'sme-boot.js' ? 0o755 : 0o644 });
    await rename(beside, path);
  }
  for (const name of await readdir(outdir)) {
    // Files that another build is writing are not touched.
    const kept = names.has(name) || name.endsWith('.part');
    if (!kept) await rm(join(outdir, name), { recursive: true });
  }
} catch (error) {
  // esbuild has printed its errors.
  if (error.errors === undefined) console.error(error.message);
  process.exitCode = 1;
}

// Bundles the command line into dist/sme-boot.js, and its worker threads into dist/*-worker.js: ES modules for
// Node 20 with their source maps, the first executable; and the library into dist/lib/, whose modules share their code.
// The viewer's page is in dist/view/, for a browser: script, worker and style.
// The parser of `review` is WebAssembly, in files beside the program (src/node/c-parser.ts).
// Each file is replaced atomically, so that a program that starts meanwhile finds a complete one.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { build } from 'esbuild';
import { DEFINES } from './defines.mjs';
import { ENTRY_POINTS, LIBRARY, VIEWER, WASM } from './entry-points.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const outdir = join(root, 'dist');

// Packages written as CommonJS ask for Node's own modules through require().
const REQUIRE =
  "import { createRequire as sme_boot_createRequire } from 'node:module';" +
  'const require = sme_boot_createRequire(import.meta.url);';

const SHARED = {
  absWorkingDir: root,
  write: false,
  bundle: true,
  format: 'esm',
  target: 'node20',
  define: DEFINES,
  logLevel: 'warning',
};

const program = {
  ...SHARED,
  entryPoints: ENTRY_POINTS,
  outdir,
  platform: 'node',
  sourcemap: true,
  sourcesContent: false,
  minifySyntax: true,
  minifyWhitespace: true,
  banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
};

// Bundled as for a browser, which `machine` and `trace` can run in; only the module with the files imports Node's.
const library = {
  ...SHARED,
  entryPoints: LIBRARY,
  outdir: join(outdir, 'lib'),
  platform: 'browser',
  external: ['node:*'],
  splitting: true,
  chunkNames: '[name]-[hash]',
};

// The parts of the viewer's page, which src/view/html.ts puts into one file.
const viewer = {
  ...SHARED,
  entryPoints: VIEWER,
  outdir: join(outdir, 'view'),
  platform: 'browser',
  format: 'iife',
  target: ['chrome100', 'firefox115', 'safari16'],
  minify: true,
  legalComments: 'none',
};

try {
  const built = await Promise.all([build(program), build(library), build(viewer)]);
  const isChunk = ({ path }) => Number(/^chunk-|\.wasm$/.test(basename(path)));
  const wasm = await Promise.all(
    WASM.map(async (path) => ({
      path: join(outdir, basename(path)),
      contents: await readFile(join(root, 'node_modules', path)),
    })),
  );
  // Entry points are written last: the modules that they import are there then.
  const files = built
    .flatMap(({ outputFiles }) => outputFiles)
    .concat(wasm)
    .sort((a, b) => isChunk(b) - isChunk(a));
  for (const folder of ['lib', 'view']) await mkdir(join(outdir, folder), { recursive: true });
  for (const { path, contents } of files) {
    const beside = `${path}.${process.pid}.part`;
    const executable = path === join(outdir, 'sme-boot.js');
    await writeFile(beside, contents, { mode: executable ? 0o755 : 0o644 });
    await rename(beside, path);
  }
  const names = new Set([
    'types',
    'lib',
    'view',
    ...files.map(({ path }) => relative(outdir, path)),
  ]);
  for (const folder of ['', 'lib', 'view']) {
    for (const name of await readdir(join(outdir, folder))) {
      // Files that another build is writing are not touched; dist/types/ and dist/site/ are of other scripts.
      const kept = names.has(join(folder, name)) || name.endsWith('.part');
      if (!kept) await rm(join(outdir, folder, name), { recursive: true });
    }
  }
} catch (error) {
  // esbuild has printed its errors.
  if (error.errors === undefined) console.error(error.message);
  process.exitCode = 1;
}

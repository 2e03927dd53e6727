// Bundles src/analysis/matrix/page/ (the script and the style of a matrix page) to texts in
// src/analysis/matrix/page-assets.ts, each with its hash for the page's policy. With --check nothing is written; exit
// status 1 means that the file is out of date.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';

const root = fileURLToPath(new URL('..', import.meta.url));
const outfile = `${root}src/analysis/matrix/page-assets.ts`;
const page = 'src/analysis/matrix/page';

/** The bundle of an entry point, on one line. */
async function bundle(entry) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [`${page}/${entry}`],
    bundle: true,
    write: false,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: ['chrome100', 'firefox115', 'safari16'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  const text = outputFiles[0].text.trim();
  // It is inserted between tags without escaping.
  if (/<\/(script|style)|<!--/i.test(text)) throw new Error(`${entry} would end its own element`);
  return text;
}

/** The source of a constant that holds a text and its hash. */
function constant(name, what, text) {
  const integrity = `sha256-${createHash('sha256').update(text).digest('base64')}`;
  const value = `{ text: ${JSON.stringify(text)}, integrity: ${JSON.stringify(integrity)} }`;
  return `/** ${what} */\nexport const ${name} = ${value} as const;\n`;
}

const source = [
  '/** Made by scripts/page.mjs from the files in page/; edit those, then `npm run build:page`. */\n',
  constant('PAGE_SCRIPT', 'page/matrix-page.ts', await bundle('matrix-page.ts')),
  constant('PAGE_STYLE', 'page/matrix-page.css', await bundle('matrix-page.css')),
].join('\n');
const text = await format(source, { ...(await resolveConfig(outfile)), parser: 'typescript' });

if (!process.argv.includes('--check')) writeFileSync(outfile, text);
else if (readFileSync(outfile, 'utf8') !== text) {
  console.error(
    'src/analysis/matrix/page-assets.ts is not what src/analysis/matrix/page/ makes: npm run build:page',
  );
  process.exitCode = 1;
}

// Makes the static site in dist/site/, for any host of files: index, viewer, matrix, and the pages of docs/.
// npm run build:site [-- SCENARIO...]: the scenarios of the matrix (default: all, which takes minutes); `none`: no matrix.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { docsPage, indexPage } from './site/pages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = join(root, 'dist', 'site');
const program = join(root, 'dist', 'sme-boot.js');
const given = process.argv.slice(2);
const matrix = given.length === 0 ? ['all'] : given.filter((name) => name !== 'none');

/** Runs the program; its output is this script's, or the text that is returned. */
function sme(args, stdout = 'inherit') {
  const { status, stdout: text } = spawnSync(process.execPath, [program, ...args], {
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  // The matrix exits with 1 where hunks matter.
  if (status !== 0 && !(args[0] === 'matrix' && status === 1)) process.exit(status ?? 1);
  return text;
}

rmSync(site, { recursive: true, force: true });
mkdirSync(join(site, 'docs'), { recursive: true });
sme(['view', '--output', join(site, 'view.html')]);
if (matrix.length > 0) sme(['matrix', ...matrix, '--output', join(site, 'matrix.html')]);

const docs = [];
for (const file of readdirSync(join(root, 'docs')).sort()) {
  const from = join(root, 'docs', file);
  if (/\.(?:png|svg)$/.test(file)) cpSync(from, join(site, 'docs', file));
  if (!file.endsWith('.md')) continue;
  const markdown = readFileSync(from, 'utf8');
  const name = basename(file, '.md');
  const [, title = name] = /^# (.*)$/m.exec(markdown) ?? [];
  docs.push({ name, title: title.replaceAll('`', '') });
  writeFileSync(join(site, 'docs', `${name}.html`), docsPage(markdown));
}
const scenarios = JSON.parse(sme(['list', 'scenarios', '--format', 'json'], 'pipe'));
writeFileSync(join(site, 'index.html'), indexPage(scenarios, docs, matrix.length > 0));
console.log(`${site}: ${docs.length} pages of docs/, ${scenarios.length} scenarios`);

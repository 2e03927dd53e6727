// Writes THIRD-PARTY-NOTICES: the licences of the packages whose code is in dist/, as esbuild's metafile names them. With
// --check it only reports whether the file is up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ENTRY_POINTS, LIBRARY, VIEWER, WASM } from './entry-points.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = join(root, 'THIRD-PARTY-NOTICES');

/** The folders of the packages in the bundles of these entry points, sorted: `node_modules/@noble/ciphers`. */
async function bundledPackages() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [ENTRY_POINTS, LIBRARY, VIEWER].flatMap(Object.values),
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [path] : [],
    ),
  );
  const folders = inputs.flatMap(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  const copied = WASM.map((path) => join('node_modules', dirname(path)));
  return [...new Set([...folders, ...copied])].sort();
}

/** The notice of a package: name, version, licence, source, and its licence file. */
function notice(folder) {
  const { name, version, license, homepage, repository } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  );
  const licences = readdirSync(join(root, folder)).filter((each) => /^licen[cs]e/i.test(each));
  if (licences.length === 0) throw new Error(`${name} has no licence file`);
  const where = homepage ?? (typeof repository === 'string' ? repository : repository?.url) ?? '';
  const texts = licences
    .sort()
    .map((each) => readFileSync(join(root, folder, each), 'utf8').trim());
  return [`${name} ${version} (${license})`, where, '', ...texts]
    .join('\n')
    .replaceAll('\r\n', '\n');
}

const RULE = `\n\n${'-'.repeat(76)}\n\n`;
const packages = await bundledPackages();
const head =
  'The built program (dist/) holds code of these packages. Each is used under its own licence,\n' +
  'which follows. scripts/third-party.mjs writes this file.\n\n' +
  packages
    .map((folder) => `  ${folder.slice(folder.lastIndexOf('node_modules/') + 13)}`)
    .join('\n');
const after = `${[head, ...packages.map(notice)].join(RULE)}\n`;

if (!process.argv.includes('--check')) writeFileSync(file, after);
else if (readFileSync(file, 'utf8') !== after) {
  console.error('THIRD-PARTY-NOTICES is not what dist/ holds: node scripts/third-party.mjs');
  process.exitCode = 1;
}

// Writes schemas/*.schema.json as `sme-boot schema` prints them: after `npm run build`.
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist/sme-boot.js');
const ENDING = '.schema.json';

const kinds = process.argv.slice(2);
const all = readdirSync(join(root, 'schemas'))
  .filter((name) => name.endsWith(ENDING))
  .map((name) => name.slice(0, -ENDING.length));
for (const kind of kinds.length > 0 ? kinds : all) {
  const { status, stdout } = spawnSync(process.execPath, [program, 'schema', kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(join(root, 'schemas', kind + ENDING), stdout);
}

/** The path of the package's data: scenarios, patch records, expected traces, schemas. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root: the nearest directory above this file that contains `scenarios` and `package.json`. */
export function packageRoot(from = fileURLToPath(import.meta.url)): string {
  for (let at = dirname(from); ; at = dirname(at)) {
    if (existsSync(join(at, 'scenarios')) && existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) return dirname(from);
  }
}

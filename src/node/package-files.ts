/** The files of the installed package: scenarios, patch records, series, expected traces, schemas. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../base/errors.js';
import { readText } from './files.js';

/** The package's root: the nearest directory above this file that contains `scenarios` and `package.json`. */
export function packageRoot(from = fileURLToPath(import.meta.url)): string {
  for (let at = dirname(from); ; at = dirname(at)) {
    if (existsSync(join(at, 'scenarios')) && existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) return dirname(from);
  }
}

/** Sorted names of the YAML files in a folder of the package, without `.yaml`. */
export function packageNames(folder: string): string[] {
  return readdirSync(join(packageRoot(), folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .sort();
}

/**
 * The text of one of the package's YAML files by its name, or of any file; `file` is its name in errors. Throws E_READ, and
 * an error with `code` for a name that the folder does not have.
 */
export function packageText(
  folder: string,
  nameOrFile: string,
  code: string,
): { file: string; text: string } {
  if (!/^[a-z0-9-]+$/.test(nameOrFile)) return { file: nameOrFile, text: readText(nameOrFile) };
  const names = packageNames(folder);
  if (!names.includes(nameOrFile)) {
    throw new InputError({
      code,
      expected: `a file, or one of ${names.join(', ')}`,
      found: nameOrFile,
    });
  }
  const file = `${folder}/${nameOrFile}.yaml`;
  return { file, text: readText(join(packageRoot(), file)) };
}

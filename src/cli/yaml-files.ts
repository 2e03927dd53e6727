/** The YAML files of a command's arguments: files, and directories searched recursively. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readText } from '../node/files.js';
import { STDIN } from '../node/stdin.js';
import { InputError } from '../base/errors.js';

/** Sorted names of the YAML files in a folder, without `.yaml`. */
export function yamlNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .sort();
}

/**
 * All YAML files at or below `paths`, sorted; `-` is stdin. Throws E_READ for a path that does not exist, E_NOTHING with `reason` if
 * there are none.
 */
export function yamlFiles(paths: readonly string[], reason: string): string[] {
  const files = paths.flatMap((path) => {
    if (path === STDIN) return [path];
    if (!existsSync(path)) readText(path);
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(path, name));
  });
  if (files.length > 0) return files.sort();
  throw new InputError({
    code: 'E_NOTHING',
    reason,
    ...(paths[0] === undefined ? {} : { place: { file: paths[0] } }),
  });
}

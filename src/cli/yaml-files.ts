/** The YAML files that a command is given: files, and directories with what is below them. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readText } from '../node/files.js';
import { InputError } from '../base/errors.js';

/** Names of the YAML files in a folder, without the ending. */
export function yamlNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .sort();
}

/** All YAML files below paths, sorted. Throws E_READ for a path that is not there, E_NOTHING with a reason for none. */
export function yamlFiles(paths: readonly string[], reason: string): string[] {
  const files = paths.flatMap((path) => {
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

/** The file of a scenario of the user's own, as the header of a trace records it. */
import { realpathSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { packageRoot } from './package-files.js';
import { kindOfPath } from './path-kind.js';
import { isName } from './relative-paths.js';
import { STDIN } from './stdin.js';

/** The path of a file relative to the working directory; none for a pipe or a terminal, which cannot be read again. */
export function pathOf(file: string): { path?: string } {
  if (kindOfPath(file) !== 'file') return {};
  return { path: relative('.', resolve(file)).split(sep).join('/') };
}

/** Whether a file is a scenario of the package, which a trace records by its name. */
function isShipped(file: string): boolean {
  const folder = join(packageRoot(), 'scenarios');
  try {
    return realpathSync(file).startsWith(realpathSync(folder) + sep);
  } catch {
    return false;
  }
}

/** The file of a scenario by name or file; undefined for one of the package. */
export function scenarioFile(nameOrFile: string): { path?: string } | undefined {
  if (nameOrFile === STDIN) return {};
  return isName(nameOrFile) || isShipped(nameOrFile) ? undefined : pathOf(nameOrFile);
}

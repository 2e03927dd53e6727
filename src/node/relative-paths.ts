/**
 * Paths in files. A path in a file is relative to the folder of that file; an absolute one stays as it is. In memory
 * paths are relative to the working directory, as on the command line. `-` is a file in the working directory: what is
 * written to stdout.
 */
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { kindOfPath } from './files.js';
import { withPaths } from '../trace/run-files.js';
import type { Trace } from '../trace/trace.js';

/** A name of a scenario or series of the package; anything else is the path of a file. */
const NAME = /^[a-z0-9-]+$/;

/** Whether a word is a name, and not the path of a file. */
export const isName = (word: string): boolean => NAME.test(word);

/** A path with slashes that cannot be taken for a name. */
function asPath(path: string): string {
  const slashed = path.split(sep).join('/');
  return slashed === '' || isName(slashed) ? `./${slashed}` : slashed;
}

/** A path that `file` states, as seen from the working directory. */
export function fromFile(file: string, path: string): string {
  return isAbsolute(path) ? path : asPath(relative('.', resolve(dirname(file), path)));
}

/** A path relative to the working directory, as `file` states it: relative to its folder. */
export function inFile(file: string, path: string): string {
  return asPath(relative(dirname(resolve(file)), resolve(path)));
}

/** The file of an output for the paths in it: `-` for a pipe or device, which is in no folder of a project. */
export function outputFile(output: string): string {
  return kindOfPath(output) === 'other' ? '-' : output;
}

/** A scenario or series that `file` names: a name unchanged, a path as seen from the working directory. */
export const namedIn = (file: string, word: string): string =>
  isName(word) ? word : fromFile(file, word);

/** A scenario or series given on the command line, as `file` names it. */
export const nameIn = (file: string, word: string): string =>
  isName(word) ? word : inFile(file, word);

/** A trace of the file `from` with the paths of its header as the file `to` states them. */
export function rebased(trace: Trace, from: string, to: string): Trace {
  const header = withPaths(trace.header, (path) =>
    isAbsolute(path) ? path : inFile(to, fromFile(from, path)),
  );
  return header === trace.header ? trace : { ...trace, header };
}

/**
 * The trace of a boot, whose paths are relative to the working directory, for the file `to`. Where `to` already states
 * the path of the same file in another way, such as an absolute one, that stays.
 */
export function forFile(trace: Trace, to: string, stated?: Trace): Trace {
  const modules = stated?.header.ownHunks ?? [];
  const ofModules = modules.flatMap(({ path, imports = [] }) => [
    ...(path === undefined ? [] : [path]),
    ...imports.map((each) => each.path),
  ]);
  const header = withPaths(trace.header, (path, role) => {
    const before = role === 'ownHunks' ? ofModules : [stated?.header.files?.[role]?.path];
    const isSame = (each: string | undefined): each is string =>
      each !== undefined && resolve(fromFile(to, each)) === resolve(path);
    return before.find(isSame) ?? inFile(to, path);
  });
  return header === trace.header ? trace : { ...trace, header };
}

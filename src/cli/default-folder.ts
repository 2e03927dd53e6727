/** The folders that a command reads without paths: the project's own where there is one, else the package's. */
import { join, relative } from 'node:path';
import { kindOfPath } from '../node/files.js';
import { fileKey } from '../node/trace-files.js';
import type { Io } from './io.js';
import { packageRoot } from './paths.js';

type Name = 'traces' | 'probes' | 'questions';

export interface DefaultFolder {
  readonly folder: string;
  /** Whether it is the package's. */
  readonly shipped: boolean;
}

/**
 * Those of `./NAME` that are directories; if none is, those of the package. Says on stderr which ones were taken, unless
 * `told` is false. At least one is returned.
 */
export function defaultFolders(
  io: Io,
  names: readonly Name[],
  { told = true } = {},
): DefaultFolder[] {
  const own = names.filter((name) => kindOfPath(name) === 'folder');
  const taken = (own.length > 0 ? own : names).map((name) => {
    const shipped = join(packageRoot(), name);
    const folder = own.length > 0 ? name : shipped;
    return { name, folder, shipped: own.length === 0 || fileKey(name) === fileKey(shipped) };
  });
  const all = (texts: readonly string[]): string => texts.join(' and ');
  const paths = taken.map(({ name, folder }) =>
    own.length > 0 ? `./${name}` : relative('.', folder),
  );
  const whose = taken.every(({ shipped }) => shipped)
    ? `the ${all(taken.map(({ name }) => name))} of sme-boot`
    : "this project's";
  if (told) io.stderr.write(`no paths given: ${all(paths)}, ${whose}\n`);
  return taken.map(({ folder, shipped }) => ({ folder, shipped }));
}

/** `./NAME` if it is a directory, else that of the package. Says on stderr which one was taken, unless `told` is false. */
export function defaultFolder(io: Io, name: Name, { told = true } = {}): DefaultFolder {
  const [first] = defaultFolders(io, [name], { told });
  return first ?? { folder: name, shipped: false };
}

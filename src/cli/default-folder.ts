/** The folder that a command reads without paths: the project's own where there is one, else the package's. */
import { join, relative } from 'node:path';
import { kindOfPath } from '../node/files.js';
import { fileKey } from '../node/trace-files.js';
import type { Io } from './io.js';
import { packageRoot } from './paths.js';

export interface DefaultFolder {
  readonly folder: string;
  /** Whether it is the package's. */
  readonly shipped: boolean;
}

/** `./NAME` if it is a directory, else that of the package. Says on stderr which one was taken. */
export function defaultFolder(io: Io, name: 'traces' | 'probes'): DefaultFolder {
  const shipped = join(packageRoot(), name);
  const own = kindOfPath(name) === 'folder';
  const folder = own ? name : shipped;
  const isShipped = !own || fileKey(name) === fileKey(shipped);
  const whose = isShipped ? `the ${name} of sme-boot` : "this project's";
  io.stderr.write(`no paths given: ${own ? `./${name}` : relative('.', folder)}, ${whose}\n`);
  return { folder, shipped: isShipped };
}

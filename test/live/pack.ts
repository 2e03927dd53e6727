/** Archives by GNU cpio. */
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MTIME, type Packed } from '../fixtures/cpio/files.js';
import { inDirectory } from './directory.js';
import { tool } from './tool.js';

/** cpio's archive of files and directories, with fixed times, owners and inode numbers. */
export function pack(entries: readonly Packed[]): Uint8Array {
  return inDirectory((directory) => {
    for (const { name, body, mode } of entries) {
      const path = join(directory, name);
      if (body === undefined) mkdirSync(path);
      else writeFileSync(path, body);
      chmodSync(path, mode);
    }
    // All files exist now, so that the times of directories no longer change.
    for (const { name } of entries) utimesSync(join(directory, name), MTIME, MTIME);
    const list = entries.map(({ name }) => `${name}\n`).join('');
    const options = ['-o', '-H', 'newc', '--quiet', '--reproducible', '-R', '0:0'];
    return tool('cpio', options, list, directory);
  });
}

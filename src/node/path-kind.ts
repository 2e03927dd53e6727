/** What is at a path. */
import { statSync } from 'node:fs';

/** What is at a path, links followed; undefined: nothing, or nothing that can be seen. */
export function kindOfPath(path: string): 'file' | 'folder' | 'other' | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  } catch {
    return undefined;
  }
}

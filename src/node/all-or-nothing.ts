/** Files of a command that belong together: all of them are written, or none is left. */
import { lstatSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { kindOfPath } from './path-kind.js';
import { makeFolder, writeWhole } from './write-file.js';

/** What was made so far, folders before what is in them; nothing that was there before. */
const made: string[] = [];

/** The folders of a path that do not exist, outermost first. */
function missingFolders(path: string): string[] {
  const folder = dirname(path);
  if (folder === path || kindOfPath(folder) !== undefined) return [];
  return [...missingFolders(folder), folder];
}

/** Writes a file and makes its folder. Throws E_WRITE. */
export function makeFile(file: string, text: string): void {
  const path = resolve(file);
  made.push(...missingFolders(path));
  if (kindOfPath(path) === undefined) made.push(path);
  makeFolder(dirname(file));
  writeWhole(file, text);
}

/** Removes what was made by a command that did not end. */
export function removeMade(): void {
  for (const path of made.splice(0).reverse()) {
    try {
      if (lstatSync(path).isDirectory()) rmdirSync(path);
      else rmSync(path);
    } catch {
      // It was not made yet, or someone else has put a file there.
    }
  }
}

/** Calls `body`, which writes files by {@link makeFile}: they are removed if it throws. After Ctrl-C removeMade() does it. */
export function allOrNothing(body: () => void): void {
  try {
    body();
  } catch (error) {
    removeMade();
    throw error;
  }
  made.splice(0);
}

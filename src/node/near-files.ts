/** Files near a misspelt path, for "did you mean". */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nearest } from '../base/suggest.js';

/** The part `suggestion` of an error for a file that does not exist: files of its folder with similar names. */
export function nearFiles(file: string): { suggestion?: string } {
  try {
    const folder = dirname(file);
    const near = nearest(basename(file), readdirSync(folder)).map((name) =>
      folder === '.' ? name : join(folder, name),
    );
    return near.length === 0 ? {} : { suggestion: near.join(' or ') };
  } catch {
    return {};
  }
}

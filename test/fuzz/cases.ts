/** Inputs on which the tool failed: files that the suite reads again as tests. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/node/package-files.js';
import type { Kind } from './kind.js';

const FOLDER = join(packageRoot(), 'test', 'fuzz', 'cases');

/** A file KIND-HASH.EXT. */
export interface Case {
  readonly file: string;
  readonly kind: Kind;
  readonly bytes: Uint8Array;
}

/** The files of the folder, each with the kind that its name begins with. Throws for a name of no kind. */
export function caseFiles(kinds: readonly Kind[]): Case[] {
  return readdirSync(FOLDER)
    .filter((file) => file !== 'README.md')
    .sort()
    .map((file) => {
      const kind = kinds.find(({ name }) => file.slice(0, file.lastIndexOf('-')) === name);
      if (kind === undefined) throw new Error(`test/fuzz/cases/${file} is of no kind`);
      return { file, kind, bytes: new Uint8Array(readFileSync(join(FOLDER, file))) };
    });
}

/** Writes an input; returns the path of its file in the project. */
export function writeCase({ name, ext }: Kind, bytes: Uint8Array, folder = FOLDER): string {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  const file = `${name}-${hash}.${ext}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), bytes);
  return file;
}

/** The first line of a YAML file that names its JSON Schema, for editors with a YAML language server. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { kindOfPath } from './files.js';
import { inFile, outputFile } from './relative-paths.js';

/** Where a folder has the schemas: the package and a project laid by `init`, or a project that installs the package. */
const FOLDERS = ['schemas', 'node_modules/sme-boot/schemas'];

const MODELINE = /^# yaml-language-server: \$schema=(\S+)\s*$/;

/** The schema that the first line of a file's text names; undefined if there is none. */
export const schemaNamed = (text: string): string | undefined =>
  MODELINE.exec(text.split('\n', 1)[0] ?? '')?.[1];

/** Whether a file is the schema of a kind of file of sme-boot. */
function isOurs(schema: string, kind: string): boolean {
  return (
    existsSync(schema) && readFileSync(schema, 'utf8').includes(`urn:sme-boot:schema:${kind}:`)
  );
}

/** The nearest schema of a kind in the folders around a file, as the file states it; undefined if there is none. */
function nearestSchema(file: string, kind: string): string | undefined {
  for (let at = dirname(resolve(file)); ; at = dirname(at)) {
    const found = FOLDERS.map((folder) => join(at, folder, `${kind}.schema.json`)).find((schema) =>
      isOurs(schema, kind),
    );
    if (found !== undefined) return inFile(file, found);
    if (dirname(at) === at) return undefined;
  }
}

/**
 * The schema to name in a file that is written: the one that the file already names if it is there or is a URL, else the
 * nearest one. No option if there is none: a path that leads nowhere helps no editor.
 */
export function schemaOption(file: string, kind: string): { schema?: string } {
  if (outputFile(file) === '-') return {};
  const named = kindOfPath(file) === 'file' ? schemaNamed(readFileSync(file, 'utf8')) : undefined;
  const holds =
    named !== undefined &&
    named.endsWith(`${kind}.schema.json`) &&
    (/^\w+:/.test(named) || existsSync(resolve(dirname(file), named)));
  const schema = holds ? named : nearestSchema(file, kind);
  return schema === undefined ? {} : { schema };
}

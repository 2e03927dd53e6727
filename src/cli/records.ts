/** The patch records of the package. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../node/files.js';
import { parseRecord, type PatchRecord } from '../series/record.js';
import { readYaml } from '../base/yaml-source.js';
import { packageRoot } from './paths.js';

/** All records, ordered by number and validated. */
export function patchRecords(root = packageRoot()): PatchRecord[] {
  return readdirSync(join(root, 'patches'))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const file = `patches/${name}`;
      return parseRecord(file, readYaml(file, readText(join(root, file))).value);
    });
}

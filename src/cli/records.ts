/** The patch records of the package, and that of the base kernel. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readYaml, type YamlSource } from '../base/yaml-source.js';
import { readText } from '../node/files.js';
import { type BaseRecord, parseBase } from '../review/base.js';
import type { Row, SourceLine } from '../review/result.js';
import { BASE_FILE } from '../review/tree-model.js';
import { parseRecord, type PatchRecord } from '../series/record.js';
import { packageRoot } from './paths.js';

/** A record with its file. */
export interface RecordSource {
  /** Its path from the package's root. */
  readonly file: string;
  readonly record: PatchRecord;
  readonly yaml: YamlSource;
}

const yamlOf = (root: string, file: string): YamlSource =>
  readYaml(file, readText(join(root, file)));

/** All records with their files, ordered by number and validated. */
export function recordSources(root = packageRoot()): RecordSource[] {
  return readdirSync(join(root, 'patches'))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const file = `patches/${name}`;
      const yaml = yamlOf(root, file);
      return { file, yaml, record: parseRecord(file, yaml.value) };
    });
}

/** All records, ordered by number and validated. */
export const patchRecords = (root = packageRoot()): PatchRecord[] =>
  recordSources(root).map(({ record }) => record);

/** The record of the base kernel. */
export function baseSource(root = packageRoot()): { record: BaseRecord; yaml: YamlSource } {
  const yaml = yamlOf(root, BASE_FILE);
  return { yaml, record: parseBase(BASE_FILE, yaml.value) };
}

/** All that a review compares with: each file is read once. */
export interface ReviewedRecords {
  readonly patches: readonly RecordSource[];
  readonly base: { readonly record: BaseRecord; readonly yaml: YamlSource };
}

export const reviewedRecords = (): ReviewedRecords => ({
  patches: recordSources(),
  base: baseSource(),
});

/** Where a claim is in the records: file and line. */
export function recordLineOf({ patches, base }: ReviewedRecords): (row: Row) => SourceLine {
  const yamls = new Map([
    ...patches.map(({ file, yaml }) => [file, yaml] as const),
    [BASE_FILE, base.yaml],
  ]);
  return ({ record: { file, path } }) => {
    const keys =
      path === '' ? [] : path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
    const line = yamls.get(file)?.place(keys).line;
    return { file, ...(line === undefined ? {} : { line }) };
  };
}

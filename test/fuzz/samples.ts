/** Files of the project that inputs are made from. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../src/node/package-files.js';

const ROOT = packageRoot();

/** Bytes of a file, by its path in the project. */
export const sampleBytes = (file: string): Uint8Array =>
  new Uint8Array(readFileSync(join(ROOT, file)));

export const sampleText = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Paths of the files in a folder of the project with an ending. */
export const samplesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => `${folder}/${name}`);

/** The data of the YAML files in a folder, at most `most` bytes each. */
export const documentsIn = (folder: string, most = 4096): unknown[] =>
  samplesIn(folder, '.yaml')
    .map(sampleText)
    .filter((text) => text.length <= most)
    .map((text) => parse(text) as unknown);

/** The JSON Schemas under schemas/, as an editor uses them: names, descriptions, and the files that point to them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';

type Json = Record<string, unknown>;

const NAMES = readdirSync('schemas').map((file) => basename(file, '.schema.json'));
const schemaOf = (name: string): Json =>
  JSON.parse(readFileSync(`schemas/${name}.schema.json`, 'utf8')) as Json;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every property that a schema names, with its path. */
function properties(at: unknown, path = ''): [path: string, property: Json][] {
  if (Array.isArray(at)) return at.flatMap((each, i) => properties(each, `${path}[${String(i)}]`));
  if (!isRecord(at)) return [];
  return Object.entries(at).flatMap(([key, value]) => {
    const inner = properties(value, `${path}/${key}`);
    if (key !== 'properties' || !isRecord(value)) return inner;
    return [
      ...Object.entries(value).map(([name, each]) => [`${path}.${name}`, each] as [string, Json]),
      ...inner,
    ];
  });
}

/** The description that an editor shows for a property: its own, or that of the definition that it refers to. */
function descriptionOf(schema: Json, property: unknown): string {
  if (!isRecord(property)) return '';
  const { description, $ref, allOf, anyOf } = property;
  if (typeof description === 'string') return description;
  const parts = [allOf, anyOf].flatMap((list): unknown[] => (Array.isArray(list) ? list : []));
  if (typeof $ref === 'string' && isRecord(schema.definitions)) {
    parts.push(schema.definitions[$ref.replace('#/definitions/', '')]);
  }
  return parts.map((part) => descriptionOf(schema, part)).find((text) => text !== '') ?? '';
}

describe('the JSON Schemas', () => {
  test.each(NAMES)('%s names itself by a URN, a title and a description', (name) => {
    const { $schema, $id, title, description } = schemaOf(name);
    expect($schema).toBe('http://json-schema.org/draft-07/schema#');
    expect($id).toBe(`urn:sme-boot:schema:${name}:1`);
    expect([title, description]).toEqual([
      expect.stringMatching(/^sme-boot \w/),
      expect.stringMatching(/\.$/),
    ]);
  });

  test.each(NAMES)('%s describes each of its properties', (name) => {
    const schema = schemaOf(name);
    const all = properties(schema);
    expect(all.length).toBeGreaterThan(3);
    const bare = all.filter(([, property]) => !/\S.*\.$/.test(descriptionOf(schema, property)));
    expect(bare.map(([path]) => path)).toEqual([]);
  });
});

const MODELINE = /^# yaml-language-server: \$schema=(\S+)$/;
/** The folders whose files are written or read in an editor. */
const FOLDERS = ['scenarios', 'patches', 'findings', 'probes', 'questions', 'traces'];
const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name)),
).sort();
/** Written by `sme-boot matrix --keep`: match files whose first two lines are the row of the matrix. */
const ROWS = /^traces\/without\//;
const modelineOf = (file: string): string | undefined =>
  ROWS.test(file)
    ? '../../schemas/expectation.schema.json'
    : MODELINE.exec(readFileSync(file, 'utf8').split('\n', 1)[0] ?? '')?.[1];

/** Folders that are not of the repository. */
const FOREIGN = /^(?:node_modules|dist|coverage|\.git|\.cache)(?:\/|$)/;

describe('every modeline of the repository', () => {
  const texts = readdirSync('.', { withFileTypes: true })
    .filter(({ name }) => !FOREIGN.test(name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(entry.name, { recursive: true, encoding: 'utf8' }).map((name) =>
            join(entry.name, name),
          )
        : [entry.name],
    )
    .filter((name) => /\.(?:ya?ml|md)$/.test(name));
  const modelines = texts.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^# yaml-language-server: (.*)$/gm)].map(
      ([line, rest = '']) => ({ file, line, rest }),
    ),
  );

  test('leads from its file to a schema; in a page, from the folder in which its commands run', () => {
    expect(modelines.length).toBeGreaterThan(150);
    const wrong = modelines.filter(({ file, rest }) => {
      const schema = /^\$schema=(\S+)$/.exec(rest)?.[1];
      const from = file.endsWith('.md') ? '.' : dirname(file);
      return schema === undefined || !existsSync(join(from, schema));
    });
    expect(wrong).toEqual([]);
  });
});

describe('the YAML files', () => {
  test('name an existing schema in their first line', () => {
    const wrong = files.filter((file) => {
      const schema = modelineOf(file);
      return schema === undefined || !existsSync(join(dirname(file), schema));
    });
    expect(wrong).toEqual([]);
  });

  // Whole traces are long: two of each form suffice here, and `sme-boot check` reads all of them.
  const WHOLE = /^traces\/(?!match|without|effects)/;
  const seen = new Set<string>();
  const chosen = files.filter((file) => {
    const form = `${dirname(file)} ${basename(file).replace(/\d+/, '')}`;
    if (!WHOLE.test(file) || !file.includes('bios-minimal')) return !WHOLE.test(file);
    return !seen.has(form) && seen.add(form);
  });

  // Only projects of users have suppressions.
  const here = NAMES.filter((name) => name !== 'suppressions');

  test.each(here)('that name the schema %s are valid by it', (name) => {
    const own = chosen.filter((file) => basename(modelineOf(file) ?? '').startsWith(`${name}.`));
    expect(own.length).toBeGreaterThan(0);
    const schema = z.fromJSONSchema(schemaOf(name));
    const wrong = own.filter((file) => {
      const read: unknown = parse(readFileSync(file, 'utf8'));
      return !schema.safeParse(read).success;
    });
    expect(wrong).toEqual([]);
    expect(schema.safeParse({ nonsense: 1 }).success).toBe(false);
  });
});

/** `sme-boot init`: what it writes passes its own check at once. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { schemaNamed } from '../../src/node/schema-path.js';
import { sme, type Ran } from './io.js';

let dir: string;
let project: string;
let made: Ran;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-init-'));
  project = join(dir, 'a project');
  made = await sme(['init', project]);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

async function inFolder(folder: string, argv: readonly string[]): Promise<Ran> {
  const here = process.cwd();
  process.chdir(folder);
  try {
    return await sme(argv);
  } finally {
    process.chdir(here);
  }
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

describe('sme-boot init', () => {
  test('names each file that it writes, and the next two commands', () => {
    expect([made.status, made.err]).toEqual([0, '']);
    const [files = '', next] = made.out.split('\nNext:\n');
    const named = [...files.matchAll(/^wrote (.+)$/gm)].map(([, file = '']) => file);
    expect(named.toSorted()).toEqual(filesOf(project));
    expect(named.length).toBeGreaterThan(12);
    expect(next).toBe(
      `  cd '${project}' && sme-boot check\n  sme-boot run scenarios/my-machine.yaml\n`,
    );
  });

  test('lays expected traces that pass the check in that folder', async () => {
    const { status, out, err } = await inFolder(project, ['check']);
    expect(out).toMatch(/\n3 passed, 0 failed\n$/);
    expect(err).toContain("./traces, this project's");
    expect(status).toBe(0);
  });

  test('lays a scenario that ends as it expects, and a call script that runs', async () => {
    const run = await inFolder(project, ['run', 'scenarios/my-machine.yaml']);
    expect([run.status, run.out]).toEqual([0, expect.stringMatching(/\nbooted: .*\n$/)]);
    const probe = await inFolder(project, ['probe']);
    expect([probe.status, probe.out]).toEqual([0, expect.stringContaining('differs from initrd')]);
    expect(probe.out).not.toMatch(/absent|skipped/);
  });

  test('names in each YAML file but the workflow a schema that is there and accepts the file', () => {
    const yaml = filesOf(project).filter((file) => /(?<!sme-boot)\.yaml$/.test(file));
    expect(yaml).toHaveLength(6);
    for (const file of yaml) {
      const text = readFileSync(file, 'utf8');
      const schema = JSON.parse(
        readFileSync(resolve(dirname(file), schemaNamed(text) ?? 'no modeline'), 'utf8'),
      ) as Record<string, unknown>;
      expect([file, z.fromJSONSchema(schema).safeParse(parse(text)).success]).toEqual([file, true]);
      expect(z.fromJSONSchema(schema).safeParse({ nonsense: 1 }).success).toBe(false);
    }
  });

  test('lays a workflow that runs the check and never fetches another sme-boot', () => {
    const text = readFileSync(join(project, '.github/workflows/sme-boot.yml'), 'utf8');
    const { jobs } = parse(text) as { jobs: { check: { steps: { run?: string }[] } } };
    expect(jobs.check.steps.flatMap(({ run }) => run ?? [])).toEqual([
      'npm ci',
      'npx --no -- sme-boot check',
    ]);
    expect(readFileSync(join(project, 'README.md'), 'utf8').split('\n')).toHaveLength(11);
  });

  test('refuses a folder that is not empty, and names what --force would replace', async () => {
    const other = join(dir, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'README.md'), 'mine');
    writeFileSync(join(other, 'notes.txt'), 'mine');
    const { status, err } = await sme(['init', other]);
    expect(status).toBe(2);
    expect(err).toMatch(
      /E_INIT: .*other: expected an empty folder, or --force, which would replace README\.md, found README\.md, notes\.txt\n/,
    );
    expect(readdirSync(other)).toEqual(['README.md', 'notes.txt']);
  });

  test('--force says which files it replaces, and leaves the others', async () => {
    const file = join(project, 'series/without-initrd.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, 'changed');
    writeFileSync(join(project, 'package.json'), '{}');
    writeFileSync(join(project, 'mine.txt'), 'mine');
    const { status, out } = await sme(['init', project, '--force']);
    expect(status).toBe(0);
    expect([...out.matchAll(/^replaced (.+)$/gm)].map(([, name]) => name)).toEqual([file]);
    expect(out).not.toMatch(/^wrote/m);
    expect(out).toContain(`left ${join(project, 'package.json')}\n`);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readFileSync(join(project, 'package.json'), 'utf8')).toBe('{}');
    expect(readFileSync(join(project, 'mine.txt'), 'utf8')).toBe('mine');
  });

  test('takes a folder with only what npm and git put there for empty', async () => {
    const fresh = join(dir, 'fresh');
    for (const name of ['.git', 'node_modules']) mkdirSync(join(fresh, name), { recursive: true });
    writeFileSync(join(fresh, 'package.json'), '{"private":true}');
    writeFileSync(join(fresh, 'package-lock.json'), '{}');
    const { status, out } = await inFolder(fresh, ['init', '.']);
    expect([status, out]).toEqual([0, expect.stringContaining('left package.json')]);
    expect(out).toMatch(/\nNext:\n {2}sme-boot check\n/);
    expect(readFileSync(join(fresh, 'package.json'), 'utf8')).toBe('{"private":true}');
  });

  test('writes nothing where a file or folder is in the way', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    mkdirSync(join(dir, 'way/README.md'), { recursive: true });
    writeFileSync(join(dir, 'way/traces'), '');
    const refused: [string[], RegExp][] = [
      [[file], /E_INIT: .*file: expected a folder, found a file/],
      [[join(file, 'x')], /E_WRITE: /],
      [[join(dir, 'way'), '--force'], /E_INIT: .*README\.md: expected a file, or nothing, found a/],
    ];
    for (const [argv, message] of refused) {
      const { status, err } = await sme(['init', ...argv]);
      expect([status, err]).toEqual([2, expect.stringMatching(message)]);
    }
    expect(readdirSync(join(dir, 'way'))).toEqual(['README.md', 'traces']);
  });
});

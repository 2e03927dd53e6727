/** docs/scenarios.md and docs/trace-format.md against the program: their tables, and their examples of files. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readYaml } from '../../src/base/yaml-source.js';
import { prepareBoot } from '../../src/cli/run-options.js';
import { parseScenario, scenarioJsonSchema } from '../../src/scenario/scenario.js';
import { changesFileSchema } from '../../src/check/changes.js';
import { headerSchema, schemaOf } from '../../src/trace/trace.js';
import { firstOf } from '../cases.js';

type Data = Record<string, unknown>;
const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null;

/** The YAML blocks of a page, with the line where each begins. */
function blocks(page: string): { data: unknown; line: number }[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```yaml.*\n([\s\S]*?)^```$/gm)].map(({ 1: block = '', index }) => ({
    data: parse(block) as unknown,
    line: text.slice(0, index).split('\n').length + 1,
  }));
}

/** `data`, completed with the keys of `base` that it does not have. */
function over(base: Data, data: unknown): Data {
  const both = Object.entries(isData(data) ? data : {}).map(([key, value]) => {
    const under = base[key];
    const merge = isData(value) && isData(under) && !Array.isArray(value);
    return [key, merge ? over(under, value) : value] as const;
  });
  return { ...base, ...Object.fromEntries(both) };
}

/** Paths of all keys; those of lists without an index. */
const keysOf = (value: unknown, path = ''): string[] => {
  if (Array.isArray(value)) return value.flatMap((each) => keysOf(each, path));
  if (!isData(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    `${path}.${key}`,
    ...keysOf(each, `${path}.${key}`),
  ]);
};

/** Paths of all keys that a JSON Schema has. */
function schemaKeys(schema: unknown, path = ''): string[] {
  if (!isData(schema)) return [];
  if (isData(schema.items)) return schemaKeys(schema.items, path);
  if (!isData(schema.properties)) return [];
  return Object.entries(schema.properties).flatMap(([key, each]) => [
    `${path}.${key}`,
    ...schemaKeys(each, `${path}.${key}`),
  ]);
}

describe('the tables of docs/', () => {
  test('equal those generated from the schemas', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/docs-tables.mjs', '--check'], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('docs/scenarios.md', () => {
  const base: Data = { name: 'a', title: 'a', machine: { cpu: 'zen-1', ram: '64MiB' } };
  const examples = blocks('docs/scenarios.md');

  test.each(examples)('has an example at line $line that is valid in a scenario', ({ data }) => {
    expect(() => parseScenario('docs/scenarios.md', over(base, data))).not.toThrow();
  });

  test.each(firstOf(3, examples))('has an example at line $line that boots', ({ data }) => {
    const dir = mkdtempSync(join(tmpdir(), 'sme-boot-example-'));
    try {
      const file = join(dir, 'example.yaml');
      writeFileSync(
        file,
        JSON.stringify(over({ ...base, machine: { cpu: 'zen-1', ram: '2GiB' } }, data)),
      );
      const { outcome, header } = prepareBoot(file, {}).run();
      expect(header.files?.scenario?.path).toContain('example.yaml');
      const [wanted] = isData(data) && isData(data.expect) ? [data.expect.outcome] : [];
      if (wanted !== undefined) expect(outcome.kind).toBe(wanted);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('has an example of every key', () => {
    const shown = new Set(examples.flatMap(({ data }) => keysOf(data)));
    const keys = schemaKeys(scenarioJsonSchema());
    expect(keys.length).toBeGreaterThan(50);
    expect(keys.filter((key) => !shown.has(key))).toEqual([]);
  });
});

describe('docs/trace-format.md', () => {
  test('has an example line that is a valid event of a trace', () => {
    const [first] = blocks('docs/trace-format.md');
    const [event] = first?.data as unknown[];
    expect(schemaOf('map').safeParse(event).success).toBe(true);
    const { steps } = prepareBoot('bios-minimal', {}).run();
    expect(steps.flatMap(({ events }) => events)).toContainEqual(event);
  });

  test('has an example of the files in a header that is valid', () => {
    const header = blocks('docs/trace-format.md').flatMap(({ data }) =>
      isData(data) && isData(data.header) ? [data.header] : [],
    );
    expect(header).toHaveLength(1);
    const { error } = headerSchema.partial().safeParse(header[0]);
    expect(error?.issues ?? []).toEqual([]);
  });
});

describe('docs/trace-differences.md', () => {
  test('has an example whose edits are in the file that it names', () => {
    const [example] = blocks('docs/trace-differences.md');
    const short = changesFileSchema.parse(example?.data);
    const file = 'traces/epyc-efi/stage-09.yaml';
    const whole = changesFileSchema.parse(readYaml(file, readFileSync(file, 'utf8')).value);
    expect(short.base).toBe(whole.base);
    expect(short.changes.header?.stage).toBe(whole.changes.header?.stage);
    for (const edit of short.changes.header?.overlay ?? []) {
      expect(whole.changes.header?.overlay).toContainEqual(edit);
    }
    const stepOf = (changes: typeof short.changes, label: string): readonly unknown[] =>
      (changes.steps ?? []).flatMap((edit) =>
        'step' in edit && edit.step === label ? edit.events : [],
      );
    const shown = stepOf(short.changes, 'copy_bootdata');
    expect(shown).toHaveLength(2);
    for (const edit of shown) expect(stepOf(whole.changes, 'copy_bootdata')).toContainEqual(edit);
    const [region] = short.changes.final?.regions ?? [];
    const digest = region !== undefined && 'to' in region ? region.to.digest : undefined;
    expect(JSON.stringify(whole.changes.final?.regions)).toContain(digest?.replace('…', ''));
  });
});

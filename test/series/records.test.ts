/** The records under patches/ against the hunks of the series. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { patchRecords } from '../../src/cli/records.js';
import { addedNames } from '../../src/kernel/hunk.js';
import { hunksOfName } from '../../src/series/record-hunks.js';
import { hunksOf, LAST_STAGE } from '../../src/series/patches.js';
import { parseRecord } from '../../src/series/record.js';
import { sme } from '../cli/io.js';

const records = patchRecords('.');

/** The patches that a record needs, transitively. */
function reach(number: number): Set<number> {
  const needs = records.find((record) => record.number === number)?.needs ?? [];
  const direct = needs.map(({ from }) => from);
  return new Set([...direct, ...direct.flatMap((need) => [...reach(need)])]);
}

describe('the patch records', () => {
  test('are numbered from 1, one for each patch', () => {
    expect(records.map(({ number }) => number)).toEqual(
      Array.from({ length: LAST_STAGE }, (_, i) => i + 1),
    );
  });

  test.each(records)('each hunk of $number models a name of its record', (record) => {
    const hunks = hunksOf(record.number);
    const named = [...record.adds, ...record.changes].flatMap((entry) => hunksOfName(entry, hunks));
    for (const hunk of hunks) expect(named).toContain(hunk);
    expect(record.status === 'not modelled').toBe(hunks.length === 0);
    for (const { id } of hunks) {
      expect(id.startsWith(`${String(record.number).padStart(2, '0')}/`)).toBe(true);
    }
    for (const module of record.modules) {
      expect(existsSync(module)).toBe(true);
      expect(readFileSync(module, 'utf8')).toContain(`patch: ${String(record.number)},`);
    }
    expect(record.modules.length > 0).toBe(hunks.length > 0);
  });

  test.each(records)('each name of $number has a hunk or a reason why it has none', (record) => {
    const hunks = hunksOf(record.number);
    const entries = [...record.adds, ...record.changes];
    for (const entry of entries) {
      const modelled = hunksOfName(entry, hunks).length > 0;
      expect([entry.name, modelled]).toEqual([entry.name, entry.notModelled === undefined]);
      expect(record.files.map(({ path }) => path)).toContain(entry.file);
    }
    const keys = entries.map(({ name, file }) => `${name} ${file}`);
    expect([...new Set(keys)]).toEqual(keys);
  });

  test.each(records)('each name that the code of $number adds is in its record', (record) => {
    const names = new Set(record.adds.map(({ name }) => name));
    const added = hunksOf(record.number).flatMap((hunk) => [
      ...addedNames(hunk).filter((name) => !name.includes(':')),
      ...(hunk.options ?? []),
      ...(hunk.parameters ?? []),
    ]);
    expect(added.filter((name) => !names.has(name))).toEqual([]);
  });

  test.each(records)('the needs of $number are added by earlier patches', ({ number, needs }) => {
    for (const { name, from } of needs) {
      expect(from).toBeLessThan(number);
      const earlier = records.find((record) => record.number === from);
      expect([name, earlier?.adds.map((entry) => entry.name)]).toEqual([
        name,
        expect.arrayContaining([name]),
      ]);
    }
  });

  test.each(records)(
    'names needed by the code of $number are from the base or from patches in `needs`',
    (record) => {
      for (const hunk of hunksOf(record.number)) {
        for (const need of hunk.needs ?? []) {
          const from = records.find(({ number }) =>
            hunksOf(number).flatMap(addedNames).includes(need),
          );
          if (from === undefined || from.number === record.number) continue;
          expect([need, reach(record.number).has(from.number)]).toEqual([need, true]);
        }
      }
    },
  );

  test('an invalid record is refused with its place', () => {
    expect(() => parseRecord('patches/x.yaml', { ...records[0], number: LAST_STAGE + 1 })).toThrow(
      /^E_RECORD: patches\/x\.yaml, number/,
    );
  });
});

describe('sme-boot list, patches and schema', () => {
  test.each([
    'scenarios',
    'labels',
    'patches',
    'hunks',
    'series',
    'alternatives',
    'regions',
    'symbols',
  ])('list %s', async (what) => {
    const text = await sme(['list', what]);
    const json = await sme(['list', what, '--format', 'json']);
    expect([text.status, json.status]).toEqual([0, 0]);
    const rows = JSON.parse(json.out) as unknown[];
    expect(rows.length).toBe(text.out.trimEnd().split('\n').length);
  });

  test('patches 9 lists its hunks; a patch that the series lacks is refused', async () => {
    const { out } = await sme(['patches', '9']);
    expect(out).toContain('09/initrd');
    expect((await sme(['patches', String(LAST_STAGE + 1)])).err).toMatch(/E_PATCH/);
    expect(JSON.parse((await sme(['patches', '--format', 'json'])).out)).toHaveLength(LAST_STAGE);
  });

  test('patches lists the alternatives to its hunks', async () => {
    const { out } = await sme(['patches', '15']);
    expect(out).toMatch(
      /--with 15\/before-paging, instead of 15\/trampoline_64: [^]+?\n +source: /,
    );
    const [record] = JSON.parse((await sme(['patches', '9', '--format', 'json'])).out) as {
      alternatives: { id: string; instead?: string; source: string }[];
    }[];
    expect(record?.alternatives.map(({ id }) => id)).toEqual([
      '09/whole-pages',
      '09/flush-tlb',
      '09/relocate-plain',
    ]);
    expect(record?.alternatives[0]?.source).toBe('our choice');
  });

  test.each([
    'scenario',
    'series',
    'trace',
    'changes',
    'expectation',
    'patch',
    'finding',
    'probe',
    'effects',
    'question',
  ])('the shipped schema of a %s equals the output of the command', async (kind) => {
    const { out } = await sme(['schema', kind]);
    expect(JSON.parse(out)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
    expect(readFileSync(`schemas/${kind}.schema.json`, 'utf8')).toBe(out);
  });
});

/** The lint rule that refuses an index of a record by a string: with types, in place of a file of src/. */
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';
import { exhaustiveTest } from '../cases.js';

let eslint: ESLint;
beforeAll(() => {
  eslint = new ESLint({
    cwd: process.cwd(),
    ruleFilter: ({ ruleId }) => ruleId === 'lookups/own',
  });
});

const TABLE = 'const table: Readonly<Record<string, number>> = { a: 1 };\n';

/** The messages for a text in place of src/cli/columns.ts. */
async function messages(text: string): Promise<string[]> {
  const filePath = join(process.cwd(), 'src/cli/columns.ts');
  const [result] = await eslint.lintText(TABLE + text, { filePath });
  return result?.messages.map(({ message }) => message) ?? ['not linted'];
}

test('the rule is on for the rooms of src/', async () => {
  for (const file of [
    'src/cli/columns.ts',
    'src/kernel/image-places.ts',
    'src/scenario/dmesg.ts',
  ]) {
    const config = (await eslint.calculateConfigForFile(file)) as { rules: object };
    expect(config.rules).toMatchObject({ 'lookups/own': [2] });
  }
});

exhaustiveTest(
  'an index by a string is refused, and so is Reflect.get',
  async () => {
    expect(await messages('export const f = (name: string) => table[name];')).toEqual([
      expect.stringContaining('own()'),
    ]);
    expect(await messages('export const f = (name?: string) => table[name ?? ""];')).toHaveLength(
      1,
    );
    expect(await messages('export const f = (of: object) => Reflect.get(of, "a");')).toEqual([
      expect.stringContaining('ownOf()'),
    ]);
  },
  60_000,
);

exhaustiveTest(
  'a literal, a name that the compiler checks, a list and a Map are allowed',
  async () => {
    for (const text of [
      "export const f = () => table['a'];",
      'const known = { a: 1, b: 2 };\nexport const f = (name: "a" | "b") => known[name] + (table.a ?? 0);',
      'export const f = (list: string[], i: number) => [list[i], table];',
      'export const f = (map: Map<string, number>, name: string) => [map.get(name), table];',
    ]) {
      expect([text, await messages(text)]).toEqual([text, []]);
    }
  },
  60_000,
);

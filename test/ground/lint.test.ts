import { beforeAll, describe, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';
import { join } from 'node:path';

// A second copy of the table under test, written by hand, so that an error in the linter's table is detected.
const PATCH_ROOMS = [
  ...['early-boot', 'pgtable', 'protmap', 'efi', 'initrd', 'realmode'],
  ...['devicetree', 'dma', 'iommu', 'vga', 'kvm'],
];
const LAYERS = [
  ['base'],
  ['trace'],
  ['machine', 'decompress'],
  ['firmware'],
  ['kernel'],
  ['linux'],
  PATCH_ROOMS,
  ['series'],
  ['scenario'],
  ['sequencer'],
  ['inspect'],
  ['analysis'],
  ['node'],
  ['cli'],
];
const ROOMS = LAYERS.flat();
const layerOf = (room: string): number => LAYERS.findIndex((layer) => layer.includes(room));

let eslint: ESLint;
beforeAll(() => {
  // These rules read one file's text; without type information the file need not exist.
  eslint = new ESLint({
    cwd: process.cwd(),
    overrideConfig: [
      {
        files: ['**/*.ts'],
        languageOptions: { parserOptions: { projectService: false, project: null } },
      },
    ],
    ruleFilter: ({ ruleId }) =>
      ruleId.startsWith('rooms/') || ruleId.startsWith('no-restricted-') || ruleId === 'no-console',
  });
});

/** The ids of the rules that refuse a file with this text at this path of the project. */
async function refusals(path: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: join(process.cwd(), path) });
  if (result === undefined) throw new Error(`${path} is not linted`);
  return result.messages.map((message) => message.ruleId ?? message.message);
}

const imports = (to: string): string => `import { a } from '../${to}/a.js';\nexport const b = a;\n`;

describe('imports between rooms go one way', () => {
  const pairs = ROOMS.flatMap((from) =>
    ROOMS.filter((to) => to !== from).map((to) => [from, to] as const),
  );
  const good = pairs.filter(([from, to]) => layerOf(to) < layerOf(from));
  const bad = pairs.filter(([from, to]) => layerOf(to) >= layerOf(from));

  test.each(good)('%s may import %s', async (from, to) => {
    expect(await refusals(`src/${from}/probe.ts`, imports(to))).toEqual([]);
  });

  test.each(bad)('%s may not import %s', async (from, to) => {
    expect(await refusals(`src/${from}/probe.ts`, imports(to))).toEqual(['rooms/direction']);
  });

  test('a room may import itself, from any depth', async () => {
    const text = `export * from '../memory/dram.js';\nexport * from './tlb.js';\n`;
    expect(await refusals('src/machine/mmu/walk.ts', text)).toEqual([]);
  });

  test('a directory inside a room is not treated as the room of the same name', async () => {
    expect(await refusals('src/firmware/image/elf.ts', imports('kernel'))).toEqual([]);
  });

  test.each([
    ["import type { A } from '../kernel/a.js';"],
    ["import '../kernel/a.js';"],
    ["export { a } from '../kernel/a.js';"],
    ["export * from '../kernel/a.js';"],
    ["export const a = import('../kernel/a.js');"],
    ["export type A = import('../kernel/a.js').A;"],
    ["import a = require('../kernel/a.js');"],
    ["import { a } from '../machine/../kernel/a.js';"],
    ["import { a } from '../../src/kernel/a.js';"],
  ])('machine may not reach the kernel by %s', async (text) => {
    expect(await refusals('src/machine/probe.ts', text)).toContain('rooms/direction');
  });

  test.each([
    ['an import from outside src/', 'src/machine/probe.ts', "import '../../test/a.js';"],
    ['a relative import without .js', 'src/machine/probe.ts', "import './dram';"],
    ['a room that the table does not list', 'src/cellar/probe.ts', 'export const a = 1;'],
  ])('refused: %s', async (_what, path, text) => {
    expect(await refusals(path, text)).toEqual(['rooms/direction']);
  });

  test('the files directly in src/ may export everything except node and cli', async () => {
    for (const to of ROOMS) {
      const expected = to === 'node' || to === 'cli' ? ['rooms/direction'] : [];
      expect(await refusals('src/index.ts', `export * from './${to}/a.js';`)).toEqual(expected);
    }
  });
});

describe('only node and cli need Node', () => {
  const uses: readonly (readonly [string, string])[] = [
    ["import { readFileSync } from 'node:fs';", 'rooms/browser'],
    ["import { readFileSync } from 'fs';", 'rooms/browser'],
    ["import type { Stats } from 'node:fs';", 'rooms/browser'],
    ["export const fs = import('node:fs/promises');", 'rooms/browser'],
    ["import { Command } from 'commander';", 'rooms/browser'],
    ["export const a = Buffer.from('a');", 'no-restricted-globals'],
    ['export const a = process.argv;', 'no-restricted-globals'],
    ['export const a = globalThis.process;', 'no-restricted-properties'],
    ['export const a = globalThis.Buffer;', 'no-restricted-properties'],
    ['export const a = () => Date.now();', 'no-restricted-globals'],
    ['export const a = () => performance.now();', 'no-restricted-globals'],
    ['export const a = () => Math.random();', 'no-restricted-properties'],
    ['export const a = () => setTimeout(a, 0);', 'no-restricted-globals'],
    ['export const a = async () => 1;', 'no-restricted-syntax'],
    ["console.log('a');", 'no-console'],
  ];
  const browserRooms = ROOMS.filter((room) => room !== 'node' && room !== 'cli');

  test.each(uses)('refused in every other room: %s', async (text, rule) => {
    for (const room of browserRooms) {
      expect(await refusals(`src/${room}/probe.ts`, text)).toEqual([rule]);
    }
  });

  test.each(uses)('allowed in node, cli and tests: %s', async (text) => {
    for (const path of ['src/node/probe.ts', 'src/cli/probe.ts', 'test/machine/probe.test.ts']) {
      expect(await refusals(path, text)).toEqual([]);
    }
  });

  test('a local name that Node also has globally is allowed', async () => {
    const text = 'export const pid = (process: { pid: number }): number => process.pid;';
    expect(await refusals('src/kernel/probe.ts', text)).toEqual([]);
  });
});

describe('shortcuts are refused', () => {
  test('a cast through unknown', async () => {
    const text = 'export const a = (1 as unknown) as string;';
    for (const path of ['src/kernel/a.ts', 'src/cli/a.ts', 'test/kernel/a.test.ts']) {
      expect(await refusals(path, text)).toEqual(['no-restricted-syntax']);
    }
  });

  test.each([
    ['test.skip'],
    ['test.only'],
    ['describe.skip'],
    ['test.todo'],
    ['xtest'],
    ['fdescribe'],
  ])('a test that does not run: %s', async (call) => {
    expect(await refusals('test/kernel/a.test.ts', `${call}('a', () => 1);`)).toEqual([
      'no-restricted-syntax',
    ]);
  });

  test('the eleventh non-null assertion of a file, and not the tenth', async () => {
    const lines = (count: number): string =>
      `export const f = (a: number[]): unknown[] => [${'a[0]!,'.repeat(count)}];`;
    expect(await refusals('src/machine/a.ts', lines(10))).toEqual([]);
    expect(await refusals('src/machine/a.ts', lines(11))).toEqual(['rooms/assertions']);
    expect(await refusals('src/machine/a.ts', lines(12))).toEqual(['rooms/assertions']);
  });

  test('a comment cannot disable a rule', async () => {
    const text = `/* eslint-disable */\nimport { a } from '../kernel/a.js';\nexport const b = a;\n`;
    expect(await refusals('src/machine/a.ts', text)).toContain('rooms/direction');
  });
});
